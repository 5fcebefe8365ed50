"""Statements that ask NEW how many rows break a constraint, whatever the server believes of it."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Check, ForeignKey, Index, Table
from tranship.model.names import TableName
from tranship.sql.foreign_keys import lacks_parent
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.quote import ident, relation


def without_parent(table: TableName, key: ForeignKey) -> str:
    """Returns a query for the number of rows that break a foreign key."""
    broken = lacks_parent(key, relation(key.target))
    return f"SELECT pg_catalog.count(*) FROM {relation(table)} AS c WHERE {broken}"


def failing(table: Table, check: Check) -> str:
    """Returns a query for the number of rows that break a check: one that gives NULL is met."""
    return (
        f"SELECT pg_catalog.count(*) FROM {relation_to_read(table)} AS t WHERE ({check.expression}) IS FALSE"
    )


def lacking(table: Table, columns: Sequence[str]) -> str:
    """Returns a query for one row with the numbers of NULLs in these columns, in their order."""
    counts = (f"pg_catalog.count(*) FILTER (WHERE t.{ident(name)} IS NULL)" for name in columns)
    return f"SELECT {', '.join(counts)} FROM {relation_to_read(table)} AS t"


def alike(table: Table, index: Index) -> str:
    """Returns a query for the number of rows that have the same keys in a unique index as another one.

    They are grouped without the index, which may lack rows.
    """
    collations = index.collations or (None,) * len(index.keys)
    keys = [
        f"({key})" + (f" COLLATE {collation}" if collation is not None else "")
        for key, collation in zip(index.keys, collations, strict=True)
    ]
    conditions = [f"({index.predicate})"] if index.predicate is not None else []
    if not index.nulls_not_distinct:
        conditions += [f"{key} IS NOT NULL" for key in keys]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    groups = f"SELECT pg_catalog.count(*) AS n FROM {relation_to_read(table)} AS t{where}"
    listed = ", ".join(keys)
    return (
        f"SELECT COALESCE(pg_catalog.sum(g.n - 1), 0)::pg_catalog.int8"
        f" FROM ({groups} GROUP BY {listed} HAVING pg_catalog.count(*) > 1) AS g"
    )
