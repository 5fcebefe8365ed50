"""The most plausible constant for a new column that refuses NULL, and why it is that one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Catalog, Column, Table
from tranship.model.evidence import ColumnFacts, ValueCount
from tranship.model.references import references
from tranship.model.types import TypeKind
from tranship.planning.deciding.resolve.words import SPECIFY_DEFAULT_VALUE
from tranship.planning.deciding.suggest.facts import Fact, Valued
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems
from tranship.planning.printed.allowed_values import allowed_values

_ZERO = {"integer": "0", "decimal": "0", "text": "", "boolean": "false", "json": "{}"}
# Labels and values shown in a reason: a list of more says nothing that the first ones do not.
MOST_SHOWN = 20
_PLAIN = re.compile(r"'((?:[^']|'')*)'(?:::[\w \"().]+)?|(-?[0-9]+(?:\.[0-9]+)?)|(true|false)")


class Constant(Struct, frozen=True):
    """A value as text and the reason for it."""

    value: str
    why: Fact
    empty: bool = False
    """It is the empty value of its type: nothing speaks for it."""
    beside: tuple[str, ...] = ()
    """What else may fill the column."""


def constant(table: Table, column: Column, new: Catalog, there: ColumnFacts | None) -> Constant | None:
    """Returns the most plausible value; None where nothing is plausible.

    The order is: what more than half of NEW's own rows hold, what NEW allows, the default of a column of the
    same name and type, the type's zero.
    """
    # One value for all rows would break the key.
    if any(column.name in key.columns for key in table.keys):
        return None
    most = _of_most_rows(there)
    if there is not None and most is not None:
        return Constant(
            most.value,
            Valued(f"{most.rows} of the {there.rows} rows that NEW holds already have it", most.value),
        )
    if any(column.name in key.columns for key in references(table)):
        return None
    return _allowed(table, column) or _sibling(table, column, new) or _zero(column)


def _of_most_rows(there: ColumnFacts | None) -> ValueCount | None:
    """Returns the value that more than half of the rows of NEW hold: of many different ones the most frequent
    is no constant, as that of a street is not.
    """
    most = there.values[0] if there is not None and there.values else None
    return most if there is not None and most is not None and most.rows * 2 > there.rows else None


def beside_flags(found: Constant, flags: Sequence[str]) -> Constant:
    """Returns a constant with the old columns of two values that find no place and may say the same."""
    if not flags:
        return found
    names = ", ".join(map(repr, flags[:10]))
    why = f"{names}, which only OLD has and which says one of two things of each row, may fill it: give a "
    beside = (*found.beside, f"{why}value_mapping")
    return replace(found, beside=beside)


def kind_label(table: Table, column: Column, old: str) -> Constant | None:
    """Returns the one allowed value that an old table is called by: ``vendor`` for ``vendors``."""
    label = label_of(old, allowed_values(table, column))
    return Constant(label, f"NEW allows {label!r}, which is the name of the old table") if label else None


def label_of(name: str, labels: Sequence[str]) -> str | None:
    """Returns the one label that a table is called by."""
    called = set(stems(name))
    found = [label for label in labels if stems(label) and set(stems(label)) <= called]
    return found[0] if len(found) == 1 else None


def _allowed(table: Table, column: Column) -> Constant | None:
    """Returns the one value that NEW allows; of several none is more plausible than the others."""
    allowed, leaf = allowed_values(table, column), column.type.leaf
    if not allowed or leaf.base == "boolean":
        return None
    listed = ", ".join(allowed[:MOST_SHOWN])
    labels = "labels of its enum" if leaf.kind is TypeKind.ENUM else "values that its CHECK allows"
    if len(allowed) > 1:
        return Constant(SPECIFY_DEFAULT_VALUE, f"the {labels}, of which nothing says one: {listed}")
    return Constant(allowed[0], f"the only one of the {labels}: {listed}")


def _zero(column: Column) -> Constant | None:
    if column.type.leaf.kind is TypeKind.ARRAY:
        return Constant("{}", "an empty array", empty=True)
    value = _ZERO.get(family(column.type))
    if value is None:
        return None
    why = f"the data suggests no value: {value or 'the empty text'} is only the empty value of its type"
    return Constant(value, why, empty=True)


def _sibling(table: Table, column: Column, new: Catalog) -> Constant | None:
    """Returns the default that a column of the same name and type has in another table."""
    for other in new.tables:
        twin = other.column(column.name)
        if twin is None or other.name == table.name or twin.type != column.type:
            continue
        value = constant_default(twin)
        if value is not None:
            return Constant(value, f"the default of {other.name}.{twin.name}")
    return None


def constant_default(column: Column) -> str | None:
    """Returns the default of a new column as a text; None where it has none, or where the server computes
    it.
    """
    plain = _PLAIN.fullmatch(column.default or "")
    if plain is None:
        return None
    text, number, truth = plain.groups()
    return number or truth or (text or "").replace("''", "'")
