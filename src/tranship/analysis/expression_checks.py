"""Expressions of decisions before anything moves: OLD's parser and planner say what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.model.expression import Sql
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.sql.old import expression_checks as sql

_RECORD = 2249
"""The type of ``(a, b)``."""
_BY_STATE = {
    "42803": "an aggregate is no value of one row; put it into a subselect",
    "42P20": "a window function is no value of one row; put it into a subselect",
    "0A000": "write an expression that gives exactly one value for each row",
    "42883": "only pg_catalog is on the search path: write schema.function(…)",
    "42P01": "only pg_catalog is on the search path: write schema.table",
    "42704": "only pg_catalog is on the search path: write schema.type",
    "42703": "the old row is called old: old.column",
}


async def refused_transforms(old: asyncpg.Connection, plans: Sequence[TablePlan]) -> tuple[Problem, ...]:
    """The ``transform_sql`` of the plans that OLD cannot run, or that are not exactly one value per row and the same one twice.

    ``old`` is pinned as the run's readers are and holds no transaction; each question is a read-only transaction of its own.
    """
    problems = []
    for plan in plans:
        for mapping in plan.columns:
            if isinstance(mapping.expression, Sql) and plan.sources:
                wrong = await _wrong(old, plan, mapping.expression.text)
                if wrong is not None:
                    message, hint = wrong
                    problems.append(
                        Problem(
                            "TS339",
                            f"{plan.old}.{mapping.column}",
                            f"transform_sql {mapping.expression.text!r}: {message}",
                            hint,
                        )
                    )
    return tuple(problems)


async def _wrong(old: asyncpg.Connection, plan: TablePlan, text: str) -> tuple[str, str] | None:
    try:
        async with old.transaction(isolation="repeatable_read", readonly=True):
            prepared = await old.prepare(sql.value_of(plan, text))
            if prepared.get_parameters():
                return "it has parameters that nobody fills", "write the values themselves"
            if prepared.get_attributes()[0].type.oid == _RECORD:
                return (
                    "it gives several values at once",
                    "write an expression that gives exactly one value for each row",
                )
            await old.execute(sql.explained_as_condition(plan, text))
            await old.execute(sql.explained(plan, text))
            if f'"{sql.REPEATABLE}"' in await old.fetchval(sql.explained_twice(plan, text)):
                return (
                    "it calls a volatile function, so the same row could give two values",
                    "use functions that are IMMUTABLE or STABLE",
                )
    except asyncpg.PostgresError as error:
        message = (error.message or str(error)).replace(" are not allowed in WHERE", " do not fit here")
        return message, _BY_STATE.get(
            error.sqlstate or "",
            "try the expression in a query of yours on OLD, with the table under the alias old",
        )
    return None
