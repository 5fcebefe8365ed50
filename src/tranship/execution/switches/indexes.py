"""Which indexes of NEW are removed for a load, and which are kept.

=========================================================  =======  ==========================================
index                                                      load     why
=========================================================  =======  ==========================================
plain index of a large table that is empty at the start    removed  one build takes less CPU than all rows
unique index, exclusion                                    kept     it decides which rows arrive
expression, predicate, value that may not fit on a page    kept     it can refuse a row
index of a table that a lookup reads                       kept     every batch looks rows up through it
=========================================================  =======  ==========================================

``sql/queries/loose_indexes.sql`` is the rule. A run reads nothing through an index that is removed: foreign
keys are proven through unique indexes, and a rollback finds rows by their transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import assert_never

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.errors.codes.privileges import IndexNotRemovable
from tranship.execution.context import Job
from tranship.model.catalog import Index, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.names import TableName
from tranship.model.notes import IndexesToRemove
from tranship.model.options import RebuildIndexes
from tranship.model.resolution import Problem
from tranship.model.undo import IndexDropped, Relation
from tranship.model.visible import pasteable
from tranship.planning.printed.definitions import index_shape
from tranship.sql.new.indexes import holds_rows
from tranship.sql.queries import query
from tranship.sql.quote import ident, relation

AUTO_ROWS = 200_000
"""Rows from which ``auto`` removes indexes."""


class LooseIndex(Struct, frozen=True):
    """An index that may be removed for a load."""

    dropped: IndexDropped
    """What it is rebuilt from, options, tablespace and comment included."""
    lacks: tuple[str, ...] = ()
    """Privileges that this role lacks: ``owner``, ``schema``, ``tablespace``."""

    @property
    def name(self) -> TableName:
        """Schema and name of the index."""
        return TableName(self.dropped.schema, self.index.name)

    @property
    def table(self) -> TableName:
        """The table that it belongs to."""
        return self.dropped.table

    @property
    def index(self) -> Index:
        """The index as the catalog has it."""
        return self.dropped.index


async def loose(new: asyncpg.Connection, job: Job, tables: Iterable[TableName]) -> tuple[LooseIndex, ...]:
    """Returns the indexes of tables that the rule lets go, whatever the size of the table.

    ``new`` has an empty search_path, so that definitions are printed with the schemas of all names.
    """
    tables_of_new = [job.new.table(name) for name in tables if name not in job.lookup_tables]
    wanted = {table.oid: table for table in tables_of_new if table and table.kind == RelationKind.TABLE}
    if not wanted:
        return ()
    found = [
        _loose_index(wanted[row["relation"]], row)
        for row in await new.fetch(query("loose_indexes"), [*wanted])
    ]
    return tuple(index for index in found if index is not None)


def _loose_index(table: Table, row: asyncpg.Record) -> LooseIndex | None:
    """Returns an index that can be rebuilt exactly. None: its definition holds more than the catalog
    facts.
    """
    known = next((index for index in table.indexes if index.name == row["name"]), None)
    shape = index_shape(row["definition"])
    if known is None or shape is None:
        return None
    whole = IndexDropped(table.name, known, shape, row["schema"], row["tablespace"], row["comment"])
    names = (*(key.column for key in shape.keys), *shape.include)
    twins = [i.name for i in table.indexes if i is not known and index_shape(i.definition) == shape]
    whole = replace(whole, home=relation_of(table, names), twins=tuple(twins))
    return LooseIndex(whole, tuple(row["lacks"]))


def relation_of(table: Table, names: Iterable[str]) -> Relation:
    """Returns what tells a table and these columns from others that have their names later."""
    columns = (table.column(name) for name in names)
    return Relation(table.oid, tuple(column.attnum for column in columns if column is not None))


async def to_remove(
    new: asyncpg.Connection, job: Job, rows: Mapping[TableName, int], mode: RebuildIndexes
) -> tuple[LooseIndex, ...]:
    """Returns the indexes to remove for the load of tables of NEW. ``rows``: how many will arrive in each."""
    found = [index for index in await loose(new, job, _large(job, rows, mode)) if not index.lacks]
    names = {index.table for index in found}
    allowed = {name for name in names if await _empty_and_quiet(new, job, name)}
    return tuple(index for index in found if index.table in allowed)


def _large(job: Job, rows: Mapping[TableName, int], mode: RebuildIndexes) -> list[TableName]:
    """Returns the tables whose indexes the chosen mode removes."""
    match mode:
        case RebuildIndexes.NEVER:
            return []
        case RebuildIndexes.ALWAYS:
            return list(rows)
        case RebuildIndexes.AUTO:
            # An event trigger of NEW may forbid DROP INDEX or act on it, so only a person may decide to fire
            # it.
            return [name for name, count in rows.items() if count >= AUTO_ROWS and not job.new.event_triggers]
        case _:
            assert_never(mode)


async def missing_rights(new: asyncpg.Connection, job: Job) -> list[Problem]:
    """Returns what ``always`` needs and this role lacks, with the remedy."""
    user, problems = ident(job.new.user), []
    for one in await loose(new, job, [p.new for p in job.plan.tables]):
        table = job.new.table(one.table)
        owner = ident(table.owner if table is not None else "")
        cures = {
            "owner": f"run as a member of {owner}, the owner of {relation(one.table)}",
            "schema": f"GRANT CREATE ON SCHEMA {ident(one.table.schema)} TO {user};",
            "tablespace": f"GRANT CREATE ON TABLESPACE {ident(one.dropped.tablespace or '')} TO {user};",
        }
        if one.lacks:
            grants = pasteable("; ".join(cures[lack].rstrip(";") for lack in one.lacks))
            refused = IndexNotRemovable(one.table, one.index.name, job.new.user, grants)
            problems.append(refused.problem())
    return problems


async def _empty_and_quiet(new: asyncpg.Connection, job: Job, name: TableName) -> bool:
    """Returns whether a table holds no row and nobody else writes to it, who would miss its indexes."""
    table = job.new.table(name)
    if table is None or "SELECT" not in table.privileges or await new.fetchval(holds_rows(name)):
        return False
    return not await new.fetch(query("writers"), [table.oid])


def removal_notes(indexes: Iterable[LooseIndex]) -> list[IndexesToRemove]:
    """Returns the messages of a dry run about indexes that the live run would remove, one per table."""
    by_table: dict[TableName, list[str]] = {}
    for one in indexes:
        by_table.setdefault(one.table, []).append(one.index.name)
    return [IndexesToRemove(table, tuple(names)) for table, names in by_table.items()]
