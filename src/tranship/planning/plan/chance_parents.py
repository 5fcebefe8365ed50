"""References whose values of OLD would meet rows of NEW by chance: NEW's server makes the keys of the parents
while they are written, so that a value of OLD says nothing about which row has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.errors.codes.shapes import ParentKeyMadeByNew
from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.expression import Coalesce, NewDefault, Take
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.planning.plan.unchanged import mapping_of


def chance_parents(plans: Sequence[TablePlan], old: Catalog, new: Catalog) -> Iterator[Problem]:
    """Yields a problem for each foreign key of NEW that takes values of OLD to keys that NEW's server makes,
    unless a person says that NEW's rows under these values are meant.
    """
    for plan in plans:
        before, after = old.table(plan.old), new.table(plan.new)
        keys = after.foreign_keys if before is not None and after is not None else ()
        for key in keys:
            above = _flows_above(plan, key, plans, before) if before is not None else []
            made = _made_by_new(plan, key, above, new.table(key.target)) if key.enforced else None
            if made is not None and key.name not in plan.adopting:
                yield ParentKeyMadeByNew(plan.flow, *made, key.target, key.name).problem()


def _flows_above(
    plan: TablePlan, key: ForeignKey, plans: Sequence[TablePlan], before: Table
) -> list[TablePlan]:
    """Returns the flows whose rows may be parents: those of the table to which OLD's key leads, if any is."""
    above = [parent for parent in plans if parent.new == key.target]
    taken = {name for column in key.columns if (name := _taken(plan, column)) is not None}
    named = {held.target for held in before.foreign_keys if taken and taken <= set(held.columns)}
    return [parent for parent in above if parent.old in named] or above


def _made_by_new(
    plan: TablePlan, key: ForeignKey, above: Sequence[TablePlan], target: Table | None
) -> tuple[str, str] | None:
    """Returns the old column, and NEW's column to which it would lead, of a key that no flow of parents
    fills and a sequence of NEW does; None without one.

    OLD may hold what NEW computes of a row's own columns, and holds no UUID that NEW's server draws.
    """
    if target is None or not above:
        return None
    for column, leads_to in zip(key.columns, key.target_columns, strict=True):
        taken, made = _taken(plan, column), target.column(leads_to)
        numbered = made is not None and made.sequence is not None
        if taken is not None and numbered and not any(_fills(one, leads_to) for one in above):
            return taken, leads_to
    return None


def _taken(plan: TablePlan, column: str) -> str | None:
    """Returns the old column whose values arrive in a column of NEW as values."""
    mapping = mapping_of(plan, column)
    match mapping.expression if mapping is not None else None:
        case Take(column=name) | Coalesce(of=Take(column=name)):
            return name
        case _:
            return None


def _fills(plan: TablePlan, column: str) -> bool:
    mapping = mapping_of(plan, column)
    return mapping is not None and not isinstance(mapping.expression, NewDefault)
