"""Queries whose answers support the suggestion of another shape. Each reads OLD once, of a large table a
sample of its pages.
"""

from __future__ import annotations

from tranship.model.catalog import Table
from tranship.sql.evidence import read_from
from tranship.sql.quote import ident

_MOST_KEYS = 200
"""Keys of a JSON column that are listed: objects with more of them are maps and no rows."""
_MOST_SPELLINGS = 8
_MOST_CHARACTERS = 200


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
    row ``old``) changes, ``empty``: those whose value is then the empty text, ``repeated``: those of the
    others whose value is then another row's, one of each not counted, and ``example``: values of OLD that
    become one.
    """
    value = f'CAST({expression} AS pg_catalog.text) COLLATE pg_catalog."C"'
    own = f'CAST(old.{ident(column)} AS pg_catalog.text) COLLATE pg_catalog."C"'
    held = "pg_catalog.count(*) FILTER (WHERE w.v <> '')"
    return f"""
        WITH a AS (SELECT {own} AS own, {value} AS v FROM {read_from(table, percent, "old")}),
        w AS MATERIALIZED (SELECT a.own, a.v FROM a WHERE a.own IS NOT NULL),
        one AS (
          SELECT w.v FROM w WHERE w.v <> '' GROUP BY w.v HAVING pg_catalog.count(*) > 1
          ORDER BY pg_catalog.count(DISTINCT w.own) DESC, pg_catalog.count(*) DESC, w.v LIMIT 1),
        spelt AS (
          SELECT DISTINCT pg_catalog.left(w.own, {_MOST_CHARACTERS}) AS own FROM w JOIN one ON one.v = w.v
          ORDER BY 1 LIMIT {_MOST_SPELLINGS})
        SELECT pg_catalog.count(*) AS rows, pg_catalog.count(*) FILTER (WHERE w.own <> w.v) AS changed,
          pg_catalog.count(*) FILTER (WHERE w.v = '') AS empty,
          {held} - pg_catalog.count(DISTINCT w.v) FILTER (WHERE w.v <> '') AS repeated,
          (SELECT pg_catalog.array_agg(spelt.own) FROM spelt) AS example
        FROM w
    """


def highest_key(table: Table, column: str) -> str:
    """Returns a query for the largest value of a key, ``highest``: read by the key's own index."""
    highest = f"CAST(pg_catalog.max({ident(column)}) AS pg_catalog.int8) AS highest"
    return f"SELECT {highest} FROM {read_from(table, None)}"
