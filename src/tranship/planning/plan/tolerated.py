"""Which offenders of a NOT VALID constraint may be kept: those that OLD keeps under the same constraint.

A row that breaks a constraint of NEW has to be one that breaks the constraint of OLD, too, with the same
values. Otherwise keeping it would hide that the run, and not OLD, has broken it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.errors.codes.shapes import NotTolerable
from tranship.model.catalog import Catalog, Check, ForeignKey, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.model.shape import PLAIN
from tranship.planning.plan.hazards import depends_on_row_alone
from tranship.planning.plan.unchanged import all_unchanged, equal_origin, surely_taken

_NOT_ENFORCED = "it is NOT ENFORCED, so NEW refuses no row for it"
_VALID = "it is validated in NEW, so such rows would make it untrue"
_LEAF = "the table has partitions, parents or children, so it is not dropped alone"
_OWNED = "the role {user!r} does not own the table, so it cannot drop the constraint for the load"
_SHAPED = "the entries about this table's rows make other rows of them"
_SHARED = "several flows fill the table, and its constraint is that of all of them"
_NO_TWIN = "OLD has no equal constraint NOT VALID over values that arrive unchanged"
_PARENTS = "its parents are not the rows of one table of OLD, moved by the same run"
_PASSING = "it does not give the same for the same row in every session"


class _Sides(Struct, frozen=True):
    plan: TablePlan
    before: Table
    after: Table
    new: Catalog
    plans: Sequence[TablePlan]


def intolerable(plans: Sequence[TablePlan], old: Catalog, new: Catalog) -> tuple[Problem, ...]:
    """Returns one problem for each constraint whose offenders a person wants to keep and that no run may
    leave unchecked.
    """
    found = []
    for plan in plans:
        before, after = old.table(plan.old), new.table(plan.new)
        if before is None or after is None:
            continue
        sides = _Sides(plan, before, after, new, plans)
        why_not = ((name, _why_not(sides, name)) for name in plan.tolerating)
        found += [NotTolerable(name, plan.new, why).problem(str(plan.flow)) for name, why in why_not if why]
    return tuple(found)


def _why_not(sides: _Sides, name: str) -> str:
    """Returns what forbids to keep the offenders of a constraint; empty: nothing does."""
    if why := _why_not_of_table(sides):
        return why
    constraints: tuple[Check | ForeignKey, ...] = (*sides.after.checks, *sides.after.foreign_keys)
    one = next(constraint for constraint in constraints if constraint.name == name)
    if not one.enforced:
        return _NOT_ENFORCED
    if one.validated:
        return _VALID
    return _check(sides, one) if isinstance(one, Check) else _foreign_key(sides, one)


def _why_not_of_table(sides: _Sides) -> str:
    plan = sides.plan
    if not _stands_alone(sides.after):
        return _LEAF
    if not sides.after.owned:
        return _OWNED.format(user=sides.new.user)
    if sum(one.new == plan.new for one in sides.plans) > 1:
        return _SHARED
    return _SHAPED if plan.shape != PLAIN or plan.repointing is not None else ""


def _stands_alone(table: Table) -> bool:
    """Returns whether a constraint of a table is that of no other one."""
    related = table.partition_of is not None or table.parents or table.children
    return table.kind == RelationKind.TABLE and not related


def _check(sides: _Sides, check: Check) -> str:
    if not depends_on_row_alone(check, sides.after):
        return _PASSING
    twins = [one for one in sides.before.checks if one.expression == check.expression]
    tolerated = any(not one.validated and one.enforced for one in twins)
    # Beside a valid one OLD holds no such row.
    proven = any(one.validated and one.enforced for one in twins)
    held = tolerated and not proven and all_unchanged(sides.plan, check.columns)
    return "" if held else _NO_TWIN


def _foreign_key(sides: _Sides, key: ForeignKey) -> str:
    """A key with PERIOD, or half NULL under MATCH FULL, is broken in ways that OLD is not asked for."""
    if key.period or (key.match_full and len(key.columns) > 1):
        return _NO_TWIN
    parents = [plan for plan in sides.plans if plan.new == key.target]
    if len(parents) != 1 or parents[0].shape != PLAIN:
        return _PARENTS
    return "" if _is_twin_there(sides, key, parents[0]) else _NO_TWIN


def _is_twin_there(sides: _Sides, key: ForeignKey, parent: TablePlan) -> bool:
    origins = tuple(equal_origin(sides.plan, sides.before, sides.after, name) for name in key.columns)
    wanted = (origins, parent.old, tuple(surely_taken(parent, name) for name in key.target_columns))
    open_keys = (one for one in sides.before.foreign_keys if one.enforced and not one.validated)
    return any((one.columns, one.target, one.target_columns) == wanted for one in open_keys)
