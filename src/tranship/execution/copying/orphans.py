"""Rows that arrived while nobody checked foreign keys and whose parent did not: taken out of NEW and rejected, until every key is true."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from msgspec.structs import replace

from tranship.errors import Stopped
from tranship.errors.codes.stops import OrphansChanged, UntraceableOrphans
from tranship.execution.active_run import ActiveRun, Task, fence
from tranship.execution.copying.trace import trace
from tranship.execution.probe.records import fetch_records
from tranship.execution.resilience.failpoints import failpoint
from tranship.model.catalog import ForeignKey
from tranship.model.reasons import ParentNotThere
from tranship.model.verdict import Reject
from tranship.server.journal import BatchRow, RejectRow
from tranship.sql.new import orphans as sql_orphans
from tranship.sql.new import orphans as text
from tranship.sql.new import switches as sql_switches

LIMIT = 1000
"""Rows judged together."""


async def prove_keys(live: ActiveRun, new: asyncpg.Connection, tasks: Sequence[Task]) -> int:
    """Makes every foreign key of the tables true; the number of rows rejected for it.

    Raises:
        Stopped: a row without a parent cannot be traced back to its old row.
    """
    rejected, again = 0, True
    while again:
        again = False
        for task in tasks:
            table = live.context.job.after(task.plan)
            xids = [xid for row in task.done for xid in row.xids]
            own = [(table.name, key) for key in table.foreign_keys]
            for name, key in [
                *own,
                *((leaf.name, key) for leaf in table.partitions for key in leaf.foreign_keys),
            ]:
                checkable = key.enforced and not key.period and bool(xids)
                while checkable and (
                    found := await new.fetch(sql_orphans.orphans(name, key, xids, limit=LIMIT))
                ):
                    rejected += await _reject(live, new, task, key, found)
                    again = True
    await failpoint("keys.proven")
    return rejected


async def reread(live: ActiveRun, new: asyncpg.Connection, tasks: Sequence[Task]) -> None:
    """What the journal holds of finished batches and of rejects: a transaction whose answer was lost may have been committed."""
    rows = await live.context.journal.batches(new, await live.context.journal.tasks(new, live.run), live.run)
    for task in tasks:
        task.done[:] = [row for row in rows if row.done and row.position == task.position]
    known = {task.position: task.plan.flow for task in tasks}
    for reject in await live.context.journal.rejects(new, live.run):
        if reject.position in known:
            live.book.add(known[reject.position], reject.reject)


async def _reject(
    live: ActiveRun, new: asyncpg.Connection, task: Task, key: ForeignKey, found: Sequence[asyncpg.Record]
) -> int:
    """One transaction: the rows leave NEW, and stand among the rejects of their batches."""
    by_batch: dict[int, list[asyncpg.Record]] = {}
    batches = {xid & 0xFFFFFFFF: row for row in task.done for xid in row.xids}
    for record in found:
        by_batch.setdefault(batches[record["xmin"]].batch.number, []).append(record)
    traced = {
        number: await trace(live, new, task.plan, _batch(task, number).batch, records)
        for number, records in by_batch.items()
    }
    if any(len(traced[number]) != len(records) for number, records in by_batch.items()):
        raise Stopped(UntraceableOrphans(task.plan.new, len(found), key.target, key.name))
    reason = ParentNotThere(key.name, key.target)
    column = key.columns[0] if len(key.columns) == 1 else None
    async with new.transaction():
        await fence(live.worker, new)
        if task.facts.replica:
            await new.execute(sql_switches.REPLICA)
        moved = {
            number: [Reject(row, "23503", reason, column, key.name, rank=2) for row in sorted(rows)]
            for number, rows in traced.items()
        }
        for number, rejects in moved.items():
            await _move_out(live, new, task, number, rejects, by_batch[number])
    # Only what is committed is remembered: the transaction may be tried again.
    for number, rejects in moved.items():
        live.book.add_all(task.plan.flow, rejects)
        _shift(task, number, len(rejects))
    return len(found)


async def _move_out(
    live: ActiveRun,
    new: asyncpg.Connection,
    task: Task,
    number: int,
    rejects: Sequence[Reject],
    records: Sequence[asyncpg.Record],
) -> None:
    deleted = await new.execute(text.delete_rows(task.plan.new, [(r["relation"], r["id"]) for r in records]))
    if deleted != f"DELETE {len(records)}":
        raise Stopped(OrphansChanged(task.plan.new))
    async with live.snapshot.reader() as old:
        whole = [record async for record in fetch_records(old, live.context.job, task.plan, rejects)]
    rows = [
        RejectRow(
            task.position,
            number,
            reject,
            bytes(record.key) if record.key is not None else None,
            bytes(record.row),
        )
        for reject, record in zip(rejects, whole, strict=True)
    ]
    await live.context.journal.write_rejects(new, live.run, task.position, number, rows)
    await new.execute(live.context.journal.sql("shift_counts"), live.run, task.position, number, len(rows))


def _shift(task: Task, number: int, rows: int) -> None:
    """So many rows of a finished batch are rejects now."""
    at = next(n for n, row in enumerate(task.done) if row.batch.number == number)
    was = task.done[at]
    task.done[at] = replace(was, written=was.written - rows, rejected=was.rejected + rows)


def _batch(task: Task, number: int) -> BatchRow:
    return next(row for row in task.done if row.batch.number == number)
