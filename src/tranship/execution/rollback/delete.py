"""Taking rows back: exactly those whose xmin is a transaction of the run, everything else is left. In pieces, each committed by itself:

from the first piece on the journal says that the tables are on their way out, and whoever comes next ends that first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import asyncpg
from msgspec import Struct

from tranship.errors import Refused, Stopped
from tranship.errors.codes.runs import (
    CopiedServer,
    MayNotDelete,
    NoReplicaIdentity,
    ReferredTo,
    TooManyTransactions,
)
from tranship.errors.codes.stops import ChildrenCame, RollbackFailed, RollbackStopped
from tranship.execution.resilience.connection import PlainSession
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.stop_reasons import cure
from tranship.execution.resilience.writer_lock import hold_epoch
from tranship.execution.switches.switch_board import LOCK_TIMEOUT, SwitchBoard
from tranship.execution.switches.triggers_and_keys import DELETE, Switches, firing, may_be_replica
from tranship.model.catalog import Catalog, Table
from tranship.model.catalog_codes import FIRES_AS_ORIGIN, FIRES_AS_REPLICA, RelationKind
from tranship.model.names import TableName
from tranship.model.progress import Noted
from tranship.model.visible import pasteable
from tranship.planning.plan.order import children_first
from tranship.server.identity import read_identity
from tranship.server.journal import BatchRow, Journal, Run, TaskRow
from tranship.server.trouble import DATABASE_TROUBLE, spoken
from tranship.sql import session as statements
from tranship.sql.new import rollback as takeback
from tranship.sql.new import switches as sql_switches
from tranship.sql.queries import query
from tranship.sql.quote import ident, relation

WRAP = 2**31
"""Transactions after which the 32 bits of a xmin no longer prove whose row it is."""
PIECE = 4096
"""Pages of a table that one transaction looks through: 32 MB."""
RANGES_FROM = 140000
"""Server version that reads a range of pages without reading the whole table (PostgreSQL 14 release notes, "TID Range Scan")."""
LISTED = 100
"""Rows of others that are named per table."""


class Written(Struct, frozen=True):
    """What a run wrote into one table of NEW."""

    task: TaskRow
    rows: int
    """By the journal; without those that an interrupted take-back deleted already."""
    xids: tuple[int, ...]
    found: int = 0
    """Rows that still carry one of the transactions; fewer than ``rows``: others changed or deleted some since."""
    age: int = 0
    """Transactions since the oldest of them."""


async def written(
    new: asyncpg.Connection, journal: Journal, run: Run, wanted: Callable[[TaskRow], bool] = lambda _: True
) -> tuple[Written, ...]:
    """Per wanted table what the run wrote and what of it is still as it was; tables in plan order.

    Raises:
        Refused: a xmin proves nothing: too many transactions ran since, or rows and journal were copied here from another server.
    """
    if run.new_identity.partition("/")[0] != (await read_identity(new)).system:
        raise Refused(CopiedServer())
    tasks = await journal.tasks(new, run.id)
    batches = [b for b in await journal.batches(new, tasks, run.id) if b.xids]
    current = await new.fetchval(statements.CURRENT_XID)
    # The first of a batch is its own, of 64 bits and older than those of its savepoints, of which 32 bits are known.
    oldest = min((b.xids[0] for b in batches), default=current)
    if current - oldest > WRAP:
        raise Refused(TooManyTransactions(run.id))
    found = []
    for task in tasks:
        if not wanted(task):
            continue
        mine: Sequence[BatchRow] = [b for b in batches if b.position == task.position]
        xids = tuple(xid for b in mine for xid in b.xids)
        count = await new.fetchval(takeback.count_ours(task.flow.new, xids)) if xids else 0
        rows = sum(b.written for b in mine)
        found.append(Written(task, rows, xids, count, current - oldest))
    return tuple(found)


async def rows_of_others(
    new: asyncpg.Connection, catalog: Catalog, mine: Written
) -> tuple[dict[str, str], ...]:
    """Keys of the first rows that others wrote or changed since the run's first transaction; none where the table has no key to name them by."""
    table = catalog.table(mine.task.flow.new)
    key = table.order_key if table is not None else ()
    if not key or not mine.xids:
        return ()
    rows = await new.fetch(takeback.written_since(mine.task.flow.new, key, mine.xids, mine.age, LISTED))
    return tuple(dict(zip(key, row["key"], strict=True)) for row in rows)


@dataclass(frozen=True)
class RollbackContext:
    """What every step of a rollback is given."""

    journal: Journal
    run: Run
    """The run whose rows go; ``run.epoch`` is ours."""
    catalog: Catalog
    """That of NEW."""
    tell: Callable[[Noted], None]
    stop: asyncio.Event
    """Once set, the rollback ends after the piece in hand."""


async def roll_back(new: asyncpg.Connection, context: RollbackContext, tables: Sequence[Written]) -> int:
    """Deletes the rows of a run, what refers to others first, and marks their batches as to do again; returns the number of rows.

    Raises:
        Refused: this role may not delete them, or nobody may, or rows that others wrote refer to them.
        Stopped: another run took over, a person asked, or the connection broke; whoever comes next goes on.
    """
    _refuse_without_rights(context.catalog, tables)
    await _refuse_undeletable(new, context.catalog, tables)
    await _refuse_children(new, context.catalog, tables)
    try:
        return await _RollingBack(new, context, tables).run()
    except DATABASE_TROUBLE as error:
        raise broken_off(context.run, error) from error


def broken_off(run: Run, error: Exception) -> Stopped:
    """What a take-back raises that a server or the network ended."""
    return Stopped(RollbackFailed(run.id, spoken(error), cure(error)))


class _RollingBack:
    """One take-back: every step is a transaction that another run's epoch forbids."""

    def __init__(self, new: asyncpg.Connection, context: RollbackContext, tables: Sequence[Written]) -> None:
        self._new, self._journal, self._run = new, context.journal, context.run
        self._session = PlainSession(new, context.tell)
        self._catalog = context.catalog
        self._tables = tables
        self._tell = context.tell
        self._stop = context.stop
        self._names = dict.fromkeys(w.task.flow.new for w in tables if w.xids)
        self._replica = False

    async def run(self) -> int:
        """All tables; the number of rows deleted."""
        positions = [w.task.position for w in self._tables]
        await self._step(lambda: self._begin(positions))
        await failpoint("rollback.begun")
        self._replica = await may_be_replica(self._new)
        fence = partial(hold_epoch, journal=self._journal, run=self._run.id, epoch=self._run.epoch)
        board = SwitchBoard(self._journal, self._run.id, None, self._tell, fence=fence)
        deleted = 0
        try:
            # Each row that goes asks its children by their foreign key: without an index one pass over the table a row.
            for undo in await board.removed_indexes(self._session):
                await board.rebuild(self._session, undo)
            await board.off(self._session, await self._switches(), keys=False)
            held = [table for name in self._names if (table := self._catalog.table(name)) is not None]
            for together in children_first(held):
                deleted += await self._delete(together)
        finally:
            await board.on(self._session)
        if self._replica:
            await self._refuse_parentless()
        await self._step(lambda: self._end(positions))
        await failpoint("rollback.done")
        return deleted

    async def _refuse_parentless(self) -> None:
        """Under ``session_replication_role = replica`` no foreign key looks: others may have written children of rows that are gone now.

        Raises:
            Stopped: they did, and until it is put right.
        """
        for child in self._catalog.tables:
            for key in child.foreign_keys:
                if key.target not in self._names or not key.enforced or key.period:
                    continue
                count = await self._new.fetchval(takeback.parentless(child.name, key))
                if count:
                    raise Stopped(ChildrenCame(child.name, count, key.target, key.name))

    async def _begin(self, positions: Sequence[int]) -> int:
        sql = self._journal.sql
        await self._new.execute(sql("roll_back_batches"), self._run.id, positions)
        await self._new.execute(sql("roll_back_tasks"), self._run.id, positions)
        await self._new.execute(sql("roll_back_run"), self._run.id)
        return 0

    async def _end(self, positions: Sequence[int]) -> int:
        for position in positions:
            await self._new.execute(self._journal.sql("rolled_back_table"), self._run.id, position)
            await self._new.execute(self._journal.sql("forget_rejects"), self._run.id, position)
        return 0

    async def _switches(self) -> Switches:
        triggers = [
            t
            for name in self._names
            if (table := self._catalog.table(name)) is not None
            for t in await firing(self._new, table, DELETE)
        ]
        return Switches(
            replica=self._replica,
            disable=tuple(
                t for t in triggers if t.state in (FIRES_AS_REPLICA if self._replica else FIRES_AS_ORIGIN)
            ),
        )

    async def _delete(self, together: Sequence[Table]) -> int:
        """The rows of one table piece by piece, those of tables that refer to each other (or to themselves) in one statement."""
        mine = [w for table in together for w in self._tables if w.task.flow.new == table.name and w.xids]
        first = together[0]
        circle = len(together) > 1 or any(key.target == first.name for key in first.every_foreign_key)
        leaves = _leaves(first)
        if circle or leaves is None or self._catalog.server_version < RANGES_FROM:
            return await self._step(partial(self._delete_together, mine), rows_of=first.name)
        deleted = 0
        for w in mine:
            for name, oid in leaves:
                pages = await self._new.fetchval(takeback.PAGES, oid)
                for start in range(0, pages, PIECE):
                    sql = takeback.delete_pages(name, w.xids, start, min(start + PIECE, pages))
                    deleted += await self._step(partial(self._delete_pages, w, sql), rows_of=first.name)
        return deleted

    async def _delete_together(self, mine: Sequence[Written]) -> int:
        counts = list(
            await self._new.fetchrow(takeback.delete_together([(w.task.flow.new, w.xids) for w in mine]))
        )
        for w, count in zip(mine, counts, strict=True):
            await self._new.execute(
                self._journal.sql("rolled_back_rows"), self._run.id, w.task.position, count
            )
        return sum(counts)

    async def _delete_pages(self, w: Written, sql: str) -> int:
        count = int((await self._new.execute(sql)).removeprefix("DELETE "))
        await self._new.execute(self._journal.sql("rolled_back_rows"), self._run.id, w.task.position, count)
        return count

    async def _step(self, work: Callable[[], Awaitable[int]], *, rows_of: TableName | None = None) -> int:
        """One transaction, tried again where that may help; ``rows_of``: it deletes rows, and a table's triggers are not to fire."""
        if self._stop.is_set():
            raise Stopped(RollbackStopped(self._run.id))

        async def once(_: asyncpg.Connection) -> int:
            async with self._new.transaction():
                await self._new.execute(statements.set_local("lock_timeout", LOCK_TIMEOUT))
                if rows_of is not None and self._replica:
                    await self._new.execute(sql_switches.REPLICA)
                await hold_epoch(self._new, self._journal, self._run.id, self._run.epoch)
                return await work()

        what = f"taking back rows of {rows_of}" if rows_of is not None else "the journal"
        found = await PlainSession(self._new, self._tell, self._stop).work(what, once)
        if rows_of is not None:
            await failpoint("rollback.deleted")
        return found


def _leaves(table: Table) -> list[tuple[TableName, int]] | None:
    """The relations that hold a table's rows; None where one is no heap of this server."""
    if table.kind != RelationKind.PARTITIONED_TABLE:
        return [(table.name, table.oid)]
    return (
        [(leaf.name, leaf.oid) for leaf in table.partitions]
        if all(leaf.kind == RelationKind.TABLE for leaf in table.partitions)
        else None
    )


def _refuse_without_rights(catalog: Catalog, tables: Sequence[Written]) -> None:
    held = [table for name, _ in _merged(tables) if (table := catalog.table(name)) is not None]
    problems = tuple(
        MayNotDelete(
            t.name, catalog.user, pasteable(f"GRANT DELETE ON {relation(t.name)} TO {ident(catalog.user)};")
        ).problem()
        for t in held
        if "DELETE" not in t.privileges
    )
    if problems:
        raise Refused(problems)


async def _refuse_undeletable(new: asyncpg.Connection, catalog: Catalog, tables: Sequence[Written]) -> None:
    held = [table.oid for name, _ in _merged(tables) if (table := catalog.table(name)) is not None]
    problems = []
    for row in await new.fetch(query("undeletable"), held):
        name = TableName(row["schema"], row["relation"])
        problems.append(
            NoReplicaIdentity(name, row["publication"], takeback.whole_rows_identify(name)).problem()
        )
    if problems:
        raise Refused(problems)


async def _refuse_children(new: asyncpg.Connection, catalog: Catalog, tables: Sequence[Written]) -> None:
    xids: Mapping[TableName, Sequence[int]] = dict(_merged(tables))
    problems = []
    for child in catalog.tables:
        for key in child.foreign_keys:
            if not xids.get(key.target):
                continue
            count = await new.fetchval(
                takeback.foreign_children(child.name, key, xids.get(child.name, ()), xids[key.target])
            )
            if count:
                problems.append(ReferredTo(child.name, count, key.target, key.name).problem())
    if problems:
        raise Refused(problems)


def _merged(tables: Sequence[Written]) -> list[tuple[TableName, Sequence[int]]]:
    """Transactions per table of NEW; several old tables may fill one."""
    merged: dict[TableName, list[int]] = {}
    for w in tables:
        if w.xids:
            merged.setdefault(w.task.flow.new, []).extend(w.xids)
    return list(merged.items())
