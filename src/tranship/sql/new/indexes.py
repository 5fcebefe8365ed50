"""Statements that drop an index before a load and make it again as it was."""

from __future__ import annotations

from tranship.model.names import TableName
from tranship.sql.quote import ident, literal, relation


def drop_index(index: TableName) -> str:
    """Returns ``DROP INDEX`` of one index. RESTRICT, the default, makes it fail where another object depends
    on it.
    """
    return f"DROP INDEX {relation(index)}"


def make_index(index: TableName, definition: str, *, tablespace: str | None, comment: str | None) -> str:
    """Returns statements that make an index again, whole or not at all, inside a transaction.

    Args:
        index: schema and name.
        definition: ``pg_get_indexdef`` as read with an empty search_path, so that it is read back with one,
            too.
        tablespace: of the index; None: the database's own.
        comment: None: it had none.
    """
    # pg_get_indexdef names no tablespace, so CREATE INDEX takes default_tablespace. '' is the database's own,
    # whatever the role's own default is (PostgreSQL documentation, "default_tablespace").
    parts = [
        "SET LOCAL search_path = ''",
        f"SET LOCAL default_tablespace = {ident(tablespace) if tablespace is not None else literal('')}",
        definition,
    ]
    if comment is not None:
        parts.append(f"COMMENT ON INDEX {relation(index)} IS {literal(comment)}")
    return "; ".join(parts)


def holds_rows(table: TableName) -> str:
    """Returns a query whether the table shows any row; one row is read at most."""
    return f"SELECT EXISTS (SELECT FROM ONLY {relation(table)})"
