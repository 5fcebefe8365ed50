"""Rows of NEW by their place, and the old rows behind them."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import ForeignKey, Table
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.sql.expression import compile_text
from tranship.sql.old.batch import from_source, in_batch, where
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


def rows_with(
    plan: TablePlan,
    old: Table,
    batch: Batch,
    positions: Sequence[int],
    values: Sequence[tuple[str | None, ...]],
) -> str:
    """ctid and shipped texts of the rows of a batch that ship one of these combinations."""
    texts = [compile_text(plan, n, old) for n in positions]
    names = [f"v{n}" for n in range(len(texts))]
    listed = ", ".join("(" + ", ".join(f"{literal(v)}::text" for v in row) + ")" for row in values)
    same = " AND ".join(
        f"{text} IS NOT DISTINCT FROM wanted.{name}" for text, name in zip(texts, names, strict=True)
    )
    exists = f"EXISTS (SELECT FROM (VALUES {listed}) AS wanted({', '.join(names)}) WHERE {same})"
    heap = from_source(plan.sources[batch.source])
    return f"SELECT old.ctid::text, {', '.join(texts)}\n{heap}{where([*in_batch(plan, batch), exists])}\nORDER BY old.ctid"


def _places(places: Sequence[Place]) -> str:
    listed = ", ".join(f"({oid}::oid, '{ctid}'::tid)" for oid, ctid in places)
    return f"(VALUES {listed}) AS place(relation, id)"


def orphans(table: TableName, key: ForeignKey, xids: Sequence[int], *, limit: int) -> str:
    """Rows that these transactions wrote into NEW and that break a foreign key: ``relation``, ``id`` (ctid) and ``xmin``.

    MATCH FULL also refuses keys that are partly NULL.
    """
    pairs = " AND ".join(
        f"p.{ident(t)} = c.{ident(n)}" for n, t in zip(key.columns, key.target_columns, strict=True)
    )
    present = " AND ".join(f"c.{ident(n)} IS NOT NULL" for n in key.columns)
    broken = f"({present} AND NOT EXISTS (SELECT FROM {relation(key.target)} AS p WHERE {pairs}))"
    if key.match_full and len(key.columns) > 1:
        some = " OR ".join(f"c.{ident(n)} IS NOT NULL" for n in key.columns)
        broken = f"({broken} OR (({some}) AND NOT ({present})))"
    return (
        "SELECT c.tableoid::oid::bigint AS relation, c.ctid::text AS id, c.xmin::text::bigint AS xmin\n"
        f"FROM {relation(table)} AS c WHERE {broken} AND {written_by('c', xids)} LIMIT {limit}"
    )


def written_by(alias: str, xids: Sequence[int]) -> str:
    """Condition: one of these transactions wrote the row. A xmin has 32 bits, so have the numbers given."""
    return f"({alias}.xmin::text::bigint = ANY ({_numbers(xids)}))"


def _numbers(xids: Sequence[int]) -> str:
    return "'{" + ",".join(str(x & 0xFFFFFFFF) for x in xids) + "}'::bigint[]"
