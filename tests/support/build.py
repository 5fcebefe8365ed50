"""Catalog nouns from short words, for tests without a server.

One by one: ``table("users", "id integer!", "name varchar(10)", key=["id"])``. A whole database from one text:
``parse_catalog("users(id integer! pk, name varchar(10) = 'x'); crm.orders(id integer,
user_id int -> users.id)")``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

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
_WITHOUT_EQUALITY = {"json", "xml"}
_RANGES = {
    "int4range": "integer",
    "int8range": "bigint",
    "numrange": "numeric",
    "daterange": "date",
    "tsrange": "timestamp",
    "tstzrange": "timestamptz",
}


def pg_type(text: str) -> PgType:
    """A built-in type as people write it: ``varchar(10)``, ``numeric(10,2)[]``, ``timestamp(0)``,
    ``interval year to month``, ``int4range``.
    """
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
        equality=None if base in _WITHOUT_EQUALITY else "OPERATOR(pg_catalog.=)",
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


def parse_catalog(
    words: str,
    *,
    schemas: Sequence[str] = ("public",),
    database: str = "db",
    enums: Mapping[str, Sequence[str]] | None = None,
) -> Catalog:
    """Returns a database from its tables, separated by ``;``.

    ``!`` is NOT NULL, ``= text`` a default, ``pk`` the primary key, ``gen`` generated,
    ``-> table.column`` a foreign key, ``v:`` in front of a table its relkind.
    Enum types are given by name with their labels.
    """
    tables = [_parse_table(one, enums or {}) for one in words.split(";") if one.strip()]
    return catalog(*tables, database=database, schemas=tuple(schemas), version=170000)


def _parse_table(words: str, enums: Mapping[str, Sequence[str]]) -> Table:
    parts = re.fullmatch(r"(?:([rpvmf]):)?([^(]+)\((.*)\)", words.strip(), re.DOTALL)
    if parts is None:
        raise ValueError(words)
    schema, _, name = parts[2].strip().rpartition(".")
    outside_parentheses = r",(?![^()]*\))"
    columns: list[Column] = []
    key: list[str] = []
    foreign: list[ForeignKey] = []
    for text in filter(None, map(str.strip, re.split(outside_parentheses, parts[3]))):
        bare, _, target = text.partition("->")
        declared, _, default = bare.partition(" = ")
        found, *rest = declared.split()
        written = " ".join(word for word in rest if word not in ("pk", "gen"))
        made = _parse_column(f"{found} {written}", default.strip(), enums)
        columns.append(
            replace(made, not_null=made.not_null or "pk" in rest, generated="s" if "gen" in rest else "")
        )
        key += [found] if "pk" in rest else []
        if target:
            table_name, _, column_name = target.strip().partition(".")
            reference = TableName("public", table_name)
            foreign.append(ForeignKey(f"{name}_{found}_fkey", (found,), reference, (column_name,)))
    more = {"kind": parts[1] or "r", "foreign_keys": tuple(foreign)}
    return table(name, *columns, key=key, schema=schema or "public", **more)


def _parse_column(declared: str, default: str, enums: Mapping[str, Sequence[str]]) -> Column:
    written = declared.removesuffix("!").partition(" ")[2]
    type_ = enum(written, *enums[written]) if written in enums else None
    return column(declared + (f" = {default}" if default else ""), type_)
