"""The most plausible constant for a new column that refuses NULL, and why it is that one."""

from __future__ import annotations

import re

from msgspec import Struct

from tranship.model.catalog import Catalog, Column, Table
from tranship.model.evidence import ColumnFacts
from tranship.model.types import TypeKind
from tranship.planning.deciding.suggest.facts import Fact, Valued
from tranship.planning.names.families import family
from tranship.planning.printed.allowed_values import allowed_values

_ZERO = {"integer": "0", "decimal": "0", "text": "", "boolean": "false", "json": "{}"}
_PLAIN = re.compile(r"'((?:[^']|'')*)'(?:::[\w \"().]+)?|(-?[0-9]+(?:\.[0-9]+)?)|(true|false)")


class Constant(Struct, frozen=True):
    """A value as text and the reason for it."""

    value: str
    why: Fact


def constant(table: Table, column: Column, new: Catalog, there: ColumnFacts | None) -> Constant | None:
    """From NEW's own rows, what NEW allows, a default elsewhere in NEW, or the type's nought; None where nothing is plausible."""
    if any(column.name in key.columns for key in table.keys):
        return None
    if there is not None and there.values:
        most = there.values[0]
        return Constant(
            most.value,
            Valued(f"{most.rows} of the {there.rows} rows that NEW holds already have it", most.value),
        )
    if any(column.name in key.columns for key in table.foreign_keys):
        return None
    allowed = allowed_values(table, column)
    leaf = column.type.leaf
    if allowed and leaf.base != "boolean":
        kind = "label of its enum" if leaf.kind is TypeKind.ENUM else "value its CHECK allows"
        return Constant(allowed[0], f"the first {kind}: {', '.join(allowed[:20])}")
    sibling = _sibling(table, column, new)
    if sibling is not None:
        return sibling
    if leaf.kind is TypeKind.ARRAY:
        return Constant("{}", "an empty array")
    value = _ZERO.get(family(column.type))
    return (
        Constant(
            value, f"nothing speaks for a value: {value or 'the empty text'} is what its type has for none"
        )
        if value is not None
        else None
    )


def _sibling(table: Table, column: Column, new: Catalog) -> Constant | None:
    """The default that a column of the same name and type has in another table."""
    for other in new.tables:
        twin = other.column(column.name)
        if (
            other.name != table.name
            and twin is not None
            and twin.type == column.type
            and twin.default is not None
        ):
            plain = _PLAIN.fullmatch(twin.default)
            if plain is not None:
                text, number, truth = plain.groups()
                return Constant(
                    number or truth or (text or "").replace("''", "'"),
                    f"the default of {other.name}.{twin.name}",
                )
    return None
