"""Foreign keys of OLD that a lookup in OLD follows: it finds the parent's row, whose key it takes."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import ForeignKey
from tranship.model.expression import Lookup
from tranship.model.plan import TablePlan
from tranship.planning.plan.unchanged import mapping_of
from tranship.planning.plan.wider_keys import origin


def looked_up_key(
    key: ForeignKey, child: TablePlan, declared: Sequence[ForeignKey], parents: Sequence[TablePlan]
) -> ForeignKey | None:
    """Returns the key of OLD, of those that the child's table declares, by which a lookup finds the parents
    of a key of NEW; None without one, and where a constant stands for what is not found.
    """
    found = _lookup(key, child)
    if found is None:
        return None
    above = [mapping_of(one, key.target_columns[0]) for one in parents if one.old == found.table]
    if not above or any(one is None or origin(one.expression) != found.value for one in above):
        return None
    ends = set(zip(found.columns, found.keys, strict=False))
    return next((held for held in declared if _ends(held) == ends and held.target == found.table), None)


def _lookup(key: ForeignKey, child: TablePlan) -> Lookup | None:
    mapping = mapping_of(child, key.columns[0])
    found = mapping.expression if mapping is not None and len(key.columns) == 1 else None
    if not isinstance(found, Lookup) or found.reads_new or found.otherwise or found.for_null:
        return None
    return found


def _ends(held: ForeignKey) -> set[tuple[str, str]]:
    return set(zip(held.columns, held.target_columns, strict=True)) if held.enforced else set()
