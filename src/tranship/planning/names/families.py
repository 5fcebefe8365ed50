"""Type families: what a rename may keep while the declared type changes a little."""

from __future__ import annotations

from tranship.model.types import PgType, TypeKind

_FAMILIES = {
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "oid": "integer",
    "numeric": "decimal",
    "real": "decimal",
    "double precision": "decimal",
    "money": "decimal",
    "text": "text",
    "character varying": "text",
    "character": "text",
    "bpchar": "text",
    "name": "text",
    "citext": "text",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamp",
    "date": "date",
    "time without time zone": "time",
    "time with time zone": "time",
    "json": "json",
    "jsonb": "json",
    "inet": "network",
    "cidr": "network",
    "bit": "bits",
    "bit varying": "bits",
}


def family(type_: PgType) -> str:
    """The family of a type: domains count as what they are made of, arrays as their element with ``[]``."""
    leaf = type_.leaf
    match leaf.kind:
        case TypeKind.ARRAY if leaf.element is not None:
            return family(leaf.element) + "[]"
        case TypeKind.ENUM:
            return "enum"
        case _:
            bare = leaf.base if leaf.name is None or leaf.name.schema == "pg_catalog" else leaf.name.name
            return _FAMILIES.get(bare, bare)
