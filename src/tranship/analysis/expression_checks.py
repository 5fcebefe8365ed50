"""Checks the expressions of decisions before anything is copied: OLD's parser and planner say what is wrong
with them.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.errors.codes.decisions import (
    AggregateInSql,
    ColumnNotFoundInSql,
    CurrentTimeSql,
    FunctionNotFoundInSql,
    NoSingleValueInSql,
    ParametersInSql,
    RefusedSql,
    SeveralValuesFromSql,
    TableNotFoundInSql,
    TypeNotFoundInSql,
    VolatileSql,
    WindowInSql,
)
from tranship.model.expression import Sql
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.planning.printed.explained import read_plan, reads_current_time
from tranship.sql.old import expression_checks as sql

_RECORD = 2249
"""OID of ``pg_catalog.record``: the type of ``(a, b)``."""
_BY_STATE: dict[str, type[RefusedSql]] = {
    "42803": AggregateInSql,
    "42P20": WindowInSql,
    "0A000": NoSingleValueInSql,
    "42883": FunctionNotFoundInSql,
    "42P01": TableNotFoundInSql,
    "42704": TypeNotFoundInSql,
    "42703": ColumnNotFoundInSql,
}
"""By SQLSTATE what is wrong with an expression (PostgreSQL documentation, "Error Codes"); other errors are
reported as they are.
"""


async def refused_transforms(old: asyncpg.Connection, plans: Sequence[TablePlan]) -> tuple[Problem, ...]:
    """Returns problems about each ``transform_sql`` that OLD cannot run, or that does not give one value per
    row, the same each time.

    A batch that is repeated must read the same values. ``old`` is pinned as the run's readers are and has no
    open transaction; each expression is checked in a read-only transaction of its own.
    """
    problems = []
    for plan in plans:
        for mapping in plan.columns:
            if isinstance(mapping.expression, Sql) and plan.sources:
                wrong = await _wrong(old, plan, mapping.expression.text)
                if wrong is not None:
                    problems.append(wrong.problem(f"{plan.old}.{mapping.column}"))
    return tuple(problems)


async def _wrong(old: asyncpg.Connection, plan: TablePlan, text: str) -> RefusedSql | None:
    # The WHERE clause comes first: there an aggregate is an error, while as a column it would be a valid
    # query of one row.
    try:
        async with old.transaction(isolation="repeatable_read", readonly=True):
            prepared = await old.prepare(sql.value_of(plan, text))
            if prepared.get_parameters():
                return ParametersInSql(text)
            if prepared.get_attributes()[0].type.oid == _RECORD:
                return SeveralValuesFromSql(text)
            await old.execute(sql.explained_as_condition(plan, text))
            await old.execute(sql.explained(plan, text))
            if reads_current_time(read_plan(await old.fetchval(sql.explained_reads(plan, text)))):
                return CurrentTimeSql(text)
            if f'"{sql.REPEATABLE}"' in await old.fetchval(sql.explained_twice(plan, text)):
                return VolatileSql(text)
    except asyncpg.PostgresError as error:
        said = (error.message or str(error)).replace(" are not allowed in WHERE", " do not fit here")
        return _BY_STATE.get(error.sqlstate or "", RefusedSql)(text, said)
    return None
