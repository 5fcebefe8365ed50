"""Words for types and columns in descriptions. Pure."""

from __future__ import annotations

from tranship.model.catalog import Column
from tranship.model.types import PgType, TypeKind

_SHORT = {"character varying": "varchar", "character": "char"}


def type_words(pg_type: PgType) -> str:
    """A type as ``format_type`` prints it, with the short words ``varchar(n)`` and ``char(n)``."""
    if pg_type.kind is TypeKind.ARRAY and pg_type.element is not None:
        return type_words(pg_type.element) + "[]"
    if pg_type.base in _SHORT:
        return _SHORT[pg_type.base] + pg_type.text.removeprefix(pg_type.base)
    return pg_type.text


def filling_words(column: Column) -> str:
    """What the server puts into a new column that no old one feeds."""
    if column.generated:
        return f"Generated in new DB: {column.generation or 'by the server'}"
    if column.identity:
        return "Identity in new DB: numbered by the server"
    if column.default is not None:
        return f"Default in new DB: {column.default}"
    if column.type.default is not None:
        return f"Default of its domain in new DB: {column.type.default}"
    return "Set to NULL"
