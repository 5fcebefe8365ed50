"""What a new constraint demands of OLD's rows, in a form in which OLD can count the rows that break it.

Where conversions or NEW's own rows decide, there is no demand: the dry run asks both servers.
"""

from __future__ import annotations

from collections.abc import Iterable

from tranship.model.builtin_types import Family
from tranship.model.catalog import Check, Column, ForeignKey, Key
from tranship.model.evidence import Demand
from tranship.model.expression import Rule
from tranship.planning.comparing.structure.sides import TableSides
from tranship.planning.types.conversion import convert


def null_demand(sides: TableSides, before: Column, after: Column) -> Demand:
    """Returns the demand of a NOT NULL: a conversion makes no NULL and takes none away."""
    return Demand(sides.old.name, "null", ((before.name, after.name),))


def check_demand(sides: TableSides, check: Check) -> Demand | None:
    """Returns the demand of a CHECK; None unless all its columns are copied as they are."""
    kept = _kept(sides, check.columns)
    return Demand(sides.old.name, "check", kept, check.expression) if kept else None


def unique_demand(sides: TableSides, key: Key) -> Demand | None:
    """Returns the demand of a key; None unless all its columns are copied as they are.

    ``key`` must compare nothing under a collation of its own.
    """
    kept = _kept(sides, key.columns)
    return (
        Demand(sides.old.name, "unique", kept, nulls_equal=key.nulls_not_distinct)
        if kept and not key.without_overlaps
        else None
    )


def reference_demand(sides: TableSides, key: ForeignKey) -> Demand | None:
    """Returns the demand of a foreign key; None unless one old table fills its target and OLD can be asked
    alone.
    """
    kept = _kept(sides, key.columns)
    fillers = [old for old, new in sides.translation.tables.items() if new == key.target]
    if not kept or len(fillers) != 1 or key.period or (key.match_full and len(key.columns) > 1):
        return None
    back = {new: old for old, new in sides.translation.columns.get(fillers[0], {}).items()}
    if not set(key.target_columns) <= back.keys():
        return None
    return Demand(
        sides.old.name,
        "reference",
        kept,
        target=fillers[0],
        target_columns=tuple(back[column] for column in key.target_columns),
    )


def _kept(sides: TableSides, columns: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Returns (old, new) for each of the new columns that is filled without a conversion; empty when one is
    not.
    """
    filling = {after.name: before for before, after in sides.column_pairs if _same_value(before, after)}
    names = tuple(columns)
    return tuple((filling[name].name, name) for name in names) if set(names) <= filling.keys() else ()


def _same_value(before: Column, after: Column) -> bool:
    """Returns whether the value that arrives compares as OLD's does."""
    conversion = convert(before.type, after.type)
    whole = before.type.leaf.family is Family.INTEGER and after.type.leaf.family is Family.INTEGER
    return not after.generated and conversion.automatic and (conversion.rule is Rule.SAME or whole)
