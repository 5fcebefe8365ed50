"""The statement by which a server spells expressions: planned, never run, over a row of the table's shape."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.sql.quote import ident

_MOST_COLUMNS = 1600


def spell(table: Table, expressions: Sequence[str]) -> str:
    """EXPLAIN's output list repeats each expression in one spelling, constants folded. No table is opened, so no privilege is needed."""
    columns = ", ".join(
        f"{ident(column.name)} {column.type.text}"
        + (f" COLLATE {column.collation}" if column.collation else "")
        for column in table.columns[:_MOST_COLUMNS]
    )
    values = ", ".join(f"({expression})" for expression in expressions)
    shape = f"pg_catalog.json_to_recordset(NULL) AS {ident(table.name.name)}({columns})"
    return f"EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT {values} FROM {shape}"
