"""Catalog nouns from short words, for tests without a server: ``table("users", "id integer!", "name varchar(10)")``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from tranship.model.catalog import Catalog, Column, ForeignKey, Key, Table
from tranship.model.names import TableName
from tranship.model.types import Attribute, DomainCheck, PgType, TypeKind

_SHORT = {
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "varchar": "character varying",
    "char": "character",
    "varbit": "bit varying",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
}
_TYPNAME = {
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "real": "float4",
    "double precision": "float8",
    "boolean": "bool",
    "character varying": "varchar",
    "character": "bpchar",
    "bit varying": "varbit",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "time with time zone": "timetz",
}
_CATEGORY = {
    "int2": "N",
    "int4": "N",
    "int8": "N",
    "numeric": "N",
    "float4": "N",
    "float8": "N",
    "bool": "B",
    "text": "S",
    "varchar": "S",
    "bpchar": "S",
}
_RANGES = {
    "int4range": "integer",
    "int8range": "bigint",
    "numrange": "numeric",
    "daterange": "date",
    "tsrange": "timestamp",
    "tstzrange": "timestamptz",
}


def pg_type(text: str) -> PgType:
    """A built-in type as people write it: ``varchar(10)``, ``numeric(10,2)[]``, ``timestamp(0)``, ``interval year to month``, ``int4range``."""
    if text.endswith("[]"):
        return array(pg_type(text[:-2]))
    found = re.fullmatch(r"([^()]+?)(?:\(([-\d, ]+)\))?", text)
    if found is None:
        raise ValueError(text)
    word = found.group(1)
    modifiers = tuple(int(part) for part in (found.group(2) or "").split(",") if part)
    if word in _RANGES:
        return PgType(
            text=word,
            base=word,
            kind=TypeKind.RANGE,
            name=TableName("pg_catalog", word),
            element=pg_type(_RANGES[word]),
        )
    base = _SHORT.get(word, word)
    inside = f"({','.join(map(str, modifiers))})" if modifiers else ""
    first, _, rest = base.partition(" ")
    printed = f"{first}{inside} {rest}" if first in ("timestamp", "time") and rest else f"{base}{inside}"
    if base.startswith("interval"):
        base = "interval"
    typname = _TYPNAME.get(base, base)
    return PgType(
        text=printed,
        base=base,
        modifiers=modifiers,
        name=TableName("pg_catalog", typname),
        category=_CATEGORY.get(typname, "U"),
        portable=True,
        equality="OPERATOR(pg_catalog.=)",
    )


def array(element: PgType) -> PgType:
    """The array of a type."""
    name = TableName(element.name.schema, f"_{element.name.name}") if element.name is not None else None
    return PgType(
        text=f"{element.text}[]",
        base=f"{element.base}[]",
        kind=TypeKind.ARRAY,
        name=name,
        element=element,
        portable=element.portable,
    )


def enum(name: str, *labels: str, schema: str = "public") -> PgType:
    """An enum of the user's."""
    return _user(TypeKind.ENUM, name, schema, labels=labels, category="E")


def domain(
    name: str, base: PgType | str, *checks: str, not_null: bool = False, schema: str = "public"
) -> PgType:
    """A domain; each check is an expression over VALUE."""
    element = base if isinstance(base, PgType) else pg_type(base)
    named = tuple(DomainCheck(name=f"{name}_check{n}", expression=text) for n, text in enumerate(checks))
    return _user(TypeKind.DOMAIN, name, schema, element=element, checks=named, not_null=not_null)


def composite(name: str, schema: str = "public", **attributes: PgType | str) -> PgType:
    """A composite type."""
    inside = tuple(
        Attribute(key, value if isinstance(value, PgType) else pg_type(value))
        for key, value in attributes.items()
    )
    return _user(TypeKind.COMPOSITE, name, schema, attributes=inside)


def extension_type(name: str, extension: str, schema: str = "public") -> PgType:
    """A type that an extension brought."""
    return _user(TypeKind.BASE, name, schema, extension=extension)


def _user(kind: TypeKind, name: str, schema: str, **more: object) -> PgType:
    text = f"{schema}.{name}"
    return replace(PgType(text=text, base=text, kind=kind, name=TableName(schema, name)), **more)


def column(text: str, type_: PgType | None = None, **more: object) -> Column:
    """``id integer!`` is NOT NULL, ``n integer = 5`` has a default; other fields by keyword."""
    declared, _, default = text.partition(" = ")
    not_null = declared.endswith("!")
    name, _, written = declared.removesuffix("!").partition(" ")
    made = Column(
        name=name, attnum=0, type=type_ or pg_type(written), not_null=not_null, default=default or None
    )
    return replace(made, **more) if more else made


def table(
    name: str,
    *columns: str | Column,
    key: Iterable[str] = (),
    references: Iterable[tuple[str, str]] = (),
    schema: str = "public",
    **more: object,
) -> Table:
    """A table with SELECT granted. ``key`` is the primary key, ``references`` pairs of column and table."""
    made = tuple(
        replace(c if isinstance(c, Column) else column(c), attnum=n) for n, c in enumerate(columns, 1)
    )
    keys = (Key(name=f"{name}_pkey", primary=True, columns=tuple(key)),) if key else ()
    foreign = tuple(
        ForeignKey(f"{name}_{c}_fkey", (c,), TableName(schema, target), ("id",)) for c, target in references
    )
    named = TableName(schema, name)
    whole = Table(
        name=named, kind="r", columns=made, keys=keys, foreign_keys=foreign, privileges=("SELECT", "INSERT")
    )
    return replace(whole, **more) if more else whole


def catalog(
    *tables: Table, database: str = "mydb", schemas: tuple[str, ...] = ("public",), version: int = 150000
) -> Catalog:
    """A database that holds exactly these relations."""
    return Catalog(
        database=database,
        server_version=version,
        schemas=schemas,
        tables=tuple(sorted(tables, key=lambda t: t.name)),
        user="reader",
    )
