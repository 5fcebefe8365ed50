"""Rows of NEW by their place, and the old rows behind them."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.sql.copy import from_source, in_batch, where
from tranship.sql.expression import compile_text
from tranship.sql.quote import ident, literal, relation

Place = tuple[int, str]
"""A relation's OID (a partition's, where there are any) and a ctid."""


def delete_rows(table: TableName, places: Sequence[Place]) -> str:
    """Deletes rows by their places."""
    return f"DELETE FROM {relation(table)} AS t USING {_places(places)} WHERE t.tableoid = place.relation AND t.ctid = place.id"


def values_of(table: TableName, columns: Sequence[str], places: Sequence[Place]) -> str:
    """The columns as text, one row per place, in no order."""
    listed = ", ".join(f"t.{ident(c)}::text" for c in columns)
    return f"SELECT {listed} FROM {relation(table)} AS t JOIN {_places(places)} ON t.tableoid = place.relation AND t.ctid = place.id"


def rows_with(plan: TablePlan, old: Table, batch: Batch, positions: Sequence[int], values: Sequence[tuple[str | None, ...]]) -> str:
    """ctid and shipped texts of the rows of a batch that ship one of these combinations."""
    texts = [compile_text(plan, n, old) for n in positions]
    names = [f"v{n}" for n in range(len(texts))]
    listed = ", ".join("(" + ", ".join(f"{literal(v)}::text" for v in row) + ")" for row in values)
    same = " AND ".join(f"{text} IS NOT DISTINCT FROM wanted.{name}" for text, name in zip(texts, names, strict=True))
    exists = f"EXISTS (SELECT FROM (VALUES {listed}) AS wanted({', '.join(names)}) WHERE {same})"
    heap = from_source(plan.sources[batch.source])
    return f"SELECT old.ctid::text, {', '.join(texts)}\n{heap}{where([*in_batch(plan, batch), exists])}\nORDER BY old.ctid"


def _places(places: Sequence[Place]) -> str:
    listed = ", ".join(f"({oid}::oid, '{ctid}'::tid)" for oid, ctid in places)
    return f"(VALUES {listed}) AS place(relation, id)"
