"""Rows of NEW that a run wrote: counted, deleted piece by piece, and what stands beside them."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import ForeignKey
from tranship.model.names import TableName
from tranship.sql.new.orphans import written_by
from tranship.sql.quote import ident, relation

PAGES = """SELECT (pg_catalog.pg_relation_size($1::oid) / pg_catalog.current_setting('block_size')::bigint)::bigint"""
"""$1 oid of a relation: pages of its heap."""


def count_ours(table: TableName, xids: Sequence[int]) -> str:
    """How many rows of a table these transactions wrote."""
    return f"SELECT count(*) FROM {relation(table)} AS t WHERE {written_by('t', xids)}"


def delete_together(tables: Sequence[tuple[TableName, Sequence[int]]]) -> str:
    """Deletes them from all the tables in one statement, so that foreign keys among them are judged at its end. One row: counts ``n0`` …"""
    parts = [
        f"d{n} AS (DELETE FROM {relation(name)} AS t WHERE {written_by('t', xids)} RETURNING 1)"
        for n, (name, xids) in enumerate(tables)
    ]
    counts = ", ".join(f"(SELECT count(*) FROM d{n}) AS n{n}" for n in range(len(tables)))
    return f"WITH {', '.join(parts)} SELECT {counts}"


def delete_pages(leaf: TableName, xids: Sequence[int], first: int, end: int) -> str:
    """Deletes them from the pages ``first`` up to and without ``end`` of one relation that is no partitioned table."""
    pages = f"t.ctid >= '({first},0)'::pg_catalog.tid AND t.ctid < '({end},0)'::pg_catalog.tid"
    return f"DELETE FROM ONLY {relation(leaf)} AS t WHERE {pages} AND {written_by('t', xids)}"


def whole_rows_identify(table: TableName) -> str:
    """Lets rows be deleted from a published table that has no key."""
    return f"ALTER TABLE {relation(table)} REPLICA IDENTITY FULL;"


def written_since(table: TableName, key: Sequence[str], xids: Sequence[int], age: int, limit: int) -> str:
    """Keys (an array of texts each) of rows that other transactions wrote at most ``age`` transactions ago."""
    texts = ", ".join(f"t.{ident(column)}::text" for column in key)
    order = ", ".join(f"t.{ident(column)}" for column in key)
    recent = f"pg_catalog.age(t.xmin) <= {age} AND NOT {written_by('t', xids)}"
    return f"SELECT ARRAY[{texts}] AS key FROM {relation(table)} AS t WHERE {recent} ORDER BY {order} LIMIT {limit}"


def parentless(child: TableName, key: ForeignKey) -> str:
    """How many rows of a child, whoever wrote them, lack the parent they refer to."""
    pairs = " AND ".join(
        f"p.{ident(t)} = c.{ident(n)}" for n, t in zip(key.columns, key.target_columns, strict=True)
    )
    present = " AND ".join(f"c.{ident(n)} IS NOT NULL" for n in key.columns)
    return f"SELECT count(*) FROM {relation(child)} AS c WHERE {present} AND NOT EXISTS (SELECT FROM {relation(key.target)} AS p WHERE {pairs})"


def foreign_children(
    child: TableName, key: ForeignKey, child_xids: Sequence[int], parent_xids: Sequence[int]
) -> str:
    """How many rows of a child that others wrote refer to rows of the parent that these transactions wrote."""
    pairs = " AND ".join(
        f"p.{ident(t)} = c.{ident(n)}" for n, t in zip(key.columns, key.target_columns, strict=True)
    )
    return (
        f"SELECT count(*) FROM {relation(child)} AS c JOIN {relation(key.target)} AS p ON {pairs}\n"
        f"WHERE {written_by('p', parent_xids)} AND NOT {written_by('c', child_xids)}"
    )
