"""Keys of NEW as OLD computes them: canonical texts (``sql/types/values.py``) of the values that a plan will
ship.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from tranship.model.builtin_types import Family
from tranship.model.catalog import Column, Table
from tranship.model.expression import Conversion, Followed, Lookup, NewDefault, Rekeyed, Rule, Sql, Take
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.shape import KeyKind
from tranship.model.types import PgType
from tranship.sql.expression import compile_column
from tranship.sql.left_out import nulled
from tranship.sql.types.values import canonical, deterministic


class OldValue(NamedTuple):
    """A value that OLD computes."""

    value: str
    """SQL over ``old``."""
    type: PgType
    """On OLD's side, without domains."""
    collation: str | None
    """None: that of the database, or the type has none."""


_UUID, _NUMERIC = (
    PgType(text=f"pg_catalog.{name}", base=name, name=TableName("pg_catalog", name), category=category)
    for name, category in (("uuid", "U"), ("numeric", "N"))
)
_BYTES = 'pg_catalog."C"'
_COMPARED = {
    Family.INTEGER: "pg_catalog.numeric",
    Family.STRING: "pg_catalog.text",
    Family.UUID: "pg_catalog.uuid",
}
"""Types in which values of some families are compared, whatever width they have in NEW."""


def key_text(parts: Sequence[str]) -> str:
    """Returns SQL that joins several canonical texts into one: a JSON array keeps NULL and ``'null'``
    apart.
    """
    return f"CAST(pg_catalog.json_build_array({', '.join(parts)}) AS pg_catalog.text)"


def computed_on_old(plan: TablePlan, column: str, old: Table) -> str | None:
    """Returns SQL over ``old`` for the canonical text of what will arrive in a column of NEW.

    None where only NEW can tell: a text that NEW's input function still has to read is not yet the value.
    """
    taken = taken_on_old(plan, column, old)
    return canonical(taken.value, taken.type) if taken is not None else None


def taken_on_old(plan: TablePlan, column: str, old: Table) -> OldValue | None:
    """Returns the value that will arrive in a column of NEW.

    None where OLD does not compute that value itself, or its collation is not deterministic.
    """
    position = next((n for n, m in enumerate(plan.columns) if m.column == column), None)
    return None if position is None else _taken(plan, position, old)


def written_on_old(plan: TablePlan, column: str, old: Table) -> tuple[str, Family] | None:
    """Returns SQL over ``old`` for what a column of NEW will hold, also where NEW reads it from a text that
    OLD computes, and the family of types in which it is compared. It raises where NEW would refuse the text.

    None for other families than whole numbers, strings without padding and UUIDs, or where NEW alone knows.
    """
    mapping = next((m for m in plan.columns if m.column == column), None)
    family = mapping.type.leaf.family if mapping is not None else None
    compared = _COMPARED.get(family) if family is not None else None
    if mapping is None or family is None or compared is None or mapping.type.leaf.typname == "bpchar":
        return None
    if isinstance(mapping.expression, NewDefault | Lookup | Rekeyed | Followed):
        return None
    value = compile_column(plan, plan.columns.index(mapping), old)
    text = f"CAST(({value}) AS pg_catalog.text)"
    return (f"{text} COLLATE {_BYTES}" if family is Family.STRING else f"CAST({text} AS {compared})"), family


def both_written(
    child: tuple[TablePlan, str, Table], parent: tuple[TablePlan, str, Table]
) -> tuple[str, str, str] | None:
    """Returns SQL of what a child's and its parent's columns of NEW will hold (`written_on_old`), and the
    operator that compares them; None where OLD cannot compare them.
    """
    one, other = written_on_old(*child), written_on_old(*parent)
    alike = one is not None and other is not None and one[1] == other[1]
    return (one[0], other[0], "OPERATOR(pg_catalog.=)") if one and other and alike else None


def _taken(plan: TablePlan, position: int, old: Table) -> OldValue | None:
    mapping = plan.columns[position]
    match mapping.expression:
        case Take() as take if _computed(take.conversion):
            declared = old.column(take.column)
            if declared is None or not deterministic(declared.collation):
                return None
            kept = declared.type if take.conversion.rule is Rule.SAME else mapping.type
            return OldValue(compile_column(plan, position, old), kept.leaf, _collation(declared))
        case Sql(own=True, total=True):
            return _by_bytes(compile_column(plan, position, old), mapping.type.leaf)
        case Rekeyed(key=key, numbering=None):
            made = _NUMERIC if key.kind is KeyKind.OFFSET else _UUID
            return OldValue(f"CAST({compile_column(plan, position, old)} AS {made.text})", made, None)
        case _:
            return None


def _by_bytes(value: str, type_: PgType) -> OldValue:
    """Returns a computed value: texts of different collations may have gone into it."""
    if type_.family is not Family.STRING:
        return OldValue(value, type_, None)
    return OldValue(f"({value}) COLLATE {_BYTES}", type_, _BYTES)


def _computed(conversion: Conversion) -> bool:
    """Returns whether OLD computes what a conversion gives."""
    return not conversion.fallible and conversion.rule in (Rule.SAME, Rule.OLD_CAST, Rule.ZONE)


def value_on_old(
    plan: TablePlan, old: Table, column: str, value: str, new: Collection[str]
) -> OldValue | None:
    """Returns a column's own value, which is ``value`` in SQL, for some columns of NEW; None where its
    collation is not deterministic.
    """
    declared = old.column(column)
    if declared is None or not deterministic(declared.collation):
        return None
    return OldValue(nulled(plan.shape, column, value, new), declared.type.leaf, _collation(declared))


def _collation(column: Column) -> str | None:
    return column.collation or column.type.collation


def comparable(child: OldValue | None, parent: OldValue | None) -> tuple[str, str] | None:
    """Returns both values as OLD compares them: by their own equality where the types are alike, else by
    canonical text. None where neither is possible, or one of the values is None.
    """
    if child is None or parent is None:
        return None
    texts = canonical(child.value, child.type), canonical(parent.value, parent.type)
    if texts[0] is None or texts[1] is None:
        return None
    both_integers = child.type.family is Family.INTEGER and parent.type.family is Family.INTEGER
    alike = both_integers or (child.type.typname and child.type.base == parent.type.base)
    one, other = (child.value, parent.value) if alike else (texts[0], texts[1])
    if child.collation != parent.collation:
        # Any deterministic collation calls equal what is the same bytes, but the server asks which one.
        one = f'({one}) COLLATE pg_catalog."C"'
    return one, other


def own_equality(child: Column | None, parent: Column | None) -> str | None:
    """Returns the operator by which OLD itself compares two of its columns, such as ``OPERATOR(ext.=)`` of
    citext.

    None where the columns have different types or collations, or their type has no equality.
    """
    if child is None or parent is None or child.collation != parent.collation:
        return None
    alike = child.type.leaf.name == parent.type.leaf.name
    return child.type.leaf.equality if alike else None
