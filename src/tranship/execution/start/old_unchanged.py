"""The proof that OLD is unchanged since an interrupted run, at the least cost.

Without it, a resumed run would mix rows of two snapshots.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from tranship.execution.active_run import Task
from tranship.execution.proof.as_it_was import Seen, as_it_was
from tranship.model.notes import LookingForWrites, UnchangedSoFar
from tranship.model.progress import Event, Noted
from tranship.server.snapshot import Mark, Snapshot
from tranship.sql.old import cut as sql_cut

_REMINDER = 10.0
"""Seconds between two messages about the same comparison."""


class _Differs(Exception):
    """A table differs; it ends all streams."""

    def __init__(self, task: Task) -> None:
        super().__init__(task.plan.flow)
        self.task = task


async def why_not_unwritten(
    snapshot: Snapshot,
    then: Mark,
    tasks: Sequence[Task],
    jobs: int,
    on_event: Callable[[Event], None],
    *,
    anew: bool,
) -> str | None:
    """Returns None where the new snapshot shows the same row versions as the old one, in every table of the
    run; else what differs, in words, or why nothing can be proven.

    ``then`` is the mark of the old snapshot, ``anew`` whether OLD's server was started anew since. Tables are
    compared ``jobs`` at a time, the largest first. The first difference ends the comparison.
    """
    if snapshot.mark.nothing_ended_since(then) and not anew:
        # A crash that the server itself outlives has emptied some tables all the same.
        tasks = await _unlogged(snapshot, tasks)
    incomparable = _incomparable(snapshot, then, tasks)
    if incomparable:
        return incomparable
    # What a query reads is compared with the other tables that expressions read.
    tasks = [task for task in tasks if task.plan.shape.in_a_heap]
    if not tasks:
        return None
    on_event(Noted(LookingForWrites(len(tasks), sum(task.rows_of_old for task in tasks))))
    comparison = _Comparison(snapshot, then, tasks, on_event)
    streams = [asyncio.create_task(comparison.stream()) for _ in range(max(1, min(jobs, len(tasks))))]
    try:
        await asyncio.gather(*streams)
    except _Differs as differs:
        return f"rows of {differs.task.plan.flow} are other ones now"
    finally:
        for running in streams:
            running.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    return None


async def _unlogged(snapshot: Snapshot, tasks: Sequence[Task]) -> list[Task]:
    """Returns the tables that a crash of OLD may have emptied."""
    oids = [source.oid for task in tasks for source in task.plan.sources]
    async with snapshot.reader() as old:
        found = {row["oid"] for row in await old.fetch(sql_cut.UNLOGGED, oids)}
    return [task for task in tasks if any(source.oid in found for source in task.plan.sources)]


def _incomparable(snapshot: Snapshot, then: Mark, tasks: Sequence[Task]) -> str:
    """Returns why row versions of then and now prove nothing; empty where they do."""
    # On another timeline the same transaction number means another transaction.
    if snapshot.mark.timeline != then.timeline:
        return "it is on another timeline of its server, as after a failover or a restored backup"
    heaps = [task.plan for task in tasks if task.plan.shape.in_a_heap]
    others = [str(plan.flow) for plan in heaps if not all(source.pageable for source in plan.sources)]
    if not others:
        return ""
    return f"the rows of {', '.join(others)} have no versions of this server that could be compared"


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
                    raise _Differs(task)
                if time.monotonic() - self._reported >= _REMINDER:
                    self._reported = time.monotonic()
                    self._on_event(Noted(UnchangedSoFar(len(self._queue))))
