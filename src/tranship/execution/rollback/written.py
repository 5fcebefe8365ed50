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
from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.model.visible import pasteable
from tranship.server.identity import read_identity
from tranship.server.journal import BatchRow, Journal, Run, TaskRow
from tranship.sql import session as statements
from tranship.sql.new import rollback as sql_rollback
from tranship.sql.new.counting import WRAP, count_written
from tranship.sql.queries import query


class Written(Struct, frozen=True):
    """What a run wrote into one table of NEW."""

    task: TaskRow
    rows: int
    """Rows by the journal, without those that an interrupted rollback has deleted."""
    xids: tuple[int, ...]
    found: int = 0
    """Rows that still carry one of the transactions. Others have changed or deleted the rest of ``rows``."""
    age: int = 0
    """Transactions since the oldest of them."""
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
    if run.new_identity.partition("/")[0] != (await read_identity(new)).system:
        raise Refused(CopiedServer())
    tasks = await journal.tasks(new, run.id)
    batches = [batch for batch in await journal.batches(new, tasks, run.id) if batch.xids]
    age = await _age(new, run, batches)
    found = [await _written(new, task, batches, age) for task in tasks if wanted(task)]
    return tuple(
        [
            w if w.gone else replace(w, images=await find_images(new, journal, run, catalog, w.task))
            for w in found
        ]
    )


async def _age(new: asyncpg.Connection, run: Run, batches: Sequence[BatchRow]) -> int:
    """Returns the number of transactions since the oldest one of the run.

    Raises:
        Refused: they are too many.
    """
    current = await new.fetchval(statements.CURRENT_XID)
    # A batch's first id is its own transaction: it has all 64 bits and is older than those of its
    # savepoints, of which only 32 bits are known.
    oldest = min((batch.xids[0] for batch in batches), default=current)
    if current - oldest > WRAP:
        raise Refused(TooManyTransactions(run.id))
    return int(current - oldest)


async def _written(new: asyncpg.Connection, task: TaskRow, batches: Sequence[BatchRow], age: int) -> Written:
    mine = [batch for batch in batches if batch.position == task.position]
    rows, xids = sum(batch.written for batch in mine), tuple(xid for batch in mine for xid in batch.xids)
    if xids and not await _there(new, task):
        return Written(task, rows, (), gone=True)
    found = await new.fetchval(sql_rollback.count_ours(task.flow.new, xids)) if xids else 0
    updates = tuple(xid for batch in mine for xid in batch.update_xids)
    return Written(task, rows, xids, found, age, updates)


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
        counted = await new.fetchrow(count_written(mine.task.flow.new, mine.every_xid, mine.xids[0]))
        changed = min(mine.rows - mine.found, counted["others"])
        if changed:
            others = await rows_of_others(new, catalog, mine)
            keys = [", ".join(f"{name}={value}" for name, value in key.items()) for key in others[:5]]
            named = f" (among them {'; '.join(keys)})" if keys else ""
            problems.append(RowsEdited(mine.task.flow.new, changed, run.id, named).problem())
    if problems:
        raise Refused(problems)


async def rows_of_others(
    new: asyncpg.Connection, catalog: Catalog, mine: Written
) -> tuple[dict[str, str], ...]:
    """Returns the keys of the first rows that others wrote or changed since the run's first transaction.

    A table without a key has no name for its rows, so none are returned.
    """
    table = catalog.table(mine.task.flow.new)
    key = table.order_key if table is not None else ()
    if not key or not mine.xids:
        return ()
    since = sql_rollback.written_since(mine.task.flow.new, key, mine.every_xid, mine.age, LISTED)
    rows = await new.fetch(since)
    return tuple(dict(zip(key, row["key"], strict=True)) for row in rows)
