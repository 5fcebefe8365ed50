"""Rejects as the journal keeps them: each with the whole old row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import asyncpg
from msgspec.structs import replace

from tranship.execution.active_run import FIRST_REJECTS, FlowTask, WorkerContext
from tranship.execution.context import Job
from tranship.execution.probe.records import whole_rows_of
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.results.shown_key import shown_key
from tranship.model.progress import Batch
from tranship.model.verdict import Reject
from tranship.server.journal import RejectRow


async def reject_rows(
    old: asyncpg.Connection, job: Job, task: FlowTask, batch: int, rejects: Sequence[Reject]
) -> AsyncIterator[RejectRow]:
    """Yields the rejects of one batch with their old rows, in row order. Few are read ahead, since each may
    be large.
    """
    ordered = sorted(rejects, key=lambda reject: reject.row)
    async for reject, key, whole in whole_rows_of(old, job, task.plan, ordered):
        row = RejectRow(task.position, batch, reject, key, whole)
        del whole
        yield row
        del row


async def write_rejects(
    run: WorkerContext,
    old: asyncpg.Connection,
    new: asyncpg.Connection,
    task: FlowTask,
    batch: Batch,
    rejects: Sequence[Reject],
) -> list[RejectRow]:
    """Journals the rejects of a batch with their old rows, inside its transaction. Returns the first ones
    without these, under the keys by which people are told of them.
    """
    if not rejects:
        return []
    first: list[RejectRow] = []
    after = run.context.job.after(task.plan)

    async def remembered() -> AsyncIterator[RejectRow]:
        async for row in reject_rows(old, run.context.job, task, batch.number, rejects):
            if len(first) < FIRST_REJECTS:
                # Old rows may be large, and whoever is told of the first ones is told their keys.
                key = shown_key(task.plan, after, row.key, row.row)
                first.append(replace(row, key=key.encode() if key else None, row=b""))
            yield row

    await run.context.journal.write_rejects(new, run.run, task.position, batch.number, remembered())
    await failpoint("batch.rejects")
    return first
