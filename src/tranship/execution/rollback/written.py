"""What a run wrote into NEW, by the transactions that its journal names, and what of it is still as it
was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.errors import Refused
from tranship.errors.codes.runs import (
    CopiedServer,
    RowsEdited,
    TooManyTransactions,
    UpdatesEdited,
)
from tranship.errors.codes.upkeep import TableRenamed
from tranship.execution.rollback.images import LISTED, Images, find_images
from tranship.model.catalog import Catalog, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.names import TableName
from tranship.model.visible import pasteable
from tranship.server.identity import read_identity
from tranship.server.journal import BatchRow, Journal, Run, TaskRow
from tranship.sql import session as statements
from tranship.sql.new import rollback as sql_rollback
from tranship.sql.new.counting import WRAP, count_written
from tranship.sql.new.transactions import named_to_read, relation_to_read
from tranship.sql.queries import query


class Written(Struct, frozen=True):
    """What a run wrote into one table of NEW."""

    task: TaskRow
    rows: int
    """Rows by the journal, without those that an interrupted rollback has deleted."""
    xids: tuple[int, ...]
    oldest: int = 0
    """The first of them, 64 bits; 0: the run wrote nothing here."""
    found: int = 0
    """Rows that still carry one of the transactions. Others have changed or deleted the rest of ``rows``."""
    update_xids: tuple[int, ...] = ()
    """The transactions that changed rows of NEW's own."""
    images: Images = Images()
    """Those rows, as far as they are not restored."""
    gone: bool = False
    """The table was dropped, and its rows with it."""

    @property
    def every_xid(self) -> tuple[int, ...]:
        """All transactions of the run on the table."""
        return (*self.xids, *self.update_xids)


class Others(Struct, frozen=True):
    """Rows of one table of NEW that others wrote or changed since a run began."""

    rows: int = 0
    keys: tuple[dict[str, str], ...] = ()
    """What names the first of them, in order: the key, or the row's place where the table has no key."""
    of_runs: int = 0
    """The most of them that may be rows of other runs on record, which others changed."""


class OfRuns(Struct, frozen=True):
    """What other runs of the journal wrote into one table of NEW."""

    xids: tuple[int, ...] = ()
    """The transactions that added rows."""
    update_xids: tuple[int, ...] = ()
    """The transactions that changed rows of NEW's own."""
    rows: int = 0
    """The rows that they added."""


NO_OTHERS = OfRuns()


async def find_written(
    new: asyncpg.Connection,
    journal: Journal,
    run: Run,
    catalog: Catalog,
    wanted: Callable[[TaskRow], bool] = lambda _: True,
) -> tuple[Written, ...]:
    """Returns what a run wrote into each wanted table and what of it is still as it was, in plan order.

    ``catalog`` is that of NEW.

    Raises:
        Refused: an xmin proves nothing, because too many transactions ran since or because rows and journal
            were copied here from another server; or a table has another name now.
    """
    identity = await read_identity(new)
    if run.new_identity.partition("/")[0] != identity.system:
        raise Refused(CopiedServer())
    tasks = await journal.tasks(new, run.id)
    batches = [batch for batch in await journal.batches(new, tasks, run.id) if batch.xids]
    await _refuse_too_old(new, run, batches)
    found = [await _written(new, task, batches) for task in tasks if wanted(task)]
    # A database that was copied as files keeps the transactions, one that was restored from a dump does not.
    if run.new_identity != identity.key and _none_is_left(found):
        raise Refused(CopiedServer())
    return tuple(
        [
            w if w.gone else replace(w, images=await find_images(new, journal, run, catalog, w.task))
            for w in found
        ]
    )


def _none_is_left(tables: Sequence[Written]) -> bool:
    """Returns whether no row is as the run wrote it, in tables that are there."""
    there = [written for written in tables if written.xids]
    return any(written.rows for written in there) and not any(written.found for written in there)


async def _refuse_too_old(new: asyncpg.Connection, run: Run, batches: Sequence[BatchRow]) -> None:
    """Refuses a run since whose oldest transaction there were too many.

    Raises:
        Refused: there were.
    """
    current = await new.fetchval(statements.CURRENT_XID)
    if current - (_oldest(batches) or current) > WRAP:
        raise Refused(TooManyTransactions(run.id))


def _oldest(batches: Sequence[BatchRow]) -> int:
    """Returns the first transaction of batches, 64 bits; 0: they have none."""
    # A batch's first id is its own transaction: it has all 64 bits and is older than those of its
    # savepoints, of which only 32 bits are known.
    return min((batch.xids[0] for batch in batches if batch.xids), default=0)


async def _written(new: asyncpg.Connection, task: TaskRow, batches: Sequence[BatchRow]) -> Written:
    mine = [batch for batch in batches if batch.position == task.position]
    rows, xids = sum(batch.written for batch in mine), tuple(xid for batch in mine for xid in batch.xids)
    if xids and not await _there(new, task):
        return Written(task, rows, (), gone=True)
    found = await new.fetchval(sql_rollback.count_ours(task.flow.new, xids)) if xids else 0
    updates = tuple(xid for batch in mine for xid in batch.update_xids)
    return Written(task, rows, xids, _oldest(mine), found, updates)


async def _there(new: asyncpg.Connection, task: TaskRow) -> bool:
    """Returns whether the table of a task is still there.

    Raises:
        Refused: it has another name now, under which its rows would be overlooked.
    """
    name, oid = task.flow.new, task.relation.oid if task.relation is not None else 0
    rows = await new.fetch(query("off_relation"), name.schema, name.name, oid)
    if any(row["named"] for row in rows):
        return True
    for row in rows:
        present = TableName(row["schema"], row["name"])
        raise Refused(TableRenamed(name, present, pasteable(sql_rollback.rename_table(present, name))))
    return False


async def refuse_edited(
    new: asyncpg.Connection, catalog: Catalog, run: Run, tables: Sequence[Written]
) -> None:
    """Looks whether rows would come twice when the run's tables are copied again after their rollback, or
    would be overwritten.

    A row that others changed carries their transaction, so it is not the run's any more and stays.

    Raises:
        Refused: others changed rows; nothing is deleted.
    """
    problems = []
    for mine in tables:
        overwritten = mine.images.rows - mine.images.ours
        if overwritten:
            problems.append(UpdatesEdited(mine.task.flow.new, overwritten, run.id).problem())
        if not mine.xids or mine.found >= mine.rows:
            continue
        counted = await new.fetchrow(
            count_written(named_to_read(catalog, mine.task.flow.new), mine.every_xid, mine.oldest)
        )
        changed = min(mine.rows - mine.found, counted["others"])
        if changed:
            others = await find_others(new, catalog, mine.task.flow.new, [mine])
            keys = [", ".join(f"{name}={value}" for name, value in key.items()) for key in others.keys[:5]]
            named = f" (among them {'; '.join(keys)})" if keys else ""
            problems.append(RowsEdited(mine.task.flow.new, changed, run.id, named).problem())
    if problems:
        raise Refused(problems)


async def find_others(
    new: asyncpg.Connection,
    catalog: Catalog,
    table: TableName,
    ours: Sequence[Written],
    beside: OfRuns = NO_OTHERS,
) -> Others:
    """Returns the rows of a table that others wrote or changed since the run's first transaction there.

    ``ours`` is what the run wrote into the table, each flow by itself; ``beside`` is what other
    runs wrote, which do not count as others, either.
    """
    oldest = min((written.oldest for written in ours if written.oldest), default=0)
    known = catalog.table(table)
    if not oldest or known is None:
        return Others()
    xids = [*(xid for written in ours for xid in written.every_xid), *beside.xids, *beside.update_xids]
    counted = await new.fetchrow(count_written(relation_to_read(known), xids, oldest))
    if not counted["others"]:
        return Others()
    # Without a key the row's place names it, until it is changed or the table is rewritten.
    partitioned = known.kind == RelationKind.PARTITIONED_TABLE
    key = known.order_key or (("tableoid", "ctid") if partitioned else ("ctid",))
    rows = await new.fetch(sql_rollback.written_since(relation_to_read(known), key, xids, oldest, LISTED))
    keys = (dict(zip(key, row["key"], strict=True)) for row in rows)
    # Rows that the other runs miss may be among those that others changed.
    missed = await _missed(new, known, beside)
    return Others(counted["others"], tuple(keys), max(0, min(missed, counted["others"])))


async def _missed(new: asyncpg.Connection, table: Table, runs: OfRuns) -> int:
    """Returns how many rows that runs added to a table are no longer as they wrote them."""
    if not runs.rows:
        return 0
    there: int = await new.fetchval(sql_rollback.count_in(relation_to_read(table), runs.xids))
    return runs.rows - there
