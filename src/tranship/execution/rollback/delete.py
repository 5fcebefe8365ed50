"""Deletes the rows of a run: exactly those whose xmin is a transaction of the run.

Each piece is committed by itself. Before the first one the journal marks the tables as being rolled back, and
whoever comes next finishes that first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import asyncpg

from tranship.errors import Stopped
from tranship.errors.codes.rollback import ChildrenCame, RollbackFailed, RollbackStopped, RowsStay
from tranship.execution.resilience.connection import PlainSession
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.stop_reasons import cure
from tranship.execution.resilience.writer_lock import hold_epoch
from tranship.execution.rollback.below import keys_below
from tranship.execution.rollback.images import Restorer
from tranship.execution.rollback.refusals import refuse
from tranship.execution.rollback.written import Written
from tranship.execution.switches.restoring import LOCK_TIMEOUT
from tranship.execution.switches.switch_board import SwitchBoard
from tranship.execution.switches.triggers_and_keys import (
    DELETE,
    UPDATE,
    Switches,
    acting,
    may_be_replica,
)
from tranship.model.catalog import Catalog, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.names import TableName
from tranship.model.progress import Noted
from tranship.planning.plan.order import children_first
from tranship.server.journal import Journal, Run
from tranship.server.trouble import DATABASE_TROUBLE, spoken
from tranship.sql import session as statements
from tranship.sql.new import rollback as sql_rollback
from tranship.sql.new import switches as sql_switches

PIECE = 4096
"""Pages of a table that one transaction looks through: 32 MB, so that its locks and dead rows stay few."""
RANGES_FROM = 140000
"""Server version that reads a range of pages without reading the whole table (PostgreSQL 14 release notes,
"TID Range Scan").
"""


@dataclass(frozen=True)
class RollbackContext:
    """Values that every step of a rollback needs."""

    journal: Journal
    run: Run
    """The run whose rows are deleted; ``run.epoch`` is ours."""
    catalog: Catalog
    """That of NEW."""
    tell: Callable[[Noted], None]
    stop: asyncio.Event
    """Once set, the rollback ends after the piece in hand."""


async def roll_back(new: asyncpg.Connection, context: RollbackContext, tables: Sequence[Written]) -> int:
    """Deletes the rows of a run, children before parents, and marks their batches to be copied again.

    Returns the number of rows deleted.

    Raises:
        Refused: this role may not delete them, or nobody may, or rows that others wrote refer to them.
        Stopped: another run took over, a person asked, or the connection broke. Whoever comes next resumes
            the rollback.
    """
    await refuse(new, context.catalog, tables)
    try:
        return await _RollingBack(new, context, tables).run()
    except DATABASE_TROUBLE as error:
        raise broken_off(context.run, error) from error


def broken_off(run: Run, error: Exception) -> Stopped:
    """Returns the stop of a rollback that a server or the network ended."""
    return Stopped(RollbackFailed(run.id, spoken(error), cure(error)))


class _RollingBack:
    """One rollback. Every step is a transaction that fails once another run has raised the epoch."""

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
        """Deletes the rows of all tables and returns their number."""
        positions = [w.task.position for w in self._tables]
        await self._step(lambda: self._begin(positions))
        await failpoint("rollback.begun")
        self._replica = await may_be_replica(self._new)
        fence = partial(hold_epoch, journal=self._journal, run=self._run.id, epoch=self._run.epoch)
        board = SwitchBoard(self._journal, self._run.id, None, self._tell, fence=fence)
        deleted, restorer = 0, Restorer(self._new, self._journal, self._run, self._catalog, self._on_table)
        try:
            # Each deleted row is looked for in the tables that refer to it. Without an index that is a scan
            # a row.
            for undo in await board.removed_indexes(self._session):
                await board.rebuild(self._session, undo)
            tables = [table for name in self._names if (table := self._catalog.table(name)) is not None]
            await board.off(self._session, await self._switches(tables), keys=False)
            # Before the deletions: a changed row may refer to a row that the run added.
            await self._restore(restorer)
            for together in children_first(tables):
                deleted += await self._delete(together)
            # After them: an added row may have had what a restored row needs.
            await self._restore(restorer)
        finally:
            await board.on(self._session)
        if deleted < sum(written.found for written in self._tables):
            await self._refuse_kept()
        if self._replica:
            await self._refuse_parentless()
        await self._step(lambda: self._end(positions))
        await failpoint("rollback.done")
        return deleted

    async def _restore(self, restorer: Restorer) -> None:
        for written in self._tables:
            await restorer.restore(written.task)

    async def _on_table(self, work: Callable[[], Awaitable[int]], table: TableName) -> int:
        return await self._step(work, rows_of=table)

    async def _refuse_parentless(self) -> None:
        """Looks for children that others wrote while their parents were deleted.

        Under ``session_replication_role = replica`` no foreign key is checked.

        Raises:
            Stopped: there are some; the rollback cannot end before they are gone.
        """
        for below in keys_below(self._catalog):
            key = below.key
            if key.target not in self._names or not key.enforced:
                continue
            count = await self._new.fetchval(sql_rollback.parentless(below.ends, key))
            if count:
                raise Stopped(ChildrenCame(below.name, count, key.target, key.name))

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

    async def _switches(self, tables: Sequence[Table]) -> Switches:
        """Returns the triggers and rules that have to be disabled while rows are deleted and restored."""
        changed = {w.task.flow.new for w in self._tables if w.images.rows}
        events = {table.name: DELETE | UPDATE if table.name in changed else DELETE for table in tables}
        found = [
            one
            for table in tables
            for one in await acting(self._new, table, events[table.name], replica=self._replica)
        ]
        return Switches(replica=self._replica, disable=tuple(found))

    async def _refuse_kept(self) -> None:
        """Looks for rows that are still there: a BEFORE trigger and a rule can keep them.

        Raises:
            Stopped: there are some; the run stays in the journal.
        """
        for written in self._tables:
            if written.found and (
                kept := await self._new.fetchval(sql_rollback.count_ours(written.task.flow.new, written.xids))
            ):
                raise Stopped(RowsStay(written.task.flow.new, kept))

    async def _delete(self, together: Sequence[Table]) -> int:
        """Deletes the rows of one table piece by piece, or those of a cycle of tables in one statement.

        A table that refers to itself is a cycle, too. Returns the number of rows.
        """
        names = {table.name for table in together}
        mine = [written for written in self._tables if written.task.flow.new in names and written.xids]
        first = together[0]
        leaves = None if _is_cycle(together) else await self._leaves_to_name(first)
        if leaves is None:
            return await self._step(partial(self._delete_together, mine), rows_of=first.name)
        deleted = 0
        for written in mine:
            for name, oid in leaves:
                deleted += await self._delete_in_pieces(written, name, oid)
        return deleted

    async def _leaves_to_name(self, table: Table) -> list[tuple[TableName, int]] | None:
        """Returns the relations that hold a table's rows if they can be emptied piece by piece; else None.

        A right to the partitioned table is enough for its rows, but not to name one of its partitions.
        """
        leaves = _leaves(table) if self._catalog.server_version >= RANGES_FROM else None
        if leaves is None or leaves == [(table.name, table.oid)]:
            return leaves
        may = await self._new.fetchval(sql_rollback.MAY_DELETE, [oid for _, oid in leaves])
        return leaves if may else None

    async def _delete_in_pieces(self, written: Written, leaf: TableName, oid: int) -> int:
        """Deletes the rows of one relation, some pages a transaction."""
        deleted = 0
        table = written.task.flow.new
        pages = await self._new.fetchval(sql_rollback.PAGES, oid)
        for start in range(0, pages, PIECE):
            statement = sql_rollback.delete_pages(leaf, written.xids, start, min(start + PIECE, pages))
            deleted += await self._step(partial(self._delete_pages, written, statement), rows_of=table)
        return deleted

    async def _delete_together(self, mine: Sequence[Written]) -> int:
        statement = sql_rollback.delete_together([(written.task.flow.new, written.xids) for written in mine])
        counts = list(await self._new.fetchrow(statement))
        for written, count in zip(mine, counts, strict=True):
            await self._count_deleted(written, count)
        return sum(counts)

    async def _delete_pages(self, written: Written, statement: str) -> int:
        count = int((await self._new.execute(statement)).removeprefix("DELETE "))
        await self._count_deleted(written, count)
        return count

    async def _count_deleted(self, written: Written, count: int) -> None:
        """Takes the rows off what the journal says the run has in NEW, in the transaction that deletes
        them.
        """
        sql = self._journal.sql("rolled_back_rows")
        await self._new.execute(sql, self._run.id, written.task.position, count)

    async def _step(self, work: Callable[[], Awaitable[int]], *, rows_of: TableName | None = None) -> int:
        """Does one transaction and retries it after a transient error.

        ``rows_of``: the table from which it deletes rows; no trigger of it may fire.
        """
        if self._stop.is_set():
            raise Stopped(RollbackStopped(self._run.id))

        async def once(_: asyncpg.Connection) -> int:
            async with self._new.transaction():
                await self._new.execute(statements.set_local("lock_timeout", LOCK_TIMEOUT))
                if rows_of is not None and self._replica:
                    await self._new.execute(sql_switches.REPLICA)
                await hold_epoch(self._new, self._journal, self._run.id, self._run.epoch)
                return await work()

        what = f"deleting rows of {rows_of}" if rows_of is not None else "the journal"
        found = await PlainSession(self._new, self._tell, self._stop).work(what, once)
        if rows_of is not None:
            await failpoint("rollback.deleted")
        return found


def _leaves(table: Table) -> list[tuple[TableName, int]] | None:
    """Returns the relations that hold a table's rows. None: one of them is no heap of this server."""
    if table.kind != RelationKind.PARTITIONED_TABLE:
        return [(table.name, table.oid)]
    return (
        [(leaf.name, leaf.oid) for leaf in table.partitions]
        if all(leaf.kind == RelationKind.TABLE for leaf in table.partitions)
        else None
    )


def _is_cycle(together: Sequence[Table]) -> bool:
    """Returns whether tables refer to each other, or the only one to itself."""
    first = together[0]
    return len(together) > 1 or any(key.target == first.name for key in first.every_foreign_key)
