"""Rows of OLD that break a constraint which OLD holds NOT VALID."""

from __future__ import annotations

from tranship.model.plan import TablePlan
from tranship.sql.old.row_source import row_sources


def failing(plan: TablePlan, expression: str) -> str:
    """Returns a query for the rows that break a CHECK of OLD: source position, id."""
    broken = [f"({expression}) IS FALSE"]
    return " UNION ALL ".join(
        f"SELECT {number} AS source, {rows.id} AS id {rows.read(broken)}"
        for number, rows in row_sources(plan)
    )
