"""Divides a batch that is too large in two: shorter transactions, less to lose, less to hold in memory.

The rows of each part are counted before, so the row-count invariant of each part is known, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from msgspec.structs import replace

from tranship.execution.active_run import FlowTask, WorkerContext
from tranship.execution.copying.isolate import Isolated, Line
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.server_errors import StreamBroken, is_transient, sqlstate
from tranship.execution.resilience.writer_lock import hold_epoch
from tranship.model.options import USUAL_BATCH
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.server.batch_bounds import SMALLEST_BATCH
from tranship.server.journal import Predicted, bound, old_columns
from tranship.sql.session import set_local

WHOLE_TRIES = 3
"""Tries of a batch before it is divided."""
RANGES_FROM = 140000
"""Server version of an OLD that reads a range of pages without reading the whole table."""
MOST_HELD = USUAL_BATCH
"""Rows of a batch that are held at a time while the refused ones among them are looked for."""
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
        and task.plan.shape.in_a_heap
        and batch.rows >= 2 * SMALLEST_BATCH
        and run.context.job.old.server_version >= RANGES_FROM
    )


async def divide(
    run: WorkerContext, task: FlowTask, batch: Batch, rows: int, new: asyncpg.Connection
) -> tuple[Batch, Batch] | None:
    """Journals both parts of a batch in one transaction, the first one with about ``rows`` rows, and returns
    them.

    A second call finds what the first one committed when its answer was lost. Returns None when the batch
    is done already, or cannot be divided.

    Raises:
        Stopped: another run took over.
    """
    journal = run.context.journal
    async with run.snapshot.reading() as old:
        cut = await old.boundary(task.plan, batch, rows)
    if cut is None:
        return None
    number = await journal.reserve_number(new, run.run, task.position)
    first, second = batch.divided(cut.at, cut.rows, number, cut.old)
    async with new.transaction():
        await new.execute(set_local("lock_timeout", "3s"))
        await hold_epoch(new, journal, run.run, run.epoch)
        place = (run.run, task.position, batch.number)
        end = (batch.rows, bound(cut.at), cut.rows, *old_columns(first.old))
        if await new.fetchval(journal.sql("shorten_batch"), *place, *end) is None:
            there = await journal.batch(new, run.run, task.position, batch.number, batch.flow)
            if there.done or there.batch.range.end != cut.at:
                return None
            rest = await journal.after(new, run.run, there)
            return (first, rest.batch) if rest is not None else None
        await journal.write_batches(new, run.run, {task.position: [second]})
    await failpoint("batch.divided")
    return first, second


async def few_to_hold(
    run: WorkerContext, task: FlowTask, batch: Batch, new: asyncpg.Connection
) -> list[Batch]:
    """Divides a batch into parts that have few enough rows to be held, and returns them, in order; the batch
    alone where it has few, or cannot be divided.

    Raises:
        Stopped: another run took over.
    """
    parts = [batch]
    while parts[-1].rows >= 2 * MOST_HELD and divisible(run, task, parts[-1]):
        divided = await divide(run, task, parts[-1], MOST_HELD, new)
        if divided is None:
            break
        parts[-1:] = divided
    return parts


async def with_old_rows(
    run: WorkerContext, plan: TablePlan, parts: tuple[Batch, Batch]
) -> tuple[Batch, Batch]:
    """Returns both parts of a batch with the old rows of each.

    Raises:
        StreamBroken: a part does not hold the rows that were counted.
    """
    if plan.shape.one_row_each:
        return parts
    async with run.snapshot.reading() as old:
        counted = [await old.counted(plan, part) for part in parts]
    for part, (rows, _) in zip(parts, counted, strict=True):
        if rows != part.rows:
            raise StreamBroken(f"{plan.flow} batch {part.number}: {part.rows} rows, {rows} in its range")
    first, second = (replace(part, old=old_) for part, (_, old_) in zip(parts, counted, strict=True))
    return first, second


def reached(
    batch: Batch, predicted: Predicted, lines: Sequence[Line], result: Isolated, number: int
) -> tuple[Batch, Batch | None]:
    """Returns the part of a batch that its transaction reached, and the part that it did not (None: it
    reached all).
    """
    if result.taken == len(lines):
        return batch, None
    first = lines[result.taken].row.address
    rows = len(lines) - result.taken + sum(row.address >= first for row in predicted.rows)
    return batch.divided(first, batch.rows - rows, number)
