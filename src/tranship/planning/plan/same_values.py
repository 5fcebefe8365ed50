"""Which columns of NEW get the same values whenever the rows of OLD are moved."""

from __future__ import annotations

from tranship.model.expression import Expression, NewDefault, Rekeyed
from tranship.model.plan import TablePlan


def same_each_time(plan: TablePlan) -> set[str]:
    """Returns the columns whose values OLD alone decides."""
    return {mapping.column for mapping in plan.columns if not _given_anew(mapping.expression)}


def _given_anew(expression: Expression) -> bool:
    """Returns whether NEW, or its numbers when a run begins, decide about a value."""
    numbered = isinstance(expression, Rekeyed) and expression.numbering is not None
    return numbered or isinstance(expression, NewDefault)
