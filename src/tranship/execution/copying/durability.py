"""Checks, after a reconnect, that NEW still holds every transaction which this process saw committed.

A failover, or a crash with ``synchronous_commit`` off, can lose the last ones. A run that went on would
reject the children of parents that are gone.
"""

from __future__ import annotations

import asyncpg

from tranship.errors import Stopped
from tranship.errors.codes.stops import CommittedRowsLost
from tranship.execution.active_run import ActiveRun, Counts, Task


async def check_kept(live: ActiveRun, new: asyncpg.Connection) -> None:
    """Checks that everything which this process saw committed is there.

    Raises:
        Stopped: some of it is not; the next run resumes from what is there.
    """
    sql = live.context.journal.sql
    ended = [task.position for task in live.tasks if task.finished]
    done = [(row.position, row.batch.number) for task in live.tasks for row in task.done]
    lost = await new.fetchval(sql("lost_batches"), live.run, [p for p, _ in done], [n for _, n in done])
    lost += await new.fetchval(sql("lost_ends"), live.run, ended)
    if lost:
        raise _lost(live, f"{lost} of the transactions that it had committed")


async def check_complete(live: ActiveRun, new: asyncpg.Connection, task: Task) -> None:
    """Checks, in the transaction that ends a table, that the journal has the same counts as this process.

    Raises:
        Stopped: a batch is open, or the counts differ.
    """
    row = await new.fetchrow(live.context.journal.sql("sums"), live.run, task.position)
    if row["open"] or tuple(row[name] for name in Counts._fields) != task.counts:
        raise _lost(live, f"batches of {task.plan.flow} that it had committed")


def _lost(live: ActiveRun, what: str) -> Stopped:
    return Stopped(CommittedRowsLost(live.run, what))
