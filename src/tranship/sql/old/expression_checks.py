"""Asking OLD's planner about an expression a person gave: whether it is one value of the row, and the same one twice. Nothing is executed."""

from __future__ import annotations

from tranship.model.plan import TablePlan
from tranship.sql.old.batch import from_source

REPEATABLE = "tranship_repeatable"
"""Alias of a subquery that the planner dissolves unless it calls a volatile function."""


def value_of(plan: TablePlan, expression: str) -> str:
    """The bare value, to be prepared: its parameters and type are told."""
    return f"SELECT (\n{expression}\n) {from_source(plan.sources[0])}"


def explained(plan: TablePlan, expression: str) -> str:
    """As a batch reads it."""
    return f"EXPLAIN SELECT CAST((\n{expression}\n) AS pg_catalog.text) {from_source(plan.sources[0])}"


def explained_as_condition(plan: TablePlan, expression: str) -> str:
    """Where aggregates, window functions and functions that return sets are errors, each in the server's words."""
    return f"EXPLAIN SELECT {from_source(plan.sources[0])} WHERE (\n{expression}\n) IS NULL"


def explained_twice(plan: TablePlan, expression: str) -> str:
    """A plan as JSON that names :data:`REPEATABLE` exactly where the expression is volatile: such a subquery is never pulled up."""
    inner = f"SELECT CAST((\n{expression}\n) AS pg_catalog.text) AS v {from_source(plan.sources[0])}"
    return (
        f"EXPLAIN (FORMAT JSON, COSTS OFF) SELECT FROM ({inner}) AS {REPEATABLE} WHERE {REPEATABLE}.v IS NULL"
    )
