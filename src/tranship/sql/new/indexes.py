"""Statements that take an index off and make it again as it was."""

from __future__ import annotations

from tranship.model.names import TableName
from tranship.sql.quote import ident, literal, relation


def drop_index(index: TableName) -> str:
    """Drops one index; fails where anything hangs on it."""
    return f"DROP INDEX {relation(index)}"


def make_index(index: TableName, definition: str, *, tablespace: str | None, comment: str | None) -> str:
    """Makes it again, whole or not at all, inside a transaction.

    Args:
        index: schema and name.
        definition: ``pg_get_indexdef`` as read with an empty search_path; it names no tablespace.
        tablespace: None: the database's own.
        comment: None: it had none.
    """
    parts = [
        "SET LOCAL search_path = ''",
        f"SET LOCAL default_tablespace = {ident(tablespace) if tablespace is not None else literal('')}",
        definition,
    ]
    if comment is not None:
        parts.append(f"COMMENT ON INDEX {relation(index)} IS {literal(comment)}")
    return "; ".join(parts)


def holds_rows(table: TableName) -> str:
    """Whether the table shows any row."""
    return f"SELECT EXISTS (SELECT FROM ONLY {relation(table)})"
