"""Columns by which a row of OLD and a row of NEW are the same thing, and how NEW compares them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.types import PgType, TypeKind
from tranship.sql.quote import ident

_EQUALS = "OPERATOR(pg_catalog.=)"


class MatchedKey(Struct, frozen=True):
    """Some columns of a table of NEW with their equality."""

    columns: tuple[str, ...]
    operators: tuple[str, ...]
    """Per column the equality of its type, ``OPERATOR(schema.=)``."""

    def matches(self, one: str, other: str) -> str:
        """Returns the condition that the rows of two aliases have the same key; a NULL is in no key."""
        pairs = zip(self.columns, self.operators, strict=True)
        return " AND ".join(f"{one}.{ident(c)} {operator} {other}.{ident(c)}" for c, operator in pairs)


def matched_key(table: Table, names: Sequence[str]) -> MatchedKey:
    """Returns columns of a table with the equality of their types."""
    types = {column.name: column.type for column in table.columns}
    return MatchedKey(tuple(names), tuple(equality(types[name]) for name in names))


def equality(pg_type: PgType) -> str:
    """Returns the operator by which the type's values are equal, qualified."""
    leaf = pg_type.leaf
    user_made = leaf.name is not None and leaf.name.schema != "pg_catalog" and leaf.kind is TypeKind.BASE
    return leaf.equality if user_made and leaf.equality is not None else _EQUALS
