"""Statements that ask OLD's planner about the SQL that a person gave: is it one value of the row, a
condition, an order, or what makes rows, and the same each time? Everything is prepared or explained; nothing
is executed.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Table
from tranship.model.plan import TablePlan
from tranship.sql.old.batch import select_for_people
from tranship.sql.old.row_source import from_source, row_source
from tranship.sql.quote import ident

REPEATABLE = "tranship_repeatable"
"""Alias of a subquery that the planner pulls up (its name vanishes from the plan) unless it calls a volatile
function.
"""

# The expression stands on lines of its own: a comment at its end then does not swallow what follows.


def value_of(plan: TablePlan, expression: str) -> str:
    """Returns a SELECT of the bare value, to be prepared: the server then describes its parameters and its
    type.
    """
    return f"SELECT (\n{expression}\n) {row_source(plan, 0).heap}"


def explained(plan: TablePlan, expression: str) -> str:
    """Returns an EXPLAIN of the expression as a batch reads it."""
    return f"EXPLAIN SELECT CAST((\n{expression}\n) AS pg_catalog.text) {row_source(plan, 0).heap}"


def explained_reads(plan: TablePlan, expression: str) -> str:
    """Returns an EXPLAIN in JSON that names every relation and, with its schema, every function that the
    expression reaches; what the planner inlines or computes itself is not among the functions.
    """
    inner = f"SELECT CAST((\n{expression}\n) AS pg_catalog.text) {row_source(plan, 0).heap}"
    return f"EXPLAIN (VERBOSE, FORMAT JSON, COSTS OFF) {inner}"


def explained_rows(plan: TablePlan) -> str:
    """Returns an EXPLAIN in JSON of a read of the flow's rows: the filter, the items and the query reach what
    they reach.
    """
    rows = row_source(plan, 0)
    return f"EXPLAIN (VERBOSE, FORMAT JSON, COSTS OFF) SELECT {rows.id} {rows.read()}"


def explained_as_condition(plan: TablePlan, expression: str) -> str:
    """Returns an EXPLAIN of the expression in a WHERE clause.

    Aggregates, window functions and functions that return sets are errors there, each with the server's own
    message.
    """
    return f"EXPLAIN SELECT {row_source(plan, 0).heap} WHERE (\n{expression}\n) IS NULL"


def explained_twice(plan: TablePlan, expression: str) -> str:
    """Returns an EXPLAIN in JSON whose plan names :data:`REPEATABLE` exactly where the expression is
    volatile.

    A subquery with a volatile function in its output is never pulled up, because it could then be evaluated
    another number of times (``is_simple_subquery`` in the planner's source).
    """
    inner = f"SELECT CAST((\n{expression}\n) AS pg_catalog.text) AS v {row_source(plan, 0).heap}"
    return f"""
        EXPLAIN (FORMAT JSON, COSTS OFF) SELECT FROM ({inner}) AS {REPEATABLE} WHERE {REPEATABLE}.v IS NULL
    """


def explained_lookup(plan: TablePlan, old: Table) -> str:
    """Returns an EXPLAIN of a plan whose columns are lookups, joined as a batch joins them."""
    return f"EXPLAIN {select_for_people(plan, old)}"


def as_condition(plan: TablePlan, condition: str) -> str:
    """Returns an EXPLAIN of a condition: the server says where it is none."""
    return f"EXPLAIN SELECT {row_source(plan, 0).heap} WHERE (\n{condition}\n)"


def ordered(plan: TablePlan, order: str) -> str:
    """Returns a SELECT of the rows in an order."""
    return f"SELECT {row_source(plan, 0).heap} ORDER BY\n{order}\n"


def items(plan: TablePlan, source: str) -> str:
    """Returns a SELECT of the items of all old rows, to be prepared: the server then describes them."""
    return f"SELECT item.* {from_source(plan.sources[0])} CROSS JOIN LATERAL\n{source}\n"


def output(query: str) -> str:
    """Returns a SELECT of the output of a query, to be prepared: the server then describes its columns."""
    return f"SELECT old.* FROM (\n{query}\n) AS old"


def explained_select(select: str) -> str:
    """Returns an EXPLAIN in JSON of a whole SELECT, with the relations and functions that it reaches."""
    return f"EXPLAIN (VERBOSE, FORMAT JSON, COSTS OFF) {select}"


def value_without(plan: TablePlan, expression: str, columns: Sequence[str]) -> str:
    """Returns a SELECT of the bare value over old rows that have just these columns, to be prepared: the
    server refuses an expression that uses another one.
    """
    rows = _partial(plan, columns)
    if plan.shape.items is not None:
        rows += f" CROSS JOIN (SELECT item.* {row_source(plan, 0).heap}) AS item"
    return f"SELECT (\n{expression}\n) {rows}"


def items_without(plan: TablePlan, source: str, columns: Sequence[str]) -> str:
    """Returns the same for what makes the items of an old row."""
    return f"SELECT item.* {_partial(plan, columns)} CROSS JOIN LATERAL\n{source}\n"


def _partial(plan: TablePlan, columns: Sequence[str]) -> str:
    # What an old row always has stays: its expressions may ask for the table it lies in.
    kept = ", ".join(f"old.{name}" for name in (*map(ident, columns), "tableoid"))
    return f"FROM (SELECT {kept} {from_source(plan.sources[0])}) AS old"
