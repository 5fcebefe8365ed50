"""Statements that read and move NEW's sequences."""

from __future__ import annotations

from tranship.model.names import TableName
from tranship.sql.quote import ident, literal, relation


def sequence_state(name: TableName) -> str:
    """One row: last_value as text, is_called."""
    return f"SELECT last_value::text AS last, is_called AS called FROM {relation(name)}"


def extreme(table: TableName, column: str, *, descending: bool) -> str:
    """The column's furthest value in the sequence's direction, as text; NULL in an empty table."""
    function = "min" if descending else "max"
    return f"SELECT pg_catalog.{function}({ident(column)})::text FROM {relation(table)}"


def restart_sequence(name: TableName, value: int) -> str:
    """Gives the sequence new storage inside the transaction, so that a rollback undoes what numbers it hands out afterwards."""
    return f"ALTER SEQUENCE {relation(name)} RESTART WITH {value}"


def set_sequence(name: TableName, value: int, *, called: bool) -> str:
    """Moves a sequence."""
    return f"SELECT pg_catalog.setval({literal(relation(name))}::pg_catalog.regclass, {value}, {'true' if called else 'false'})"


def advance_sequence(name: TableName, value: int, *, called: bool, descending: bool) -> str:
    """Moves a sequence unless it stands further by now; one row when it moved."""
    told = "true" if called else "false"
    further = f"s.last_value {'>' if descending else '<'} {value} OR (s.last_value = {value} AND s.is_called < {told})"
    moved = f"pg_catalog.setval({literal(relation(name))}::pg_catalog.regclass, {value}, {told})"
    return f"SELECT {moved} FROM {relation(name)} AS s WHERE {further}"
