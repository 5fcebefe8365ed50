"""The statement by which a server prints expressions in its own form: they are planned over a row of the
table's shape, never run.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.sql.quote import ident

_MOST_COLUMNS = 1600
"""The most columns that a table may have (PostgreSQL documentation, "PostgreSQL Limits"); a FROM item has the
same limit.
"""


def spell(table: Table, expressions: Sequence[str]) -> str:
    """Returns an EXPLAIN whose output list repeats each expression in one form, with constants folded.

    The FROM item is a function with the table's columns under the table's name. No table is opened, so the
    role needs no privilege on it.
    """
    columns = ", ".join(
        f"{ident(column.name)} {column.type.text}"
        + (f" COLLATE {column.collation}" if column.collation else "")
        for column in table.columns[:_MOST_COLUMNS]
    )
    values = ", ".join(f"({expression})" for expression in expressions)
    shape = f"pg_catalog.json_to_recordset(NULL) AS {ident(table.name.name)}({columns})"
    return f"EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT {values} FROM {shape}"
