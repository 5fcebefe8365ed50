"""Rows that are merged into a row which NEW refused when it was written: they are rejected with it."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from msgspec.structs import replace

from tranship.execution.active_run import ActiveRun, Task, fence
from tranship.execution.copying.reject_rows import reject_rows
from tranship.model.reasons import SurvivorRejected
from tranship.model.verdict import Reject
from tranship.server.journal import BatchRow


async def reject_merged(live: ActiveRun, task: Task, new: asyncpg.Connection) -> None:
    """Counts rows as rejected whose survivors turned out to be refused, after all batches of a flow.

    Raises:
        Stopped: another run took over.
    """
    if not task.plan.may_merge:
        return
    late = await _late(live, task, new)
    if not late:
        return
    mine = {row.batch.number: [one for one in late if one.row in row.batch] for row in task.done}
    async with new.transaction():
        await fence(live.worker, new)
        for number in (number for number, some in mine.items() if some):
            await _move(live, new, task, number, mine[number])
    # Only what is committed is remembered: the transaction may be tried again.
    task.done[:] = [_moved(row, len(mine[row.batch.number])) for row in task.done]


async def _late(live: ActiveRun, task: Task, new: asyncpg.Connection) -> list[Reject]:
    """Returns the rejects of merged rows that the journal does not have yet, in row order."""
    told = {
        row.reject.row
        async for row in live.context.journal.rejects(new, live.run)
        if row.position == task.position
    }
    rejects = live.book.rejected(task.plan.flow).values()
    late = (one for one in rejects if isinstance(one.reason, SurvivorRejected) and one.row not in told)
    return sorted(late, key=lambda one: one.row)


async def _move(
    live: ActiveRun, new: asyncpg.Connection, task: Task, number: int, rejects: Sequence[Reject]
) -> None:
    """Enters rows of one batch among its rejects."""
    journal = live.context.journal
    async with live.snapshot.reader() as old:
        rows = reject_rows(old, live.context.job, task.facts, number, rejects)
        await journal.write_rejects(new, live.run, task.position, number, rows)
    await new.execute(journal.sql("shift_merged"), live.run, task.position, number, len(rejects))


def _moved(row: BatchRow, rows: int) -> BatchRow:
    return replace(row, merged=row.merged - rows, rejected=row.rejected + rows)
