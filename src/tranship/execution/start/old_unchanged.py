"""The proof that OLD is as an interrupted run saw it, as cheap as it can be had: without one, rows of two snapshots would be mixed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import asyncpg

from tranship.execution.active_run import Task
from tranship.execution.probe.cut import versions
from tranship.model.notes import LookingForWrites, UnchangedSoFar
from tranship.model.plan import Source
from tranship.model.progress import Event, Noted
from tranship.server.snapshot import Mark, Snapshot
from tranship.sql.old import cut as sql_cut

_REMINDER = 10.0
"""Seconds between two words to the person who watches."""
_COMPARABLE = 2**30
"""Transactions after which the 32 bits of a row's xmin tell nothing any more (half of what the server itself allows)."""


class _Differs(Exception):
    """Ends the streams."""


async def unwritten(
    snapshot: Snapshot, then: Mark, tasks: Sequence[Task], jobs: int, on_event: Callable[[Event], None]
) -> bool:
    """The new snapshot shows the very row versions that the old one showed, in every table of the run.

    ``then`` is where the old one stood. Tables are looked at ``jobs`` at a time, the largest first; the first that differs ends it.
    """
    if snapshot.mark == then and then.complete:
        return True
    if snapshot.mark.timeline != then.timeline or any(
        not source.pageable for task in tasks for source in task.plan.sources
    ):
        return False
    rows = sum(task.rows for task in tasks)
    on_event(Noted(LookingForWrites(len(tasks), rows)))
    queue = sorted(tasks, key=lambda task: task.rows)
    told = time.monotonic()

    async def stream() -> None:
        nonlocal told
        async with snapshot.reader() as old:
            while queue:
                if not await _as_it_was(old, snapshot.mark, then, queue.pop()):
                    raise _Differs
                if time.monotonic() - told >= _REMINDER:
                    told = time.monotonic()
                    on_event(Noted(UnchangedSoFar(len(queue))))

    streams = [asyncio.create_task(stream()) for _ in range(max(1, min(jobs, len(queue))))]
    try:
        await asyncio.gather(*streams)
    except _Differs:
        return False
    finally:
        for running in streams:
            running.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    return True


async def _as_it_was(old: asyncpg.Connection, now: Mark, then: Mark, task: Task) -> bool:
    """As many rows as before and none of them newer are the same row versions, in the same places while the heap is the same.

    Transactions that were open then, and a definition that was changed since, prove nothing: there each version is compared.
    """
    if 0 <= now.oldest - then.oldest < _COMPARABLE:
        rows, newer = 0, False
        for source in task.plan.sources:
            seen, later = await _newer(old, then, source)
            rows, newer = rows + seen, newer or later
        if rows != task.rows:
            return False
        if not newer:
            return True
    return await versions(old, task.plan) == (task.rows, task.digest)


async def _newer(old: asyncpg.Connection, then: Mark, source: Source) -> tuple[int, bool]:
    row = await old.fetchrow(sql_cut.newer(source, then.oldest))
    return row["rows"], row["newer"] > 0 or row["rewritten"]
