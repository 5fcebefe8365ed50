"""Divides a batch that is too large in two: shorter transactions, less to lose, less to hold in memory.

The rows of each part are counted before, so the row-count invariant of each part is known, too.
"""

from __future__ import annotations

import asyncpg

from tranship.execution.active_run import FlowTask, WorkerContext
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.server_errors import is_transient, sqlstate
from tranship.execution.resilience.writer_lock import hold_epoch
from tranship.model.progress import Batch
from tranship.server.cut import SMALLEST_BATCH
from tranship.server.journal import bound
from tranship.sql.session import set_local

WHOLE_TRIES = 3
"""Tries of a batch before it is divided."""
RANGES_FROM = 140000
"""Server version of an OLD that reads a range of pages without reading the whole table."""
_LOCKS = ("40001", "40P01", "55P03")
"""Locks and deadlocks: a smaller batch would wait for the same sessions."""


def smaller_may_pass(error: BaseException) -> bool:
    """Returns whether half of a batch may succeed: it was cancelled, cut off or out of memory."""
    state = sqlstate(error)
    return state == "53200" or (is_transient(error) and state not in _LOCKS)


def divisible(run: WorkerContext, task: FlowTask, batch: Batch) -> bool:
    """Returns whether the range of a batch can be cut and nothing needs its rows in one piece."""
    in_one_piece = task.whole_keys or task.ordered_stream or run.rehearsal is not None
    return (
        not in_one_piece
        and batch.rows >= 2 * SMALLEST_BATCH
        and run.context.job.old.server_version >= RANGES_FROM
    )


async def divide(
    run: WorkerContext, task: FlowTask, batch: Batch, rows: int, new: asyncpg.Connection
) -> tuple[Batch, Batch] | None:
    """Journals both parts of a batch in one transaction, the first one with ``rows`` rows, and returns them.

    A second call finds what the first one committed when its answer was lost. Returns None when the batch
    is done already.

    Raises:
        Stopped: another run took over.
    """
    journal = run.context.journal
    async with run.snapshot.reading() as old:
        at = await old.boundary(task.plan, batch, rows)
    number = await journal.reserve_number(new, run.run, task.position)
    first, second = batch.divided(at, rows, number)
    async with new.transaction():
        await new.execute(set_local("lock_timeout", "3s"))
        await hold_epoch(new, journal, run.run, run.epoch)
        place = (run.run, task.position, batch.number)
        if await new.fetchval(journal.sql("shorten_batch"), *place, batch.rows, bound(at), rows) is None:
            there = await journal.batch(new, run.run, task.position, batch)
            if there.done or there.batch.range.end != at:
                return None
            rest = await journal.after(new, run.run, there)
            return (first, rest.batch) if rest is not None else None
        await journal.write_batches(new, run.run, task.position, [second])
    await failpoint("batch.divided")
    return first, second
