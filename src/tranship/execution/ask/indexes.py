"""NEW's unique and exclusion indexes as questions need them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

import asyncpg

from tranship.model.catalog import Table
from tranship.sql.canonical import canonical, canonical_builtin
from tranship.sql.probe import UniqueIndex
from tranship.sql.queries import query


async def read_indexes(new: asyncpg.Connection, table: Table) -> dict[str, UniqueIndex]:
    """By constraint name (index name where there is no constraint)."""
    records = await new.fetch(query("ask_index_keys"), table.name.schema, table.name.name)
    indexes = [_index(table, list(rows)) for _, rows in groupby(records, key=lambda r: r["index"])]
    return {index.constraint: index for index in indexes}


def _index(table: Table, keys: list[asyncpg.Record]) -> UniqueIndex:
    first = keys[0]
    known = next((i for i in table.indexes if i.name == first["index"]), None)
    columns = known.columns if known is not None else (None,) * len(keys)
    return UniqueIndex(
        name=first["index"],
        constraint=first["constraint"],
        expressions=tuple(key["expression"] for key in keys),
        columns=columns,
        operators=tuple(key["operator"] for key in keys),
        collations=tuple(key["collation"] for key in keys),
        predicate=first["predicate"],
        nulls_not_distinct=first["nulls_not_distinct"],
        exclusion=first["exclusion"],
        canonical=tuple(_canonical(table, column, key) for column, key in zip(columns, keys, strict=True)),
        hashable=any(key["joinable"] for key in keys),
    )


def _canonical(table: Table, column: str | None, key: Mapping[str, str | bool | None]) -> str | None:
    if not key["deterministic"]:
        return None
    value = f"({key['expression']})"
    declared = table.column(column) if column is not None else None
    if declared is not None:
        return canonical(value, declared.type, str(key["collation"]) if key["collation"] else None)
    if key["type_kind"] == "e":
        return f"CAST({value} AS pg_catalog.text)"
    builtin = key["type_schema"] == "pg_catalog" and key["type_kind"] == "b"
    return canonical_builtin(value, str(key["type_name"])) if builtin else None
