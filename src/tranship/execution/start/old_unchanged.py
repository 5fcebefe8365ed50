"""The proof that OLD is unchanged since an interrupted run, at the least cost.

Without it, a resumed run would mix rows of two snapshots.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from tranship.execution.active_run import Task
from tranship.model.notes import LookingForWrites, UnchangedSoFar
from tranship.model.plan import TablePlan
from tranship.model.progress import Event, Noted
from tranship.server.old_reader import OldReader
from tranship.server.pages import is_recent
from tranship.server.snapshot import COMPARABLE, Mark, Snapshot

_REMINDER = 10.0
"""Seconds between two messages about the same comparison."""


class _Differs(Exception):
    """A table differs; it ends all streams."""


async def unwritten(
    snapshot: Snapshot, then: Mark, tasks: Sequence[Task], jobs: int, on_event: Callable[[Event], None]
) -> bool:
    """Returns whether the new snapshot shows the same row versions as the old one, in every table of the run.

    ``then`` is the mark of the old snapshot. Tables are compared ``jobs`` at a time, the largest first. The
    first difference ends the comparison.
    """
    if snapshot.mark == then and then.complete:
        return True
    # On another timeline the same transaction number means another transaction.
    if snapshot.mark.timeline != then.timeline or not _comparable(tasks):
        return False
    # What a query reads is compared with the other tables that expressions read.
    tasks = [task for task in tasks if task.plan.shape.in_a_heap]
    on_event(Noted(LookingForWrites(len(tasks), sum(task.rows_of_old for task in tasks))))
    comparison = _Comparison(snapshot, then, tasks, on_event)
    streams = [asyncio.create_task(comparison.stream()) for _ in range(max(1, min(jobs, len(tasks))))]
    try:
        await asyncio.gather(*streams)
    except _Differs:
        return False
    finally:
        for running in streams:
            running.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    return True


def _comparable(tasks: Sequence[Task]) -> bool:
    """Returns whether the rows of all tables have addresses and transactions of this server."""
    heaps = [task.plan.sources for task in tasks if task.plan.shape.in_a_heap]
    return all(source.pageable for sources in heaps for source in sources)


class _Comparison:
    """Compares tables in two snapshots, in as many streams as are started."""

    def __init__(
        self, snapshot: Snapshot, then: Mark, tasks: Sequence[Task], on_event: Callable[[Event], None]
    ) -> None:
        self._snapshot = snapshot
        self._then = then
        # Taken from the end: the largest table first, so that it does not run alone at the end.
        self._queue = sorted(tasks, key=lambda task: task.rows_of_old)
        self._on_event = on_event
        self._reported = time.monotonic()

    async def stream(self) -> None:
        """Compares one table after the other until none is left.

        Raises:
            _Differs: one of them was written to.
        """
        async with self._snapshot.reading() as old:
            while self._queue:
                task = self._queue.pop()
                seen = Seen(task.plan, task.rows_of_old, task.digest)
                if not await as_it_was(old, self._snapshot.mark, self._then, seen):
                    raise _Differs
                if time.monotonic() - self._reported >= _REMINDER:
                    self._reported = time.monotonic()
                    self._on_event(Noted(UnchangedSoFar(len(self._queue))))


class Seen(Struct, frozen=True):
    """What a snapshot showed of a table."""

    plan: TablePlan
    rows: int
    """Rows of OLD."""
    digest: str


async def as_it_was(old: OldReader, now: Mark, then: Mark, seen: Seen) -> bool:
    """Returns whether a table holds the row versions that an older snapshot of the same timeline showed.

    Equal row count and no xmin newer than the old snapshot's horizon prove that the table is unchanged,
    unless its heap was rewritten. Transactions that were open at that time and a rewritten heap prove
    nothing, so every row version is compared.
    """
    if 0 <= now.oldest - then.oldest < COMPARABLE:
        rows, newer = 0, False
        for source in seen.plan.sources:
            there, later = await old.newer(source, then.oldest)
            rows, newer = rows + there, newer or later
        if rows != seen.rows:
            return False
        if not newer:
            return True
    elif any(map(is_recent, seen.digest.split(" "))):
        # Which versions are recent cannot be told any more.
        return False
    return await old.versions(seen.plan, seen.digest, then.oldest) == (seen.rows, seen.digest)
