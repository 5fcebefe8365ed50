"""References to keys that get new values, in columns that cannot hold these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.errors.codes.shapes import NewKeyReachesType
from tranship.model.builtin_types import Family
from tranship.model.expression import Followed, Rekeyed
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.model.shape import KeyKind

_HOLDS_NO_UUID = frozenset(Family) - {Family.UUID, Family.STRING}


def unfit_references(plans: Sequence[TablePlan]) -> Iterator[Problem]:
    """Yields a problem for each column of a type in which no UUID has a place, so that every row would be
    rejected that refers to a key which becomes one.
    """
    for plan in plans:
        for mapping in plan.columns:
            match mapping.expression:
                case (Rekeyed() as made) | Followed(of=Rekeyed() as made) if (
                    made.key.kind is KeyKind.UUID and mapping.type.leaf.family in _HOLDS_NO_UUID
                ):
                    yield NewKeyReachesType(
                        plan.flow, mapping.column, mapping.type.text, made.table, made.column
                    ).problem()
                case _:
                    pass
