"""Which flows of a plan this version checks and does not carry out."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.errors.codes.shapes import NotExecuted
from tranship.model.plan import Plan, TablePlan
from tranship.model.resolution import Problem
from tranship.model.shape import Shape


def not_executed(plan: Plan) -> tuple[Problem, ...]:
    """Returns one problem for each flow that would not be carried out as it is decided."""
    told = ((table, ", ".join(_parts(table))) for table in plan.tables)
    return tuple(NotExecuted(what).problem(str(table.flow)) for table, what in told if what)


def _parts(table: TablePlan) -> Iterator[str]:
    """Yields what is not carried out, in the words of the resolutions file."""
    shape: Shape = table.shape
    asked = {
        "merge": shape.merge is not None and (shape.items is not None or shape.query is not None),
    }
    yield from (f"action {action!r}" for action, there in asked.items() if there)
