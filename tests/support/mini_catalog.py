"""Catalogs for tests of the pure layers, from a few words: ``users(id integer! pk, name varchar(10) = 'x'); crm.orders(id integer)``.

``!`` is NOT NULL, ``= text`` a default, ``pk`` the primary key, ``gen`` generated, ``-> table.column`` a foreign key, ``v:`` in front a relkind.
Enum types are given by name with their labels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tranship.model.catalog import Catalog, Column, ForeignKey, Key, Table
from tranship.model.names import TableName
from tranship.model.types import PgType, TypeKind

_SHORT = {
    "varchar": "character varying",
    "char": "character",
    "int": "integer",
    "timestamp": "timestamp without time zone",
}
_SHORT |= {"timestamptz": "timestamp with time zone", "bool": "boolean"}
_CATEGORY = {
    "integer": "N",
    "bigint": "N",
    "smallint": "N",
    "numeric": "N",
    "text": "S",
    "character varying": "S",
    "character": "S",
    "boolean": "B",
}
_INTERNAL = {
    "integer": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "character varying": "varchar",
    "character": "bpchar",
    "boolean": "bool",
}
_INTERNAL |= {
    "real": "float4",
    "double precision": "float8",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}


def pg_type(text: str, enums: Mapping[str, Sequence[str]] | None = None) -> PgType:
    """A type from its short spelling."""
    if enums and text in enums:
        name = TableName("public", text)
        return PgType(
            text=str(name),
            base=str(name),
            kind=TypeKind.ENUM,
            name=name,
            category="E",
            labels=tuple(enums[text]),
        )
    parts = re.fullmatch(r"([a-z ]+?)(?:\(([0-9, -]+)\))?", text)
    assert parts is not None, text
    base = _SHORT.get(parts[1], parts[1])
    modifiers = tuple(int(number) for number in parts[2].split(",")) if parts[2] else ()
    shown = f"{base}({','.join(map(str, modifiers))})" if modifiers else base
    name = TableName("pg_catalog", _INTERNAL.get(base, base))
    equality = None if base in ("json", "xml") else "OPERATOR(pg_catalog.=)"
    return PgType(
        text=shown,
        base=base,
        modifiers=modifiers,
        name=name,
        category=_CATEGORY.get(base, "U"),
        equality=equality,
        portable=True,
    )


def _column(
    words: str, attnum: int, enums: Mapping[str, Sequence[str]] | None
) -> tuple[Column, bool, str | None]:
    bare, _, target = words.partition("->")
    bare, _, default = bare.partition(" = ")
    parts = bare.split()
    primary = "pk" in parts
    generated = "gen" in parts
    name, type_words = parts[0], " ".join(part for part in parts[1:] if part not in ("pk", "gen"))
    not_null = type_words.endswith("!") or primary
    made = Column(
        name=name,
        attnum=attnum,
        type=pg_type(type_words.rstrip("!"), enums),
        not_null=not_null,
        default=default.strip() or None,
        generated="s" if generated else "",
    )
    return made, primary, target.strip() or None


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def table(words: str, enums: Mapping[str, Sequence[str]] | None = None) -> Table:
    """One table."""
    parts = re.fullmatch(r"(?:([rpvmf]):)?([^(]+)\((.*)\)", words.strip(), re.DOTALL)
    assert parts is not None, words
    schema, _, bare = parts[2].strip().rpartition(".")
    name = TableName(schema or "public", bare)
    columns = [_column(column, number, enums) for number, column in enumerate(_split(parts[3]), 1)]
    primary = tuple(column.name for column, is_key, _ in columns if is_key)
    keys = (Key(f"{bare}_pkey", primary=True, columns=primary),) if primary else ()
    foreign = tuple(
        ForeignKey(
            f"{bare}_{column.name}_fkey",
            (column.name,),
            TableName("public", target.split(".")[0]),
            (target.split(".")[1],),
        )
        for column, _, target in columns
        if target
    )
    shape = tuple(column for column, _, _ in columns)
    return Table(
        name=name,
        kind=parts[1] or "r",
        columns=shape,
        keys=keys,
        foreign_keys=foreign,
        privileges=("SELECT", "INSERT"),
    )


def catalog(
    words: str,
    *,
    schemas: Sequence[str] = ("public",),
    database: str = "db",
    enums: Mapping[str, Sequence[str]] | None = None,
) -> Catalog:
    """A database."""
    tables = tuple(
        sorted((table(one, enums) for one in words.split(";") if one.strip()), key=lambda t: t.name)
    )
    return Catalog(database=database, server_version=170000, schemas=tuple(schemas), tables=tables)
