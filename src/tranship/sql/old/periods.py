"""Foreign keys with PERIOD as OLD computes them: whose period the rows of the parents' flows do not cover."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.sql.old.row_source import row_sources, without

_FIRST_MULTIRANGES = 150000
"""PostgreSQL 14 has multiranges, 15 aggregates them, too."""


def has_range_agg(version: int) -> bool:
    """Returns whether a server of this version can put periods together."""
    return version >= _FIRST_MULTIRANGES


def uncovered(
    child: TablePlan,
    expressions: Sequence[str],
    parents: Sequence[tuple[TablePlan, Sequence[str], Sequence[Locator]]],
) -> str:
    """Returns a query for the rows of a flow whose period its parents do not cover: source position, id.

    Args:
        child: the flow.
        expressions: SQL over ``old`` for the columns of its key, the period last.
        parents: per flow of parents the expressions of their key, and the rows that are no parents.
    """
    width = len(expressions) - 1
    keys = ", ".join(f"k{n}" for n in range(width))
    own = _rows(child, expressions, ())
    above = " UNION ALL ".join(_rows(plan, key, gone) for plan, key, gone in parents)
    same = " AND ".join(f"parent.k{n} OPERATOR(pg_catalog.=) child.k{n}" for n in range(width))
    known = " AND ".join(f"child.k{n} IS NOT NULL" for n in range(width + 1))
    covered = f"child.k{width} OPERATOR(pg_catalog.<@) parent.cover"
    # The server looks for parents that overlap the period, and an empty one overlaps nothing.
    return f"""
        WITH child AS MATERIALIZED ({own}),
        parent AS MATERIALIZED (
          SELECT {keys}, pg_catalog.range_agg(k{width}) AS cover FROM ({above}) AS p GROUP BY {keys})
        SELECT child.source, child.id FROM child LEFT JOIN parent ON {same}
        WHERE {known} AND (({covered}) IS NOT TRUE OR pg_catalog.isempty(child.k{width}))
    """


def _rows(plan: TablePlan, expressions: Sequence[str], gone: Sequence[Locator]) -> str:
    named = ", ".join(f"{expression} AS k{n}" for n, expression in enumerate(expressions))
    return " UNION ALL ".join(
        f"SELECT {number} AS source, {rows.id} AS id, {named}"
        f" {rows.read(without(rows, [r for r in gone if r.source == number]))}"
        for number, rows in row_sources(plan)
    )
