"""What forbids a rollback before anything is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import asyncpg

from tranship.errors import Refused
from tranship.errors.codes.rollback import ReferredToByChanged
from tranship.errors.codes.runs import (
    DeleteNoticed,
    DeleteNoticedAlways,
    MayNotDelete,
    NoReplicaIdentity,
    NoReplicaIdentityToUpdate,
    ReferredTo,
)
from tranship.execution.rollback.below import keys_below
from tranship.execution.rollback.elsewhere import refuse_elsewhere
from tranship.execution.rollback.written import Written
from tranship.execution.switches.triggers_and_keys import DELETE, UPDATE, Firing, acting, may_be_replica
from tranship.model.catalog import Catalog, Table
from tranship.model.catalog_codes import TriggerState
from tranship.model.names import TableName
from tranship.model.resolution import Problem
from tranship.model.visible import pasteable
from tranship.sql.new import rollback as sql_rollback
from tranship.sql.queries import query
from tranship.sql.quote import ident, relation

NAMED = 10
"""Rows that a refusal names because they refer to rows of the run."""


async def refuse(new: asyncpg.Connection, catalog: Catalog, tables: Sequence[Written]) -> None:
    """Looks for everything that forbids to delete the rows.

    Raises:
        Refused: this role may not delete them, or nobody may, or not without triggers and rules that act on
            them, or rows that others wrote refer to them, or they are in other tables now.
    """
    await refuse_elsewhere(new, catalog, tables)
    xids = _transactions(tables)
    there = [table for name in xids if (table := catalog.table(name)) is not None]
    changed = {w.task.flow.new for w in tables if w.images.rows}
    _raise_any(_without_rights(catalog, there, changed))
    _raise_any(await _unidentified(new, there, changed))
    _raise_any(await _noticing(new, catalog.user, there, changed))
    _raise_any(await _foreign_children(new, catalog, tables))


def _raise_any(problems: Sequence[Problem]) -> None:
    if problems:
        raise Refused(tuple(problems))


def _without_rights(
    catalog: Catalog, tables: Sequence[Table], changed: AbstractSet[TableName]
) -> list[Problem]:
    """Returns the tables from which this role may not delete, or in which it may not restore rows, with
    their GRANTs.
    """
    user, problems = ident(catalog.user), []
    for table in tables:
        needed = ["DELETE", *(["UPDATE"] if table.name in changed else [])]
        lacking = ", ".join(right for right in needed if right not in table.privileges)
        if lacking:
            grant = pasteable(f"GRANT {lacking} ON {relation(table.name)} TO {user};")
            problems.append(MayNotDelete(table.name, catalog.user, lacking, grant).problem())
    return problems


async def _unidentified(
    new: asyncpg.Connection, tables: Sequence[Table], changed: AbstractSet[TableName]
) -> list[Problem]:
    """Returns published tables without a replica identity, of which the server lets nobody delete or update
    rows.
    """
    problems = []
    for updates, message in ((False, NoReplicaIdentity), (True, NoReplicaIdentityToUpdate)):
        oids = [table.oid for table in tables if not updates or table.name in changed]
        for row in await new.fetch(query("without_replica_identity"), oids, updates) if oids else ():
            name = TableName(row["schema"], row["relation"])
            identify = sql_rollback.whole_rows_identify(name)
            problems.append(message(name, row["publication"], identify).problem())
    return problems


async def _noticing(
    new: asyncpg.Connection, user: str, tables: Sequence[Table], changed: AbstractSet[TableName]
) -> list[Problem]:
    """Returns the triggers and rules that act on what this role deletes or restores and that it may not
    disable.
    """
    replica, problems = await may_be_replica(new), []
    for table in tables:
        events = DELETE | UPDATE if table.name in changed else DELETE
        found = await acting(new, table, events, replica=replica)
        problems += [_noticed(one, user) for one in found if not one.owned]
    return problems


def _noticed(one: Firing, user: str) -> Problem:
    grant = pasteable(f"GRANT SET ON PARAMETER session_replication_role TO {ident(user)};")
    kind = DeleteNoticed if one.state is TriggerState.ORIGIN else DeleteNoticedAlways
    return kind(str(one), one.relation, user, grant).problem()


async def _foreign_children(
    new: asyncpg.Connection, catalog: Catalog, tables: Sequence[Written]
) -> list[Problem]:
    """Returns the foreign keys by which rows of others refer to rows of the run."""
    problems, xids = [], _transactions(tables)
    # A row of NEW's own that the run changed refers to its own parent again once it is restored, which
    # comes before the deletions.
    own = _transactions(tables, changes=True)
    # Where the run misses none of its rows, no row that others changed can be one of them.
    incomplete = {w.task.flow.new for w in tables if w.found < w.rows and not w.gone}
    for below in keys_below(catalog):
        child, key = below.child, below.key
        if not xids.get(key.target):
            continue
        mine, theirs = own.get(child.name, ()), xids[key.target]
        count = await new.fetchval(sql_rollback.foreign_children(below.ends, key, mine, theirs))
        if count:
            columns = child.order_key or ("ctid",)
            first = sql_rollback.foreign_children_named(below.ends, key, columns, mine, theirs, NAMED)
            named = _named(columns, await new.fetch(first), count)
            message = ReferredToByChanged if child.name in incomplete else ReferredTo
            told = (below.name, count, key.target, key.name, named, _order(catalog, child.name))
            problems.append(message(*told).problem())
    return problems


def _order(catalog: Catalog, table: TableName) -> str:
    """Returns in words which rows are to be deleted before those of a table; empty where none refer to it."""
    below = (one.name for one in keys_below(catalog) if one.key.target == table and one.name != table)
    names = sorted({str(name) for name in below})
    if not names:
        return ""
    return f" (rows of {', '.join(names)} that refer to them have to be deleted before them)"


def _named(columns: Sequence[str], rows: Sequence[asyncpg.Record], count: int) -> str:
    """Returns the first of ``count`` rows that refer to rows of the run, in words."""
    names = [
        ", ".join(f"{name}={value}" for name, value in zip(columns, row["key"], strict=True)) for row in rows
    ]
    more = f" and {count - len(names)} more" if count > len(names) else ""
    return f" ({'; '.join(names)}{more})"


def _transactions(tables: Sequence[Written], *, changes: bool = False) -> dict[TableName, list[int]]:
    """Returns the run's transactions per table of NEW; several old tables may fill one. ``changes``: also
    those that changed rows of NEW's own.
    """
    merged: dict[TableName, list[int]] = {}
    for written in tables:
        if xids := written.every_xid if changes else written.xids:
            merged.setdefault(written.task.flow.new, []).extend(xids)
    return merged
