"""Type families: a renamed column may change its declared type within one."""

from __future__ import annotations

from tranship.model.types import PgType, TypeKind

# oid counts as an integer and money as a decimal because schemas turn the one into the other without a change
# of meaning; date and timestamp are apart because a time of day that goes or comes is a change of meaning.
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
    """Returns the family of a type.

    A domain has the family of its base type, an array that of its element with ``[]``. A type without an
    entry is a family of its own.
    """
    leaf = type_.leaf
    match leaf.kind:
        case TypeKind.ARRAY if leaf.element is not None:
            return family(leaf.element) + "[]"
        case TypeKind.ENUM:
            return "enum"
        case _:
            bare = leaf.base if leaf.name is None or leaf.name.schema == "pg_catalog" else leaf.name.name
            return _FAMILIES.get(bare, bare)
