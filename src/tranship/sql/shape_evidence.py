"""Queries whose answers support the suggestion of another shape. Each reads OLD once, of a large table a
sample of its pages.
"""

from __future__ import annotations

from tranship.model.catalog import Table
from tranship.sql.evidence import read_from
from tranship.sql.quote import ident

_MOST_KEYS = 200
"""Keys of a JSON column that are listed: objects with more of them are maps and no rows."""


def json_keys(table: Table, column: str, percent: float | None) -> str:
    """Returns a query with one row per key of the objects in a JSON column, by name: ``items`` (the object is
    an item of an array), ``key``, ``rows`` (objects that have it), ``kinds`` (of its values, without null)
    and ``objects`` (how many there are of the row's ``items``).
    """
    kind = "pg_catalog.jsonb_typeof(e.value)"
    return f"""
        WITH j AS (
          SELECT CAST({ident(column)} AS pg_catalog.jsonb) AS v FROM {read_from(table, percent)}),
        o AS (
          SELECT j.v, false AS items FROM j WHERE pg_catalog.jsonb_typeof(j.v) = 'object'
          UNION ALL
          SELECT i.value, true FROM j CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(
            CASE WHEN pg_catalog.jsonb_typeof(j.v) = 'array' THEN j.v END) AS i
          WHERE pg_catalog.jsonb_typeof(i.value) = 'object'),
        n AS (SELECT o.items, pg_catalog.count(*) AS objects FROM o GROUP BY o.items)
        SELECT n.items, e.key, pg_catalog.count(*) AS rows, n.objects,
          pg_catalog.array_agg(DISTINCT {kind} ORDER BY {kind}) FILTER (WHERE {kind} <> 'null') AS kinds
        FROM o CROSS JOIN LATERAL pg_catalog.jsonb_each(o.v) AS e JOIN n ON n.items = o.items
        GROUP BY n.items, n.objects, e.key ORDER BY n.items, e.key COLLATE pg_catalog."C" LIMIT {_MOST_KEYS}
    """


def written_in_one_way(table: Table, column: str, expression: str, percent: float | None) -> str:
    """Returns a query with one row: ``rows`` that hold a value, those whose value ``expression`` (over the
    row ``old``) changes, and ``repeated``: those whose value is then another row's, one of each not counted.
    """
    value = f'CAST({expression} AS pg_catalog.text) COLLATE pg_catalog."C"'
    own = f'CAST(old.{ident(column)} AS pg_catalog.text) COLLATE pg_catalog."C"'
    return f"""
        SELECT pg_catalog.count(*) AS rows, pg_catalog.count(*) FILTER (WHERE w.own <> w.v) AS changed,
          pg_catalog.count(*) - pg_catalog.count(DISTINCT w.v) AS repeated
        FROM (SELECT {own} AS own, {value} AS v FROM {read_from(table, percent, "old")}) AS w
        WHERE w.own IS NOT NULL
    """


def highest_key(table: Table, column: str) -> str:
    """Returns a query for the largest value of a key, ``highest``: read by the key's own index."""
    highest = f"CAST(pg_catalog.max({ident(column)}) AS pg_catalog.int8) AS highest"
    return f"SELECT {highest} FROM {read_from(table, None)}"
