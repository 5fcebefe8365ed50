"""Rejects rows whose parent did not arrive, after a load during which no foreign key was checked.

They are taken out of NEW until every key is true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import asyncpg
from msgspec.structs import replace

from tranship.errors import Stopped
from tranship.errors.codes.stops import OrphansChanged, OthersRefer, UntraceableOrphans
from tranship.execution.active_run import ActiveRun, Task, fence
from tranship.execution.copying.reject_rows import reject_rows
from tranship.execution.copying.trace import trace
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.lookups import settled
from tranship.execution.probe.parents import Parents
from tranship.execution.probe.reject_book import Book
from tranship.execution.proof.compare import in_zone
from tranship.execution.proof.expected import held_values, sums_of
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.switches.triggers_and_keys import DELETE, Firing, acting
from tranship.model.catalog import ForeignKey, Table
from tranship.model.digest import Sums
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.progress import Batch
from tranship.model.reasons import ParentNotThere
from tranship.model.verdict import Reject
from tranship.server.journal import BatchRow, hashes
from tranship.sql.foreign_keys import Ends
from tranship.sql.new import orphans as sql_orphans
from tranship.sql.new import switches as sql_switches
from tranship.sql.new.digest import sums_at
from tranship.sql.new.transactions import named_to_read

LIMIT = 1000
"""Rows that one transaction takes out of NEW."""


class NoticedDelete(Exception):
    """Triggers or rules of NEW would act on rows that leave again; they can be disabled."""

    def __init__(self, firing: tuple[Firing, ...]) -> None:
        super().__init__("triggers or rules on DELETE")
        self.firing = firing


async def prove_keys(live: ActiveRun, new: asyncpg.Connection, tasks: Sequence[Task]) -> int:
    """Makes every foreign key of the tables true. Returns the number of rows rejected for it.

    Raises:
        NoticedDelete: something has to be disabled first.
        Stopped: a row without a parent cannot be traced back to its old row, or rows of others refer to it.
    """
    rejected = 0
    # A row that is taken out may be the parent of another one, so the keys are proven again until none is
    # broken.
    while found := sum([await _prove_table(live, new, task) for task in tasks]):
        rejected += found
    await failpoint("keys.proven")
    return rejected


async def _prove_table(live: ActiveRun, new: asyncpg.Connection, task: Task) -> int:
    """Rejects the rows of one table whose parent is missing. Returns their number."""
    rejected = 0
    xids = _transactions([task])
    for name, key in _keys(live.context.job.after(task.plan)):
        if not key.enforced or not xids:
            continue
        if key.name in task.plan.tolerating:
            rejected += await _prove_tolerated(live, new, task, key)
            continue
        statement = sql_orphans.orphans(_ends(live, name, key), key, xids, limit=LIMIT)
        while found := await new.fetch(statement):
            rejected += await _reject(live, new, task, key, found)
    return rejected


async def _prove_tolerated(live: ActiveRun, new: asyncpg.Connection, task: Task, key: ForeignKey) -> int:
    """Rejects the rows of one table whose parent is missing in NEW and not in OLD. Returns their number."""
    async with live.snapshot.reader(task.plan.zone) as old:
        derived = Derived(live.context.job, old, new, Book(), settled)
        parents = Parents(live.context.job, derived, Book(), settled, live=True)
        kept = await parents.tolerated(task.plan, key)
    ends = _ends(live, task.plan.new, key)
    found = await new.fetch(sql_orphans.orphans(ends, key, _transactions([task]), limit=None))
    if len(found) == len(kept - live.book.not_copied(task.plan.flow)):
        # A row that OLD holds without a parent has none in NEW, either: they are the same rows.
        return 0
    wrong = [
        record
        for number, records in _by_batch(task, found).items()
        for record in await _not_kept(live, new, task, _batch(task, number).batch, records, kept)
    ]
    return await _reject(live, new, task, key, wrong) if wrong else 0


async def _not_kept(
    live: ActiveRun,
    new: asyncpg.Connection,
    task: Task,
    batch: Batch,
    records: Sequence[asyncpg.Record],
    kept: AbstractSet[Locator],
) -> list[asyncpg.Record]:
    """Returns those of some rows of NEW that were not made of old rows which are kept.

    Halves are traced until each is of one kind, since a trace tells the old rows and not which is whose.
    """
    rows = set(await trace(live, new, task.plan, batch, records))
    if len(rows) == len(records) and rows <= kept:
        return []
    if len(records) == 1 or (len(rows) == len(records) and rows.isdisjoint(kept)):
        return list(records)
    middle = len(records) // 2
    found = [
        await _not_kept(live, new, task, batch, part, kept) for part in (records[:middle], records[middle:])
    ]
    return [record for part in found for record in part]


def _ends(live: ActiveRun, child: TableName, key: ForeignKey) -> Ends:
    new = live.context.job.new
    return Ends(named_to_read(new, child), named_to_read(new, key.target))


def _keys(table: Table) -> list[tuple[TableName, ForeignKey]]:
    """Returns the foreign keys of a table and of its partitions, each with the relation that has it."""
    own = [(table.name, key) for key in table.foreign_keys]
    return own + [(leaf.name, key) for leaf in table.partitions for key in leaf.foreign_keys]


async def reread(live: ActiveRun, new: asyncpg.Connection, tasks: Sequence[Task]) -> None:
    """Reads finished batches and rejects from the journal again.

    A transaction whose answer was lost may have been committed.
    """
    rows = await live.context.journal.batches(new, await live.context.journal.tasks(new, live.run), live.run)
    for task in tasks:
        task.done[:] = [row for row in rows if row.done and row.position == task.position]
    known = {task.position: task.plan.flow for task in tasks}
    async for reject in live.context.journal.rejects(new, live.run):
        if reject.position in known:
            live.book.add(known[reject.position], reject.reject)


async def _reject(
    live: ActiveRun, new: asyncpg.Connection, task: Task, key: ForeignKey, found: Sequence[asyncpg.Record]
) -> int:
    """Takes rows out of NEW and enters them among the rejects of their batches, in one transaction."""
    by_batch = _by_batch(task, found)
    rejects = await _traced(live, new, task, key, by_batch)
    if sum(map(len, rejects.values())) != len(found):
        raise Stopped(UntraceableOrphans(task.plan.new, len(found), key.target, key.name))
    async with new.transaction():
        await fence(live.worker, new)
        await _refuse_noticed(live, new, task, found)
        if live.replica:
            await new.execute(sql_switches.REPLICA)
        gone = {
            number: await _move_out(live, new, task, number, mine, by_batch[number])
            for number, mine in rejects.items()
        }
        if live.replica and not task.facts.replica:
            # In a rehearsal the transaction goes on, and the next tables need their foreign keys.
            await new.execute(sql_switches.ORIGIN)
    # Only what is committed is remembered: the transaction may be tried again.
    for number, mine in rejects.items():
        live.book.add_all(task.plan.flow, mine)
        _shift(task, number, gone[number])
    return len(found)


async def _refuse_noticed(
    live: ActiveRun, new: asyncpg.Connection, task: Task, found: Sequence[asyncpg.Record]
) -> None:
    """Looks whether somebody would notice that these rows leave.

    Raises:
        NoticedDelete: triggers or rules would act on them, and this role may disable these.
        Stopped: rows of others refer to them.
    """
    table = live.context.job.after(task.plan)
    await new.execute(sql_switches.keep_triggers_out(table.name))
    noticing = await acting(new, table, DELETE, replica=live.replica)
    # The others were named before the run.
    if mine := tuple(one for one in noticing if one.owned):
        raise NoticedDelete(mine)
    await _refuse_referred_to(live, new, table, _places(found))


async def _refuse_referred_to(
    live: ActiveRun, new: asyncpg.Connection, table: Table, places: Sequence[sql_orphans.Place]
) -> None:
    """Looks for rows of others that refer to rows of a table at these places.

    The server would delete or change them, too, or, where it does not look, leave them without a parent.

    Raises:
        Stopped: there are some.
    """
    relations = {table.name, *(leaf.name for leaf in table.partitions)}
    for child in live.context.job.new.tables:
        keys = [(name, k) for name, k in _keys(child) if k.target in relations and k.enforced]
        xids = _transactions([task for task in live.tasks if task.plan.new == child.name])
        for name, key in keys:
            statement = sql_orphans.children_of_others(_ends(live, name, key), key, places, xids)
            others = await new.fetchval(statement)
            if others:
                raise Stopped(OthersRefer(name, others, key.target, key.name))


def _transactions(tasks: Sequence[Task]) -> list[int]:
    return [xid for task in tasks for row in task.done for xid in row.xids]


def _places(found: Sequence[asyncpg.Record]) -> list[sql_orphans.Place]:
    return [(record["relation"], record["id"]) for record in found]


def _by_batch(task: Task, found: Sequence[asyncpg.Record]) -> dict[int, list[asyncpg.Record]]:
    """Returns rows of NEW by the number of the batch whose transaction wrote them."""
    # A row shows the lower 32 bits of its transaction id; the journal has all 64.
    batches = {xid & 0xFFFFFFFF: row.batch.number for row in task.done for xid in row.xids}
    by_batch: dict[int, list[asyncpg.Record]] = {}
    for record in found:
        by_batch.setdefault(batches[record["xmin"]], []).append(record)
    return by_batch


async def _traced(
    live: ActiveRun,
    new: asyncpg.Connection,
    task: Task,
    key: ForeignKey,
    by_batch: Mapping[int, Sequence[asyncpg.Record]],
) -> dict[int, list[Reject]]:
    """Returns the rejects of the old rows behind rows of NEW, by batch; fewer when some cannot be found."""
    reason = ParentNotThere(key.name, key.target)
    column = key.columns[0] if len(key.columns) == 1 else None
    rejects: dict[int, list[Reject]] = {}
    for number, records in by_batch.items():
        rows = await trace(live, new, task.plan, _batch(task, number).batch, records)
        rejects[number] = [Reject(row, "23503", reason, column, key.name, rank=2) for row in sorted(rows)]
    return rejects


async def _move_out(
    live: ActiveRun,
    new: asyncpg.Connection,
    task: Task,
    number: int,
    rejects: Sequence[Reject],
    records: Sequence[asyncpg.Record],
) -> Sums:
    """Takes rows of one batch out of NEW and journals them as rejects. Returns the sums over them."""
    places = _places(records)
    sums = await _sums_at(live, new, task, places)
    deleted = await new.execute(sql_orphans.delete_rows(task.plan.new, places))
    if deleted != f"DELETE {len(records)}":
        raise Stopped(OrphansChanged(task.plan.new))
    async with live.snapshot.reader() as old:
        rows = reject_rows(old, live.context.job, task.facts, number, rejects)
        await live.context.journal.write_rejects(new, live.run, task.position, number, rows)
    counts = (len(rejects), *hashes(sums))
    await new.execute(live.context.journal.sql("shift_counts"), live.run, task.position, number, *counts)
    return sums


async def _sums_at(
    live: ActiveRun, new: asyncpg.Connection, task: Task, places: Sequence[sql_orphans.Place]
) -> Sums:
    """Returns the sums over rows of NEW that are about to leave; none where the run hashes nothing."""
    hashing, job = live.worker.hashing, live.context.job
    if hashing is None:
        return Sums(len(places))
    await in_zone(new, task.plan)
    query = sums_at(job.after(task.plan), held_values(job, task.plan, "t"), hashing.form(job.new), places)
    return sums_of(await new.fetchrow(query))


def _shift(task: Task, number: int, gone: Sums) -> None:
    """Counts rows of a finished batch as rejected instead of written."""
    at = next(n for n, row in enumerate(task.done) if row.batch.number == number)
    was = task.done[at]
    left = was.sums - gone if was.sums is not None else None
    task.done[at] = replace(
        was, written=was.written - gone.rows, rejected=was.rejected + gone.rows, sums=left
    )


def _batch(task: Task, number: int) -> BatchRow:
    return next(row for row in task.done if row.batch.number == number)
