"""How quick a run will be, by the last one on record or by a sample of OLD's rows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import asyncpg

from tranship.execution.context import Job, RunContext
from tranship.model.plan import TablePlan
from tranship.model.verdict import ReadSample
from tranship.server.journal import Run
from tranship.server.snapshot import Snapshot
from tranship.sql.old.batch import select_for_people
from tranship.sql.session import SAMPLE_TIMEOUT

ENOUGH_ROWS = 10_000
"""Rows of a run that say how quick a run is: a smaller one spends its time on everything but rows."""
_SAMPLE = 20_000
"""Rows of OLD that are read for a sample."""


async def pace(new: asyncpg.Connection, context: RunContext, finished: Mapping[str, Run]) -> float | None:
    """Returns how many rows a second the last finished run moved, data checks and verification included.

    A run that moves rejected rows looks for them one by one, so only another one of its kind tells its pace.
    """
    for run in reversed(list(finished.values())):
        if run.finished is None:
            continue
        tasks = await context.journal.tasks(new, run.id)
        if any(task.rejects_of for task in tasks) is not context.options.rejects_only:
            continue
        batches = await context.journal.batches(new, tasks, run.id)
        rows = sum(batch.read for batch in batches if batch.done)
        seconds = (run.finished - run.started).total_seconds()
        if rows >= ENOUGH_ROWS and seconds > 0:
            return float(rows / seconds)
    return None


async def read_sample(
    snapshot: Snapshot, job: Job, rows: Iterable[tuple[TablePlan, int]]
) -> ReadSample | None:
    """Returns how quickly OLD gives the rows of the largest flow, as the copy reads them. ``rows``: of each
    flow. None: it is too small to tell, or the rows cannot be read in this way.
    """
    plan, largest = max(rows, key=lambda one: one[1], default=(None, 0))
    if plan is None or largest < ENOUGH_ROWS:
        return None
    read = f"{select_for_people(plan, job.before(plan))}\nLIMIT {_SAMPLE}"
    try:
        async with snapshot.reader() as old:
            await old.execute(SAMPLE_TIMEOUT)
            began = time.monotonic()
            done = await old.copy_from_query(read, output=_discard)
            seconds = time.monotonic() - began
    except asyncpg.PostgresError:
        # A lookup of NEW is joined only by the copy, and an expression may raise: then nothing is measured.
        return None
    return ReadSample(plan.name or str(plan.old), int(done.split()[-1]), seconds)


async def _discard(_: bytes) -> None:
    """Takes what COPY sends, and leaves it."""
