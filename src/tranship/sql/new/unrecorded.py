"""Rows of NEW that no run on record wrote, and that no key of NEW tells from rows that are moved."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Index, Table
from tranship.sql.new.transactions import relation_to_read, written_by
from tranship.sql.quote import ident


def unprotected(indexes: Sequence[Index]) -> str:
    """Returns the condition that none of these unique indexes keeps a row ``t`` from coming twice: it has a
    NULL in each of them, or lies outside a partial one. Without indexes it always holds.
    """
    return " AND ".join(f"({_outside(index)})" for index in indexes) or "true"


def _outside(index: Index) -> str:
    # Two NULLs are one value where the index says so.
    names = () if index.nulls_not_distinct else (name for name in index.columns if name is not None)
    conditions = [f"t.{ident(name)} IS NULL" for name in names]
    if index.predicate is not None:
        conditions.append(f"({index.predicate}) IS NOT TRUE")
    return " OR ".join(conditions) or "false"


def count_unrecorded(table: Table, condition: str, xids: Sequence[int]) -> str:
    """Returns a query for ``whole``, the rows of a table that meet a condition, and ``unrecorded``, those of
    them that none of these transactions wrote.
    """
    return f"""
        SELECT count(*) AS whole, count(*) FILTER (WHERE NOT {written_by("t", xids)}) AS unrecorded
        FROM {relation_to_read(table)} AS t WHERE {condition}
    """


def keys_of_unrecorded(
    table: Table, condition: str, xids: Sequence[int], columns: Sequence[str], most: int
) -> str:
    """Returns a query for the values of some columns, as texts, of at most so many of these rows."""
    texts = ", ".join(f"CAST(t.{ident(name)} AS pg_catalog.text)" for name in columns)
    return f"""
        SELECT {texts} FROM {relation_to_read(table)} AS t
        WHERE {condition} AND NOT {written_by("t", xids)} LIMIT {most}
    """
