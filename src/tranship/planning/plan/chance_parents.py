"""References whose values would meet rows of NEW by chance: NEW's server makes the keys of the parents while
they are written, or the run numbers them, so that a value of OLD says nothing about which row has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tranship.errors.codes.shapes import ParentKeyMadeByNew, ParentKeyNumbered
from tranship.errors.codes.stale_references import ReferenceComputed
from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.expression import Coalesce, NewDefault, Rekeyed, Sql, Take
from tranship.model.plan import TablePlan
from tranship.model.references import references
from tranship.model.resolution import Problem
from tranship.model.shape import KeyKind
from tranship.planning.plan.unchanged import mapping_of


def chance_parents(plans: Sequence[TablePlan], old: Catalog, new: Catalog) -> Iterator[Problem]:
    """Yields a problem for each foreign key of NEW that takes values of OLD, or of an expression over it, to
    keys that NEW's server makes or that are numbered anew, unless a person says that NEW's rows under these
    values are meant.
    """
    for plan in plans:
        before, after = old.table(plan.old), new.table(plan.new)
        keys = references(after) if before is not None and after is not None else ()
        for key in keys:
            if before is not None and key.enforced and key.name not in plan.adopting:
                yield from _of_key(plan, key, _flows_above(plan, key, plans, before), new.table(key.target))


def computed_references(plans: Sequence[TablePlan], new: Catalog) -> Iterator[Problem]:
    """Yields a warning for each reference that an expression of a person fills and whose parents get other
    ids in part: nobody but that person knows for which of its rows it gives which ids. Where it adds the very
    offset somewhere, that person has thought of it.
    """
    for plan in plans:
        after = new.table(plan.new)
        for key in references(after) if after is not None else ():
            if key.name not in plan.adopting:
                yield from _computed_with_other_ids(plan, key, plans)


def _computed_with_other_ids(
    plan: TablePlan, key: ForeignKey, plans: Sequence[TablePlan]
) -> Iterator[Problem]:
    above = [one for one in plans if one.new == key.target]
    for column, leads_to in zip(key.columns, key.target_columns, strict=True):
        mapping = mapping_of(plan, column)
        if mapping is None or not isinstance(mapping.expression, Sql):
            continue
        text = mapping.expression.text
        tables = tuple(dict.fromkeys(one.old for one in above if _moves_ids(one, leads_to, text)))
        if tables:
            yield ReferenceComputed(plan.flow, column, key.target, tables).problem()


def _moves_ids(plan: TablePlan, column: str, text: str) -> bool:
    """Returns whether a flow gives a key other numbers, of which an expression shows no sign."""
    mapping = mapping_of(plan, column)
    made = mapping.expression if mapping is not None else None
    if not isinstance(made, Rekeyed):
        return False
    match made.key.kind:
        case KeyKind.OFFSET:
            sign = "-" if made.key.offset < 0 else r"\+"
            return re.search(rf"{sign}\s*{abs(made.key.offset)}(?!\d)", text) is None
        case KeyKind.NUMBER:
            return True
        case KeyKind.UUID:
            # Nothing that OLD holds is one of these.
            return False


def _of_key(
    plan: TablePlan, key: ForeignKey, above: Sequence[TablePlan], target: Table | None
) -> Iterator[Problem]:
    made = _made_by_new(plan, key, above, target)
    numbered = _numbered(plan, key, above)
    if made is not None:
        yield ParentKeyMadeByNew(plan.flow, *made, key.target, key.name).problem()
    elif numbered is not None:
        yield ParentKeyNumbered(plan.flow, *numbered, key.target, key.name).problem()


def _flows_above(
    plan: TablePlan, key: ForeignKey, plans: Sequence[TablePlan], before: Table
) -> list[TablePlan]:
    """Returns the flows whose rows may be parents: those of the table to which OLD's key leads, if any is."""
    above = [parent for parent in plans if parent.new == key.target]
    taken = {name for column in key.columns if (name := _taken(plan, column)) is not None}
    named = {held.target for held in references(before) if taken and taken <= set(held.columns)}
    return [parent for parent in above if parent.old in named] or above


def _made_by_new(
    plan: TablePlan, key: ForeignKey, above: Sequence[TablePlan], target: Table | None
) -> tuple[str, str] | None:
    """Returns the column that gives the value, and NEW's column to which it would lead, of a key that no flow
    of parents fills and a sequence of NEW does; None without one.

    OLD may hold what NEW computes of a row's own columns, and holds no UUID that NEW's server draws.
    """
    if target is None or not above:
        return None
    for column, leads_to in zip(key.columns, key.target_columns, strict=True):
        taken, made = _taken(plan, column) or _computed(plan, column), target.column(leads_to)
        numbered = made is not None and made.sequence is not None
        if taken is not None and numbered and not any(_fills(one, leads_to) for one in above):
            return taken, leads_to
    return None


def _numbered(plan: TablePlan, key: ForeignKey, above: Sequence[TablePlan]) -> tuple[str, str] | None:
    """Returns NEW's column that an expression fills, and the one to which it would lead, of a key that every
    flow of parents numbers anew; None without one.

    Nobody knows these numbers beforehand. An old column that holds the old key follows by itself.
    """
    for column, leads_to in zip(key.columns, key.target_columns, strict=True):
        computed = _computed(plan, column)
        if computed is not None and above and all(_numbers(one, leads_to) for one in above):
            return computed, leads_to
    return None


def _numbers(plan: TablePlan, column: str) -> bool:
    mapping = mapping_of(plan, column)
    made = mapping.expression if mapping is not None else None
    return isinstance(made, Rekeyed) and made.key.kind is KeyKind.NUMBER


def _computed(plan: TablePlan, column: str) -> str | None:
    """Returns a column of NEW that an expression of OLD fills; None where something else does."""
    mapping = mapping_of(plan, column)
    return column if mapping is not None and isinstance(mapping.expression, Sql) else None


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
