"""A batch that is too large is moved in two: shorter transactions, less to lose, less to hold in memory.

Its number of rows is known before, so the equation of each part is, too.
"""

from __future__ import annotations

import asyncpg

from tranship.execution.active_run import ActiveRun, Task
from tranship.execution.probe.cut import SMALLEST_BATCH
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.server_errors import passes, sqlstate
from tranship.execution.resilience.writer_lock import hold_epoch
from tranship.model.progress import Batch
from tranship.server.journal import bound
from tranship.sql.ctid import parse
from tranship.sql.old.batch import middle
from tranship.sql.session import set_local

WHOLE_TRIES = 3
"""Tries of a batch before it is divided."""
RANGES_FROM = 140000
"""Server version of an OLD that reads a range of pages without reading the whole table."""
_LOCKS = ("40001", "40P01", "55P03")
"""Others stood in the way: a smaller batch would meet them, too."""


def smaller_may_pass(error: BaseException) -> bool:
    """A transaction that was cancelled, cut off or out of memory; half of it may be quick or small enough."""
    state = sqlstate(error)
    return state == "53200" or (passes(error) and state not in _LOCKS)


def divisible(live: ActiveRun, task: Task, batch: Batch) -> bool:
    """Whether its rows lie in a range that can be cut, and nothing wants them in one piece."""
    in_one_piece = task.whole_keys or task.findings.ordered_stream or live.rehearsal is not None
    return (
        not in_one_piece
        and batch.rows >= 2 * SMALLEST_BATCH
        and live.context.job.old.server_version >= RANGES_FROM
    )


async def divide(
    live: ActiveRun, task: Task, batch: Batch, rows: int, number: int, new: asyncpg.Connection
) -> tuple[Batch, Batch] | None:
    """Journals both parts in one transaction, the first with so many ``rows``; None: the batch is done already, whatever its last try heard.

    ``number`` is the second part's. Called again with the same one it finds what an earlier call committed without hearing so.

    Raises:
        Stopped: another run took over.
    """
    async with live.snapshot.reader() as old:
        at = parse(await old.fetchval(middle(task.plan, batch, rows)))
    first, second = batch.divided(at, rows, number)
    async with new.transaction():
        await new.execute(set_local("lock_timeout", "3s"))
        await hold_epoch(new, live.context.journal, live.run, live.epoch)
        place = (live.run, task.position, batch.number)
        if (
            await new.fetchval(live.context.journal.sql("shorten_batch"), *place, batch.rows, bound(at), rows)
            is None
        ):
            there = await live.context.journal.batch(new, live.run, task.position, batch)
            return (first, second) if not there.done and there.batch.range.end == at else None
        await live.context.journal.write_batches(new, live.run, task.position, [second])
    await failpoint("batch.divided")
    return first, second
