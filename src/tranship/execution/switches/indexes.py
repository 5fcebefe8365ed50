"""Which indexes of NEW a load does without: those that can refuse no row, of big tables that are empty when their load begins.

A row is judged exactly as if they were there: unique and exclusion indexes, expressions, predicates and values too long for a page stay
with their index (``sql/queries/loose_indexes.sql`` says which). Nothing of a run reads through the ones that go: lookup tables keep theirs,
foreign keys are proven through unique indexes, and rows are taken back by their transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import asyncpg
from msgspec import Struct

from tranship.errors.codes.privileges import IndexNotRemovable
from tranship.execution.context import Job
from tranship.model.catalog import Index
from tranship.model.catalog_codes import RelationKind
from tranship.model.expression import Lookup
from tranship.model.names import Side, TableName
from tranship.model.notes import IndexesToRemove
from tranship.model.options import RebuildIndexes
from tranship.model.resolution import Problem
from tranship.model.undo import IndexDropped
from tranship.model.visible import pasteable
from tranship.planning.printed.definitions import index_shape
from tranship.sql.new.indexes import holds_rows
from tranship.sql.queries import query
from tranship.sql.quote import ident, relation

AUTO_ROWS = 200_000
"""Rows from which ``auto`` takes indexes off."""


class LooseIndex(Struct, frozen=True):
    """An index that a load may do without."""

    dropped: IndexDropped
    """What it is made from again, with everything it has."""
    lacks: tuple[str, ...] = ()
    """Rights this role needs and has not: ``owner``, ``schema``, ``tablespace``."""

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
    """The indexes of tables that the safety rule lets go, whatever the size of the table; ``new`` has an empty search_path."""
    lookups = {
        e.table
        for p in job.plan.tables
        for m in p.columns
        if isinstance(e := m.expression, Lookup) and e.side is Side.NEW
    }
    wanted = {
        t.oid: t
        for name in tables
        if name not in lookups and (t := job.new.table(name)) is not None and t.kind == RelationKind.TABLE
    }
    found = []
    for row in await new.fetch(query("loose_indexes"), list(wanted)) if wanted else []:
        table = wanted[row["relation"]]
        known = next((i for i in table.indexes if i.name == row["name"]), None)
        # An index stays where its definition holds anything that the facts do not: what is made again has to be what was there.
        shape = index_shape(row["definition"])
        if known is not None and shape is not None:
            whole = IndexDropped(table.name, known, shape, row["schema"], row["tablespace"], row["comment"])
            found.append(LooseIndex(whole, tuple(row["lacks"])))
    return tuple(found)


async def to_take_off(
    new: asyncpg.Connection, job: Job, rows: Mapping[TableName, int], mode: RebuildIndexes
) -> tuple[LooseIndex, ...]:
    """The indexes that go for the load of tables of NEW. ``rows``: what is about to arrive in each of them."""
    if mode == RebuildIndexes.NEVER or (mode == RebuildIndexes.AUTO and job.new.event_triggers):
        return ()
    big = [name for name, count in rows.items() if mode == RebuildIndexes.ALWAYS or count >= AUTO_ROWS]
    found = [one for one in await loose(new, job, big) if not one.lacks]
    allowed = {name for name in {one.table for one in found} if await _empty_and_quiet(new, job, name)}
    return tuple(one for one in found if one.table in allowed)


async def missing_rights(new: asyncpg.Connection, job: Job) -> list[Problem]:
    """What ``always`` would need and this role lacks, with the cure."""
    user, problems = ident(job.new.user), []
    for one in await loose(new, job, [p.new for p in job.plan.tables]):
        table = job.new.table(one.table)
        cures = {
            "owner": f"run as a member of {ident(table.owner if table is not None else '')}, the owner of {relation(one.table)}",
            "schema": f"GRANT CREATE ON SCHEMA {ident(one.table.schema)} TO {user};",
            "tablespace": f"GRANT CREATE ON TABLESPACE {ident(one.dropped.tablespace or '')} TO {user};",
        }
        if one.lacks:
            grants = pasteable("; ".join(cures[lack].rstrip(";") for lack in one.lacks))
            refused = IndexNotRemovable(one.table, one.index.name, job.new.user, grants)
            problems.append(refused.problem())
    return problems


async def _empty_and_quiet(new: asyncpg.Connection, job: Job, name: TableName) -> bool:
    table = job.new.table(name)
    if table is None or "SELECT" not in table.privileges or await new.fetchval(holds_rows(name)):
        return False
    return not await new.fetch(query("writers"), [table.oid])


def told(indexes: Iterable[LooseIndex]) -> list[IndexesToRemove]:
    """Returns, per table, what a dry run says of them."""
    by_table: dict[TableName, list[str]] = {}
    for one in indexes:
        by_table.setdefault(one.table, []).append(one.index.name)
    return [IndexesToRemove(table, tuple(names)) for table, names in by_table.items()]
