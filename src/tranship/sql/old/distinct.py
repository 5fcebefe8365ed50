"""The distinct values that lookups of some flows look up, as a SELECT that a flow of its own reads."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.expression import Lookup
from tranship.model.plan import TablePlan
from tranship.sql.expression import lookup_values
from tranship.sql.old.row_source import RowSource, row_source, row_sources, where, whole_table
from tranship.sql.quote import ident


def distinct_values(readers: Sequence[tuple[TablePlan, Lookup]]) -> str:
    """Returns a SELECT of the keys that the rows of flows look up, each once and in a fixed order, under the
    names of the lookup table's key columns; keys with a NULL are never looked up.

    The lookups, at least one, read one table by the same columns.
    """
    names = [ident(key) for key in readers[0][1].keys]
    reads = "\nUNION ALL\n".join(
        _read(lookup, readers[0][1].keys, rows) for plan, lookup in readers for rows in _sources(plan)
    )
    known = where(f"v.{name} IS NOT NULL" for name in names)
    columns = ", ".join(f"v.{name}" for name in names)
    order = ", ".join(f'CAST(d.{name} AS pg_catalog.text) COLLATE pg_catalog."C"' for name in names)
    return f"SELECT d.* FROM (SELECT DISTINCT {columns} FROM ({reads}) AS v{known}) AS d\nORDER BY {order}"


def _read(lookup: Lookup, keys: Sequence[str], rows: RowSource) -> str:
    given = dict(zip(lookup.keys, lookup_values(lookup), strict=True))
    listed = ", ".join(f"{given[key]} AS {ident(key)}" for key in keys)
    # OFFSET 0: expressions are computed for the rows that are taken alone.
    return f"(SELECT {listed} {rows.read()}\nOFFSET 0)"


def _sources(plan: TablePlan) -> list[RowSource]:
    if not plan.sources:
        return []
    if plan.shape.query is not None or len(plan.sources) == 1:
        return [row_source(plan, 0)]
    return [whole_table(plan)] if plan.shape.items is None else [rows for _, rows in row_sources(plan)]
