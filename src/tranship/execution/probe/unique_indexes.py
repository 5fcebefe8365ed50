"""The unique and exclusion indexes of NEW, as the data checks need them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

import asyncpg
from msgspec.structs import replace

from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.sql.new.given_rows import both
from tranship.sql.new.unique_indexes import UniqueIndex
from tranship.sql.queries import query
from tranship.sql.quote import ident
from tranship.sql.types.values import canonical, canonical_builtin


async def read_indexes(new: asyncpg.Connection, table: Table) -> dict[str, UniqueIndex]:
    """Returns indexes by the name of their constraint, or by their own.

    An index that only a partition declares applies to the rows that go there.
    """
    indexes = await _read(new, table, table.name)
    for leaf in table.partitions:
        own = {key.name for key in leaf.keys}
        for name, index in (await _read(new, table, leaf.name)).items() if own else ():
            if name in own:
                indexes[name] = replace(index, predicate=both(leaf.constraint, index.predicate), leaf=True)
    return indexes


async def _read(new: asyncpg.Connection, table: Table, relation: TableName) -> dict[str, UniqueIndex]:
    records = await new.fetch(query("ask_index_keys"), relation.schema, relation.name)
    indexes = [_index(table, list(rows)) for _, rows in groupby(records, key=lambda r: r["index"])]
    return {index.constraint: index for index in indexes}


def _index(table: Table, keys: list[asyncpg.Record]) -> UniqueIndex:
    first = keys[0]
    names = {text: column.name for column in table.columns for text in (column.name, ident(column.name))}
    known = next((i for i in table.indexes if i.name == first["index"]), None)
    columns = known.columns if known is not None else tuple(names.get(key["expression"]) for key in keys)
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
        range=_range(keys),
    )


def _range(keys: list[asyncpg.Record]) -> int | None:
    overlapping = [n for n, key in enumerate(keys) if key["operator"] == "OPERATOR(pg_catalog.&&)"]
    others = [key["operator"] for n, key in enumerate(keys) if n not in overlapping]
    if len(overlapping) != 1 or any(operator != "OPERATOR(pg_catalog.=)" for operator in others):
        return None
    builtin = keys[overlapping[0]]["type_schema"] == "pg_catalog" and keys[overlapping[0]]["type_kind"] == "r"
    return overlapping[0] if builtin else None


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
