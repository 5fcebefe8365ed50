"""What NEW's constraints forbid, asked of its rows.

A trigger that was disabled, a key that is NOT VALID and a broken index all hide rows that break a constraint.
Likewise asked is whether a sequence stands behind the values of its column.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

import asyncpg
from msgspec.structs import replace

from tranship.execution.verification.scene import Scene
from tranship.model.builtin_types import Family
from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.database_objects import Sequence
from tranship.model.names import ColumnRef, TableName
from tranship.model.verification import AskedConstraint, ConstraintKind
from tranship.sql.new import constraints as sql
from tranship.sql.new.sequences import extreme, sequence_state
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.quote import relation

_NOT_ASKABLE = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.SyntaxOrAccessError,
    asyncpg.DataError,
    asyncpg.PLPGSQLError,
)
"""This role may not read a parent or a sequence, or an expression raises for a row."""
FEW_ROWS = 5_000
"""In so many rows those that an exclusion constraint refuses are found without its index, which may lack
some. In larger tables each row is looked up there: a comparison of all pairs would take too long."""


async def ask_constraints(
    scene: Scene, tables: Iterable[TableName], tolerating: Container[tuple[TableName, str]]
) -> list[AskedConstraint]:
    """Returns how many rows of these tables of NEW break each of their constraints. ``tolerating``: those of
    which a decision keeps the offenders, as long as they are NOT VALID.
    """
    found: list[AskedConstraint] = []
    for table in filter(None, map(scene.catalog.table, tables)):
        for kind, name, statement in _questions(scene, table):
            answer = await _asked(scene, statement, plain=0 <= table.row_estimate <= FEW_ROWS)
            told = _told(table, kind, name, answer[0] if answer is not None else None)
            kept = (table.name, name) in tolerating and name in _not_valid(table)
            found.append(replace(told, tolerated=kept))
        found += await _not_null(scene, table)
        found += [await _sequence(scene, table, *pair) for pair in _numbered(scene, table)]
    return found


def _not_valid(table: Table) -> set[str]:
    checks = {check.name for check in table.checks if not check.validated}
    return checks | {key.name for key in table.foreign_keys if not key.validated}


def _questions(scene: Scene, table: Table) -> Iterator[tuple[ConstraintKind, str, str]]:
    """Yields each constraint of a table and its partitions with the query for the rows that break it."""
    for child, key in _foreign_keys(table):
        if key.enforced:
            parent = scene.catalog.table(key.target)
            # A parent outside of the schemas in scope: whether it has partitions is not known.
            parents = relation_to_read(parent) if parent is not None else relation(key.target)
            yield ConstraintKind.FOREIGN_KEY, key.name, sql.without_parent(child, key, parents)
    for check in table.checks:
        if check.enforced:
            yield ConstraintKind.CHECK, check.name, sql.failing(table, check)
    for index in table.indexes:
        name = index.constraint or index.name
        if index.exclusion_operators:
            yield ConstraintKind.EXCLUSION, name, sql.excluded(table, index)
        elif index.unique:
            yield ConstraintKind.UNIQUE, name, sql.alike(table, index)
    for column in table.columns:
        yield from _of_domains(table, column)


def _of_domains(table: Table, column: Column) -> Iterator[tuple[ConstraintKind, str, str]]:
    """Yields the same for the domains in the type of a column."""
    for values in sql.domain_values(column):
        for check in values.domain.checks:
            named = f"{column.name}: {check.name}"
            yield ConstraintKind.DOMAIN, named, sql.failing_domain(table, values, check)


def _foreign_keys(table: Table) -> list[tuple[str, ForeignKey]]:
    """Returns the foreign keys of a table and of its partitions, each with a FROM item of the rows that it
    binds.
    """
    own = [(relation_to_read(table), key) for key in table.foreign_keys]
    return own + [(relation(leaf.name), key) for leaf in table.partitions for key in leaf.foreign_keys]


async def _not_null(scene: Scene, table: Table) -> list[AskedConstraint]:
    columns = [column.name for column in table.columns if column.refuses_null]
    counts = await _asked(scene, sql.lacking(table, columns)) if columns else None
    rows = counts if counts is not None else [None] * len(columns)
    return [
        _told(table, ConstraintKind.NOT_NULL, name, number)
        for name, number in zip(columns, rows, strict=True)
    ]


def _numbered(scene: Scene, table: Table) -> Iterator[tuple[Column, Sequence | None]]:
    """Yields the columns that a sequence numbers, each with the sequence; None: it is not known. One that no
    default calls by its name numbers the column that it belongs to.
    """
    known = {sequence.name: sequence for sequence in scene.catalog.sequences}
    for column in table.columns:
        mine = ColumnRef(table.name, column.name)
        owned = (one for one in scene.catalog.sequences if one.owned_by == mine and not one.used_by)
        names = dict.fromkeys((*filter(None, (column.sequence,)), *(one.name for one in owned)))
        yield from ((column, known.get(name)) for name in names)


async def _sequence(scene: Scene, table: Table, column: Column, sequence: Sequence | None) -> AskedConstraint:
    """Returns whether the next number of a column's sequence is one that a row has already, or behind it."""
    behind: int | None = None
    if sequence is not None:
        down, bounds = sequence.increment < 0, (sequence.minimum, sequence.maximum)
        # Values that the sequence never reaches tell nothing of it.
        within = bounds if column.type.leaf.family in (Family.INTEGER, Family.NUMERIC) else None
        state = await _asked(scene, sequence_state(sequence.name))
        statement = extreme(table.name, column.name, descending=down, within=within)
        value = await _asked(scene, statement)
        if state is not None and value is not None:
            following = int(state["last"]) + (sequence.increment if state["called"] else 0)
            behind = int(_is_behind(sequence, following, value[0]))
    return _told(table, ConstraintKind.SEQUENCE, column.name, behind)


def _is_behind(sequence: Sequence, following: int, value: str | None) -> bool:
    if value is None or not value.lstrip("-").isdigit():
        return False
    furthest = int(value)
    if not sequence.minimum <= furthest <= sequence.maximum:
        return False
    return following >= furthest if sequence.increment < 0 else following <= furthest


async def _asked(scene: Scene, statement: str, *, plain: bool = False) -> asyncpg.Record | None:
    """Returns NEW's answer, one row; None: this role may not ask, or the question raises. ``plain``: no index
    is used.
    """
    try:
        async with scene.new.transaction(readonly=True):
            if plain:
                await scene.new.execute(sql.PLANS_WITHOUT_INDEXES)
            return await scene.new.fetchrow(statement)
    except _NOT_ASKABLE:
        return None


def _told(table: Table, kind: ConstraintKind, name: str, rows: int | None) -> AskedConstraint:
    return AskedConstraint(str(table.name), kind, name, rows)
