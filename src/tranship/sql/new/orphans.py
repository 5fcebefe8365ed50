"""Rows of NEW that lack their parent after a copy without foreign keys."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import ForeignKey
from tranship.model.names import TableName
from tranship.sql.quote import ident, relation

Place = tuple[int, str]
"""A row of NEW: the OID of its relation (of the partition, where there are any) and its ctid."""


def orphans(table: TableName, key: ForeignKey, xids: Sequence[int], *, limit: int) -> str:
    """Returns a query for rows that these transactions wrote and that break a foreign key of NEW.

    Its columns are ``relation`` (OID), ``id`` (ctid) and ``xmin``; at most ``limit`` rows, in no order.
    """
    parent = f"SELECT FROM {relation(key.target)} AS p WHERE {matches_parent(key)}"
    broken = f"({is_filled(key)} AND NOT EXISTS ({parent}))"
    if key.match_full and len(key.columns) > 1:
        # MATCH FULL refuses a key of which only some columns are NULL (PostgreSQL documentation, "CREATE
        # TABLE").
        some = " OR ".join(f"c.{ident(n)} IS NOT NULL" for n in key.columns)
        broken = f"({broken} OR (({some}) AND NOT ({is_filled(key)})))"
    return f"""
        SELECT c.tableoid::oid::bigint AS relation, c.ctid::text AS id, c.xmin::text::bigint AS xmin
        FROM {relation(table)} AS c WHERE {broken} AND {written_by("c", xids)} LIMIT {limit}
    """


def delete_rows(table: TableName, places: Sequence[Place]) -> str:
    """Returns a statement that deletes the rows at these places."""
    at_place = "t.tableoid = place.relation AND t.ctid = place.id"
    return f"DELETE FROM {relation(table)} AS t USING {_places(places)} WHERE {at_place}"


def values_of(table: TableName, columns: Sequence[str], places: Sequence[Place]) -> str:
    """Returns a query for some columns as text, one row per place that holds a row, in no order."""
    listed = ", ".join(f"t.{ident(c)}::text" for c in columns)
    at_place = "t.tableoid = place.relation AND t.ctid = place.id"
    return f"SELECT {listed} FROM {relation(table)} AS t JOIN {_places(places)} ON {at_place}"


def matches_parent(key: ForeignKey) -> str:
    """Returns the condition that the parent row ``p`` is the one that the child row ``c`` refers to."""
    return " AND ".join(
        f"p.{ident(t)} = c.{ident(n)}" for n, t in zip(key.columns, key.target_columns, strict=True)
    )


def is_filled(key: ForeignKey) -> str:
    """Returns the condition that no key column of the child row ``c`` is NULL."""
    return " AND ".join(f"c.{ident(n)} IS NOT NULL" for n in key.columns)


def written_by(alias: str, xids: Sequence[int]) -> str:
    """Returns the condition that one of these transactions wrote the row.

    ``xids`` are 64-bit numbers with the epoch, as ``txid_current()`` gives them; xmin holds the lower 32 bits
    (PostgreSQL documentation, "Transactions and Identifiers").
    """
    numbers = "'{" + ",".join(str(x & 0xFFFFFFFF) for x in xids) + "}'::bigint[]"
    return f"({alias}.xmin::text::bigint = ANY ({numbers}))"


def _places(places: Sequence[Place]) -> str:
    listed = ", ".join(f"({oid}::oid, '{ctid}'::tid)" for oid, ctid in places)
    return f"(VALUES {listed}) AS place(relation, id)"
