"""What NEW's constraints forbid, asked of its rows.

A trigger that was disabled, a key that is NOT VALID and a broken index all hide rows that break a constraint.
Likewise asked is whether a sequence stands behind the values of its column.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

import asyncpg
from msgspec.structs import replace

from tranship.execution.verification.scene import Scene
from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.database_objects import Sequence
from tranship.model.names import TableName
from tranship.model.verification import AskedConstraint, ConstraintKind
from tranship.sql.new import constraints as sql
from tranship.sql.new.sequences import extreme, sequence_state

_NOT_ASKABLE = (asyncpg.InsufficientPrivilegeError, asyncpg.SyntaxOrAccessError, asyncpg.DataError)
"""This role may not read a parent or a sequence, or an expression raises for a row."""


async def ask_constraints(
    scene: Scene, tables: Iterable[TableName], tolerating: Container[tuple[TableName, str]]
) -> list[AskedConstraint]:
    """Returns how many rows of these tables of NEW break each of their constraints. ``tolerating``: those of
    which a decision keeps the offenders, as long as they are NOT VALID.
    """
    found: list[AskedConstraint] = []
    for table in filter(None, map(scene.catalog.table, tables)):
        for kind, name, statement in _questions(table):
            answer = await _asked(scene, statement)
            told = _told(table, kind, name, answer[0] if answer is not None else None)
            kept = (table.name, name) in tolerating and name in _not_valid(table)
            found.append(replace(told, tolerated=kept))
        found += await _not_null(scene, table)
        found += [await _sequence(scene, table, column) for column in table.columns if column.sequence]
    return found


def _not_valid(table: Table) -> set[str]:
    checks = {check.name for check in table.checks if not check.validated}
    return checks | {key.name for key in table.foreign_keys if not key.validated}


def _questions(table: Table) -> Iterator[tuple[ConstraintKind, str, str]]:
    """Yields each constraint of a table and its partitions with the query for the rows that break it."""
    for relation, key in _foreign_keys(table):
        if key.enforced:
            yield ConstraintKind.FOREIGN_KEY, key.name, sql.without_parent(relation, key)
    for check in table.checks:
        if check.enforced:
            yield ConstraintKind.CHECK, check.name, sql.failing(table, check)
    for index in table.indexes:
        if index.unique and index.constraint_kind != "x" and not index.exclusion_operators:
            yield ConstraintKind.UNIQUE, index.constraint or index.name, sql.alike(table, index)


def _foreign_keys(table: Table) -> list[tuple[TableName, ForeignKey]]:
    """Returns the foreign keys of a table and of its partitions, each with the relation that has it."""
    own = [(table.name, key) for key in table.foreign_keys]
    return own + [(leaf.name, key) for leaf in table.partitions for key in leaf.foreign_keys]


async def _not_null(scene: Scene, table: Table) -> list[AskedConstraint]:
    columns = [column.name for column in table.columns if column.refuses_null]
    counts = await _asked(scene, sql.lacking(table, columns)) if columns else None
    rows = counts if counts is not None else [None] * len(columns)
    return [
        _told(table, ConstraintKind.NOT_NULL, name, number)
        for name, number in zip(columns, rows, strict=True)
    ]


async def _sequence(scene: Scene, table: Table, column: Column) -> AskedConstraint:
    """Returns whether the next number of a column's sequence is behind a value that a row has already."""
    known = {sequence.name: sequence for sequence in scene.catalog.sequences}
    sequence = known.get(column.sequence) if column.sequence is not None else None
    behind: int | None = None
    if sequence is not None:
        down = sequence.increment < 0
        state = await _asked(scene, sequence_state(sequence.name))
        value = await _asked(scene, extreme(table.name, column.name, descending=down))
        if state is not None and value is not None:
            behind = int(_is_behind(sequence, int(state["last"]), value[0]))
    return _told(table, ConstraintKind.SEQUENCE, column.name, behind)


def _is_behind(sequence: Sequence, last: int, value: str | None) -> bool:
    if value is None or not value.lstrip("-").isdigit():
        return False
    furthest = int(value)
    if not sequence.minimum <= furthest <= sequence.maximum:
        return False
    return last > furthest if sequence.increment < 0 else last < furthest


async def _asked(scene: Scene, statement: str) -> asyncpg.Record | None:
    """Returns NEW's answer, one row; None: this role may not ask, or the question raises."""
    try:
        async with scene.new.transaction(readonly=True):
            return await scene.new.fetchrow(statement)
    except _NOT_ASKABLE:
        return None


def _told(table: Table, kind: ConstraintKind, name: str, rows: int | None) -> AskedConstraint:
    return AskedConstraint(str(table.name), kind, name, rows)
