"""The unique and exclusion indexes of NEW, as the data checks need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
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


class Indexes:
    """The indexes of tables of NEW. The first table that is asked for brings those of all others along:
    to plan the query takes longer than to answer it.
    """

    def __init__(self, new: asyncpg.Connection, tables: Iterable[Table]) -> None:
        self._new = new
        self._wanted = {name for table in tables for name in _relations(table)}
        self._keys: dict[TableName, list[asyncpg.Record]] = {}

    async def of(self, table: Table) -> dict[str, UniqueIndex]:
        """Returns indexes by the name of their constraint, or by their own.

        An index that only a partition declares applies to the rows that go there.
        """
        await self._read({name for name in _relations(table) if name not in self._keys})
        indexes = self._built(table, table.name)
        for leaf in table.partitions:
            own = {key.name for key in leaf.keys}
            for name, index in self._built(table, leaf.name).items() if own else ():
                if name in own:
                    indexes[name] = replace(
                        index, predicate=both(leaf.constraint, index.predicate), leaf=True
                    )
        return indexes

    async def _read(self, missing: Set[TableName]) -> None:
        if not missing:
            return
        wanted = sorted(missing | (self._wanted - self._keys.keys()))
        self._keys |= {name: [] for name in wanted}
        schemas, names = [name.schema for name in wanted], [name.name for name in wanted]
        for record in await self._new.fetch(query("ask_index_keys"), schemas, names):
            self._keys[TableName(record["schema"], record["relation"])].append(record)

    def _built(self, table: Table, relation: TableName) -> dict[str, UniqueIndex]:
        by_index = groupby(self._keys[relation], key=lambda record: record["index"])
        indexes = [_index(table, list(keys)) for _, keys in by_index]
        return {index.constraint: index for index in indexes}


def _relations(table: Table) -> list[TableName]:
    """Returns the names of a table and of those partitions that have keys of their own."""
    return [table.name, *(leaf.name for leaf in table.partitions if leaf.keys)]


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
