"""The marks of what is done: a table with all its rows, and the run."""

from __future__ import annotations

import asyncpg

from tranship.execution.active_run import ActiveRun, Task, fence
from tranship.execution.copying.counted import check_counted
from tranship.execution.copying.durability import check_complete
from tranship.execution.resilience.connection import Session
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.time_spent import question
from tranship.server.journal import RunStatus


async def end_task(live: ActiveRun, task: Task, new: asyncpg.Connection) -> None:
    """Marks a table done.

    Its rows are counted with those of all tables at the end of the run; here, too, where a crash of NEW's
    server empties the table, so that the run does not go on for hours after one.

    Raises:
        Stopped: another run took over, or NEW does not hold every batch, or the rows of an UNLOGGED table.
    """
    async with new.transaction():
        await fence(live.worker, new)
        await check_complete(live, new, task)
        if task.relation is None or not task.relation.lasting:
            with question(f"count {task.plan.new}"):
                await check_counted(live, new, [t for t in live.tasks if t.plan.new == task.plan.new])
        await new.execute(live.context.journal.sql("end_task"), live.run, task.position)


async def finish(live: ActiveRun, session: Session) -> None:
    """Marks the run finished, if it is still ours."""

    async def once(new: asyncpg.Connection) -> None:
        async with new.transaction():
            await fence(live.worker, new)
            await new.execute(live.context.journal.sql("end_run"), live.run, live.epoch, RunStatus.FINISHED)

    await session.work("the end of the run", once)
    await failpoint("run.finished")
