"""Expressions of the decisions that give values of NEW's own type already, so that NEW can refuse none.

OLD says of which type an expression is. A value that OLD holds in a built-in type is a value of the same type
in NEW, as long as NEW's column restricts it no further.
"""

from __future__ import annotations

from collections.abc import Iterable

from tranship.execution.probe.reading import Reader
from tranship.model.expression import Sql
from tranship.model.types import PgType, TypeKind
from tranship.sql.old.expression_checks import value_of

_INTEGERS = ("int2", "int4", "int8")
_SAME = frozenset({*_INTEGERS, "bool", "date", "float4", "float8", "timestamp", "timestamptz", "uuid"})
"""Types of which every server takes what another one prints. Texts are not among them: encodings differ."""


async def of_own_type(reader: Reader, positions: Iterable[int]) -> dict[int, str]:
    """Returns those of some mappings whose expression gives values that NEW's column certainly takes, by
    their positions.
    """
    found = {}
    for position in positions:
        mapping = reader.plan.columns[position]
        if isinstance(mapping.expression, Sql) and _unrestricted(mapping.type):
            statement = await reader.old.prepare(value_of(reader.plan, mapping.expression.text))
            (given,) = (attribute.type for attribute in statement.get_attributes())
            if given.schema == "pg_catalog" and _takes(mapping.type.typname, given.name):
                found[position] = mapping.expression.text
    return found


def _unrestricted(new: PgType) -> bool:
    """Returns whether a type takes every value of its base type."""
    return new.kind is TypeKind.BASE and new.typname in _SAME and not new.modifiers


def _takes(new: str, given: str) -> bool:
    if new in _INTEGERS and given in _INTEGERS:
        return _INTEGERS.index(given) <= _INTEGERS.index(new)
    return new == given
