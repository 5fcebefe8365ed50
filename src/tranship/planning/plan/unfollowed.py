"""References that keep the values of OLD while the key to which they lead becomes others or is not moved,
where NEW has no foreign key that would notice.

Where NEW has one, the rows are asked (``execution/probe/changed_keys.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.errors.codes.stale_references import ReferenceStays
from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.expression import Coalesce, Lookup, MapValues, Rekeyed, Sql, Take, old_columns
from tranship.model.plan import TablePlan
from tranship.model.references import references
from tranship.model.resolution import Problem
from tranship.planning.printed.names import mentioned


def unfollowed(plans: Sequence[TablePlan], old: Catalog, new: Catalog) -> Iterator[Problem]:
    """Yields a warning for each such column of NEW."""
    for plan in plans:
        before, after = old.table(plan.old), new.table(plan.new)
        if before is None or after is None or plan.shape.query is not None:
            continue
        for held in references(before):
            above = old.table(held.target)
            parents = [parent for parent in plans if parent.old == held.target]
            if above is not None and held.enforced:
                yield from _of_key(plan, after, held, parents, above)


def _of_key(
    plan: TablePlan, after: Table, held: ForeignKey, parents: Sequence[TablePlan], above: Table
) -> Iterator[Problem]:
    for column, target in zip(held.columns, held.target_columns, strict=True):
        becoming = _becoming(parents, target, above)
        if becoming is None:
            continue
        parent, becomes = becoming
        for name in staying(plan, column):
            if not _checked(after, name, parents):
                yield ReferenceStays(plan.flow, name, held.target, target, becomes, parent.flow).problem()


def _becoming(parents: Sequence[TablePlan], column: str, above: Table) -> tuple[TablePlan, str] | None:
    """Returns the flow that moves a key as other values, or the first where none moves it, and what becomes
    of the values there; None where a flow moves them as they are, or a person's SELECT may.
    """
    for parent in parents:
        if becomes_another(parent, column, above):
            return parent, "become others in"
    return (parents[0], "are not moved to") if parents and not moved(parents, column, above) else None


def moved(plans: Sequence[TablePlan], column: str, before: Table) -> bool:
    """Returns whether the values of a column may reach NEW by one of the flows of its table."""
    return any(_moves(plan, column, before) for plan in plans)


def _moves(parent: TablePlan, column: str, above: Table) -> bool:
    return parent.shape.query is not None or any(
        column in old_columns(mapping.expression)
        or (isinstance(mapping.expression, Sql) and column in mentioned(mapping.expression.text, above))
        for mapping in parent.columns
    )


def becomes_another(parent: TablePlan, column: str, above: Table) -> bool:
    """Returns whether a flow moves a column of OLD as another value, and not as it is as well."""
    expressions = [mapping.expression for mapping in parent.columns]
    if any(isinstance(e, Take) and e.column == column for e in expressions):
        return False
    return any(
        (isinstance(e, (MapValues, Rekeyed)) and e.column == column)
        or (isinstance(e, Lookup) and column in e.columns)
        or (isinstance(e, Sql) and e.text.strip() != f"old.{column}" and column in mentioned(e.text, above))
        for e in expressions
    )


def staying(plan: TablePlan, column: str) -> list[str]:
    """Returns the columns of NEW that take an old column as it is."""
    return [
        mapping.column
        for mapping in plan.columns
        for taken in [
            mapping.expression.of if isinstance(mapping.expression, Coalesce) else mapping.expression
        ]
        if isinstance(taken, Take) and taken.column == column
    ]


def _checked(after: Table, column: str, parents: Sequence[TablePlan]) -> bool:
    """Returns whether a foreign key of NEW leads from a column to a table that the parents fill."""
    filled = {parent.new for parent in parents}
    return any(k.enforced and column in k.columns and k.target in filled for k in references(after))
