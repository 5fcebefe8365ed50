"""Statements that tend tables of NEW."""

from __future__ import annotations

from collections.abc import Iterable

from tranship.model.names import TableName
from tranship.sql.quote import relation


def analyze(tables: Iterable[TableName]) -> str:
    """Returns a statement that gathers the statistics of some tables, at least one."""
    return f"ANALYZE {', '.join(map(relation, tables))}"
