"""Statements that drop an index before a load and make it again as it was."""

from __future__ import annotations

from tranship.model.names import TableName
from tranship.sql.quote import relation


def drop_index(index: TableName) -> str:
    """Returns ``DROP INDEX`` of one index. RESTRICT, the default, makes it fail where another object depends
    on it.
    """
    return f"DROP INDEX {relation(index)}"


def holds_rows(table: TableName) -> str:
    """Returns a query whether the table shows any row; one row is read at most."""
    return f"SELECT EXISTS (SELECT FROM ONLY {relation(table)})"
