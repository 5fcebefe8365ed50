"""The marks of what is done: a table with all its rows, and the run."""

from __future__ import annotations

import asyncpg

from tranship.execution.active_run import ActiveRun, Task, fence
from tranship.execution.copying.counted import check_counted
from tranship.execution.copying.durability import check_complete
from tranship.execution.resilience.connection import Session
from tranship.execution.resilience.failpoints import failpoint
from tranship.server.journal import RunStatus


async def end_task(live: ActiveRun, task: Task, new: asyncpg.Connection) -> None:
    """Marks a table done.

    Raises:
        Stopped: another run took over, or NEW does not hold every batch and its rows.
    """
    async with new.transaction():
        await fence(live.worker, new)
        await check_complete(live, new, task)
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
