"""The question whether values of old columns are keys of old tables: many columns and many keys in one
statement.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.catalog_codes import RelationKind
from tranship.sql.quote import ident, relation

COMPARED = 1000
"""Distinct values of a column that are compared with keys."""

_WHOLE = "9000000000000000000"
"""Whole numbers beyond it are no keys of type bigint."""


class Asked(Struct, frozen=True):
    """One old column whose values are compared; ``percent`` of its table's pages are read, None: all."""

    table: Table
    column: str
    percent: float | None


def keys_held(columns: Sequence[Asked], keys: Sequence[tuple[Table, str]], *, uuid: bool) -> str:
    """Returns a statement with one row per column and key: ``key``, ``place`` of the column, ``found``
    (distinct values that are keys).

    Columns and keys are numbered from 0. Rows with ``key`` -1 count all compared values of a column, and
    ``whole`` says whether none of its numbers has a fraction; a column without values has no row at all.
    Numbers are compared as ``bigint``, so that the keys' own indexes answer.
    """
    values = " UNION ALL ".join(_values(place, asked, uuid=uuid) for place, asked in enumerate(columns))
    counted = """
        SELECT -1 AS key, v.place, pg_catalog.count(v.value) AS found,
          pg_catalog.bool_and(v.value IS NOT NULL) AS whole
        FROM v GROUP BY v.place
    """
    held = (_held(number, table, column) for number, (table, column) in enumerate(keys))
    return f"WITH v AS MATERIALIZED ({values}) {' UNION ALL '.join((counted, *held))}"


def _values(place: int, asked: Asked, *, uuid: bool) -> str:
    name, sample = f"t.{ident(asked.column)}", ""
    if asked.percent is not None:
        sample = f" TABLESAMPLE SYSTEM ({asked.percent:.6f}) REPEATABLE (0)"
    only = "" if asked.table.kind == RelationKind.PARTITIONED_TABLE else "ONLY "
    value = f"CAST({name} AS pg_catalog.{'uuid' if uuid else 'int8'})"
    declared = asked.table.column(asked.column)
    if declared is not None and declared.type.leaf.base == "numeric":
        is_whole = f"{name} = pg_catalog.trunc({name}) AND pg_catalog.abs({name}) < {_WHOLE}"
        value = f"CASE WHEN {is_whole} THEN {value} END"
    # In the order of their hashes, so that the part that is compared stands for all.
    return f"""
        (SELECT {place} AS place, g.value
         FROM (SELECT DISTINCT {value} AS value FROM {only}{relation(asked.table.name)} AS t{sample}
           WHERE {name} IS NOT NULL) AS g
         ORDER BY pg_catalog.hashtext(CAST(g.value AS pg_catalog.text)) LIMIT {COMPARED})
    """


def _held(number: int, table: Table, column: str) -> str:
    key = table.column(column)
    value = (
        "CAST(v.value AS pg_catalog.numeric)"
        if key is not None and key.type.leaf.base == "numeric"
        else "v.value"
    )
    if key is not None and key.type.leaf.base == "oid":
        value = "CAST(v.value AS pg_catalog.oid)"
    has_key = f"EXISTS (SELECT FROM {relation(table.name)} AS t WHERE t.{ident(column)} = {value})"
    return f"SELECT {number}, v.place, pg_catalog.count(*), NULL FROM v WHERE {has_key} GROUP BY v.place"
