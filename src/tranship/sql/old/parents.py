"""Rows of OLD that other rows refer to."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import ForeignKey
from tranship.model.plan import TablePlan
from tranship.sql.foreign_keys import equal
from tranship.sql.old.row_source import row_sources
from tranship.sql.quote import ident, relation


def referenced_rows(plan: TablePlan, key: ForeignKey, texts: Sequence[str]) -> str:
    """Returns a query for the rows that a flow refers to through a foreign key of OLD: the given texts.

    ``texts`` are SQL over ``old``, a row of the referenced table. The table is read with its partitions and
    without inheritance children, as the key reads it (PostgreSQL documentation, "Inheritance", "Caveats").
    """
    pairs = list(zip(key.columns, key.target_columns, strict=True))
    children = []
    for _, rows in row_sources(plan):
        columns = ", ".join(f"old.{ident(child)} AS k{n}" for n, (child, _) in enumerate(pairs))
        children.append(f"SELECT {columns} {rows.read()}")
    same = " AND ".join(
        equal(key, n, f"old.{ident(parent)}", f"child.k{n}") for n, (_, parent) in enumerate(pairs)
    )
    return f"""
        SELECT {", ".join(texts)} FROM {relation(key.target)} AS old
        WHERE EXISTS (SELECT FROM ({" UNION ALL ".join(children)}) AS child WHERE {same})
    """
