"""Rows of NEW that lack their parent after a copy without foreign keys."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import ForeignKey
from tranship.model.names import TableName
from tranship.sql.foreign_keys import Ends, is_filled, lacks_parent, matches_parent
from tranship.sql.new.given_rows import GivenRows, whole_text
from tranship.sql.new.probe import answer
from tranship.sql.new.transactions import written_by
from tranship.sql.quote import literal, relation

_PLACE = '"tranship place"'
Place = tuple[int, str]
"""A row of NEW: the OID of its relation (of the partition, where there are any) and its ctid."""


def orphans(ends: Ends, key: ForeignKey, xids: Sequence[int], *, limit: int | None) -> str:
    """Returns a query for rows that these transactions wrote and that break a foreign key of NEW.

    Its columns are ``relation`` (OID), ``id`` (ctid) and ``xmin``; at most ``limit`` rows (None:
    all), in no order.
    """
    broken = lacks_parent(key, ends.parents)
    # OFFSET 0: the key is proven first. Who wrote a row is a question about its text, which is slow.
    return f"""
        SELECT c.relation, c.id::text AS id, c.xmin::text::bigint AS xmin FROM (
          SELECT c.tableoid::oid::bigint AS relation, c.ctid AS id, c.xmin AS xmin
          FROM {ends.children} AS c WHERE {broken} OFFSET 0) AS c
        WHERE {written_by("c", xids)} LIMIT {"ALL" if limit is None else limit}
    """


def count_without_parent(child: TableName, keys: Sequence[ForeignKey]) -> str:
    """Returns a query for the number of rows that no table of the keys, at least one, has a parent for. NEW
    need not declare them.
    """
    conditions = [is_filled(keys[0])]
    for key in keys:
        found = f"SELECT FROM {relation(key.target)} AS p WHERE {matches_parent(key)}"
        conditions.append(f"NOT EXISTS ({found})")
    return f"SELECT pg_catalog.count(*) FROM {relation(child)} AS c WHERE {' AND '.join(conditions)}"


def delete_rows(table: TableName, places: Sequence[Place]) -> str:
    """Returns a statement that deletes the rows at these places."""
    at_place = "t.tableoid = place.relation AND t.ctid = place.id"
    return f"DELETE FROM {relation(table)} AS t USING {places_of(places)} WHERE {at_place}"


def children_of_others(
    ends: Ends, key: ForeignKey, places: Sequence[Place], child_xids: Sequence[int]
) -> str:
    """Returns a query for the number of a child's rows that refer to the rows at these places and that other
    transactions than these wrote.
    """
    at_place = "p.tableoid = place.relation AND p.ctid = place.id"
    return f"""
        SELECT count(*) FROM {ends.parents} AS p JOIN {places_of(places)} ON {at_place}
        JOIN {ends.children} AS c ON {matches_parent(key)} WHERE NOT {written_by("c", child_xids)}
    """


def placed_part(rows: GivenRows, columns: Sequence[str], places: Sequence[Place]) -> str:
    """Returns the given rows that have the same :func:`whole_text` as rows of NEW at these places.

    Each answer has the number of such rows of NEW, and the place of the first of them: rows of one content
    share it.
    """
    whole = whole_text(columns)
    place = "CAST(t.tableoid AS pg_catalog.text) OPERATOR(pg_catalog.||) CAST(t.ctid AS pg_catalog.text)"
    at_place = "t.tableoid = place.relation AND t.ctid = place.id"
    rows_of_new = f"{relation(rows.table.name)} AS t JOIN {places_of(places)} ON {at_place}"
    held = f"SELECT t.*, {place} AS {_PLACE} FROM {rows_of_new}"
    return f"""
        SELECT {answer("g.i", literal("placed"), "e.many", "e.place")}
        FROM (SELECT {rows.number} AS i, {whole} AS whole FROM {rows.source}) AS g
        JOIN (SELECT {whole} AS whole, pg_catalog.count(*) AS many, pg_catalog.min({_PLACE}) AS place
              FROM ({held}) AS h GROUP BY 1) AS e
          ON g.whole OPERATOR(pg_catalog.=) e.whole
    """


def places_of(places: Sequence[Place]) -> str:
    """Returns the FROM item ``place`` with the columns ``relation`` and ``id``."""
    listed = ", ".join(f"({oid}::oid, '{ctid}'::tid)" for oid, ctid in places)
    return f"(VALUES {listed}) AS place(relation, id)"
