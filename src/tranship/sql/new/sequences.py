"""Statements that read and move NEW's sequences."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.names import TableName
from tranship.sql.new.transactions import written_by_others, written_since
from tranship.sql.quote import ident, literal, relation


def sequence_state(name: TableName) -> str:
    """Returns a query for the one row of a sequence: ``last`` as text and ``called``.

    Where ``called`` is false, ``last`` itself is the next number (PostgreSQL documentation, "Sequence
    Manipulation Functions").
    """
    return f"SELECT last_value::text AS last, is_called AS called FROM {relation(name)}"


def extreme(table: TableName, column: str, *, descending: bool, within: tuple[int, int] | None = None) -> str:
    """Returns a query for a column's furthest value in the sequence's direction, as text; NULL in an empty
    table. ``within``: of those in these bounds, of a column that holds numbers.
    """
    function, name = "min" if descending else "max", ident(column)
    bounds = f" WHERE {name} BETWEEN {within[0]} AND {within[1]}" if within is not None else ""
    return f"SELECT pg_catalog.{function}({name})::text AS extreme FROM {relation(table)}{bounds}"


def extreme_since(rows: str, column: str, xids: Sequence[int], oldest: int, *, descending: bool) -> str:
    """Returns a query for the same among the rows that others than ``xids`` wrote since the transaction
    ``oldest``. ``rows`` is the FROM item of the table.
    """
    function = "min" if descending else "max"
    return f"""
        SELECT pg_catalog.{function}(t.{ident(column)})::text AS extreme FROM {rows} AS t
        WHERE {written_since("t", oldest)} AND {written_by_others("t", xids)}
    """


def numbered(queries: Sequence[str]) -> str:
    """Returns a query for the rows of several queries with equal columns; ``n``: which of them gave a row."""
    return " UNION ALL ".join(f"SELECT {n} AS n, q.* FROM ({one}) AS q" for n, one in enumerate(queries))


def restart_sequence(name: TableName, value: int) -> str:
    """Returns a statement that sets the next number and can be rolled back, with all numbers given out after
    it.

    ALTER SEQUENCE … RESTART gives the sequence new storage inside the transaction; ``setval`` and ``nextval``
    are never rolled back (PostgreSQL documentation, "ALTER SEQUENCE").
    """
    return f"ALTER SEQUENCE {relation(name)} RESTART WITH {value}"


def set_sequence(name: TableName, value: int, *, called: bool) -> str:
    """Returns a statement that moves a sequence to a value, at once and for good."""
    return f"SELECT {_setval(name, value, called=called)}"


def advance_sequence(name: TableName, value: int, *, called: bool, descending: bool) -> str:
    """Returns a statement that moves a sequence unless it stands further already; it has one row when it
    moved.

    The comparison is part of the statement, because NEW's own users may draw numbers meanwhile.
    """
    further = f"s.last_value {'>' if descending else '<'} {value}"
    same_but_uncalled = f"s.last_value = {value} AND s.is_called < {_boolean(called)}"
    moved = _setval(name, value, called=called)
    return f"SELECT {moved} FROM {relation(name)} AS s WHERE {further} OR ({same_but_uncalled})"


def _setval(name: TableName, value: int, *, called: bool) -> str:
    sequence = f"{literal(relation(name))}::pg_catalog.regclass"
    return f"pg_catalog.setval({sequence}, {value}, {_boolean(called)})"


def _boolean(value: bool) -> str:
    return "true" if value else "false"
