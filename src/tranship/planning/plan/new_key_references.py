"""References to keys that get new values, where these would not arrive: in columns that cannot hold them, and
where the old value is looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.errors.codes.shapes import LookupGivesOldKey, NewKeyReachesType
from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, Table
from tranship.model.expression import Followed, Lookup, Rekeyed
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.references import references
from tranship.model.resolution import Problem
from tranship.model.shape import KeyKind

_HOLDS_NO_UUID = frozenset(Family) - {Family.UUID, Family.STRING}


def lost_references(plans: Sequence[TablePlan], new: Catalog) -> Iterator[Problem]:
    """Yields a problem for each column of a type in which no UUID has a place, so that every row would be
    rejected that refers to a key which becomes one, and for each one that would lead to whoever has the old
    value.
    """
    for plan in plans:
        for mapping in plan.columns:
            match mapping.expression:
                case (Rekeyed() as made) | Followed(of=Rekeyed() as made):
                    if made.key.kind is KeyKind.UUID and mapping.type.leaf.family in _HOLDS_NO_UUID:
                        reached = (mapping.column, mapping.type.text, made.table, made.column)
                        yield NewKeyReachesType(plan.flow, *reached).problem()
                case Lookup(reads_new=False) as lookup:
                    yield from _old_keys(plan, mapping, lookup, plans, new.table(plan.new))
                case _:
                    pass


def _old_keys(
    plan: TablePlan,
    mapping: ColumnMapping,
    lookup: Lookup,
    plans: Sequence[TablePlan],
    after: Table | None,
) -> Iterator[Problem]:
    parents = {one.new for one in plans if one.old == lookup.table and _makes_anew(one, lookup.value)}
    for key in references(after) if after is not None else ():
        leads = mapping.column in key.columns and key.target in parents
        if leads and key.enforced and key.name not in plan.adopting:
            found = (mapping.column, lookup.value, lookup.table, key.name)
            yield LookupGivesOldKey(plan.flow, *found).problem()


def _makes_anew(plan: TablePlan, column: str) -> bool:
    """Returns whether a flow gives an old column new values."""
    return any(one.column == column for one in plan.shape.new_keys)
