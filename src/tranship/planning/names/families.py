"""Type families: a renamed column may change its declared type within one."""

from __future__ import annotations

from tranship.model.builtin_types import Family
from tranship.model.types import PgType, TypeKind

# oid counts as an integer and money as a decimal because schemas turn the one into the other without a change
# of meaning; date and timestamp are apart because a time of day that goes or comes is a change of meaning.
_WIDER = {
    Family.NUMERIC: "decimal",
    Family.FLOAT: "decimal",
    Family.MONEY: "decimal",
    Family.STRING: "text",
    Family.BITS: "bits",
}
"""Families that renames take together or call otherwise; the others go by their own word."""
_BY_ITSELF = frozenset(
    {
        *(Family.HARDWARE, Family.GEOMETRY, Family.SEARCH, Family.JSON_PATH),
        *(Family.SYSTEM, Family.OBJECT, Family.BYTES, Family.BOOLEAN, Family.PRIVILEGE),
    }
)
"""Families whose types have too little in common for a rename: each type stands for itself."""


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
            return _of_base(leaf)


def _of_base(leaf: PgType) -> str:
    typname, found = leaf.typname, leaf.family
    bare = leaf.base if leaf.name is None or typname else leaf.name.name
    if typname == "oid":
        return "integer"
    if bare == "citext":
        return "text"
    if found is None or found in _BY_ITSELF or typname == "char":
        return bare
    return _WIDER.get(found, found.value)
