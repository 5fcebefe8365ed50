"""What a process remembers is worth nothing: NEW says what it holds. Asked whenever a connection to NEW had to be made again.

A server that crashed with ``synchronous_commit`` off, or a standby that took its place, comes back without the last transactions.
Whoever went on then would reject the children of parents that are gone.
"""

from __future__ import annotations

import asyncpg

from tranship.errors import Stopped
from tranship.errors.codes.stops import CommittedRowsLost
from tranship.execution.active_run import ActiveRun, Task


async def check_kept(live: ActiveRun, new: asyncpg.Connection) -> None:
    """Everything that this process saw committed is there.

    Raises:
        Stopped: it is not; the next run goes on from what is.
    """
    sql = live.context.journal.sql
    ended = [task.position for task in live.tasks if task.finished]
    done = [(row.position, row.batch.number) for task in live.tasks for row in task.done]
    lost = await new.fetchval(sql("lost_batches"), live.run, [p for p, _ in done], [n for _, n in done])
    lost += await new.fetchval(sql("lost_ends"), live.run, ended)
    if lost:
        raise _lost(live, f"{lost} of the transactions that it had committed")


async def check_complete(live: ActiveRun, new: asyncpg.Connection, task: Task) -> None:
    """The journal has every batch of a table done, with the counts that this process has; inside the transaction that ends the table.

    Raises:
        Stopped: it has not.
    """
    row = await new.fetchrow(live.context.journal.sql("sums"), live.run, task.position)
    if row["open"] or (row["read"], row["written"], row["rejected"]) != task.counts:
        raise _lost(live, f"batches of {task.plan.flow} that it had committed")


def _lost(live: ActiveRun, what: str) -> Stopped:
    return Stopped(CommittedRowsLost(live.run, what))
