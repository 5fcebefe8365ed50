"""Checks the expressions of decisions before anything is copied: OLD's parser and planner say what is wrong
with them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import asyncpg

from tranship.errors.codes.decisions import (
    AggregateInSql,
    ColumnNotFoundInSql,
    CurrentTimeSql,
    FunctionNotFoundInSql,
    NoSingleValueInSql,
    ParametersInSql,
    ReachesOutInSql,
    RefusedSql,
    SeveralValuesFromSql,
    TableNotFoundInSql,
    TransactionInSql,
    TypeNotFoundInSql,
    VolatileSql,
    WindowInSql,
)
from tranship.model.expression import Sql
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.planning.deciding.barred_calls import Why, barred_call, calls, moment_read, moment_trials
from tranship.planning.printed.explained import expressions_in, read_plan
from tranship.sql.old import expression_checks as sql

_RECORD = 2249
"""OID of ``pg_catalog.record``: the type of ``(a, b)``."""
_BY_REASON: dict[Why, type[CurrentTimeSql | TransactionInSql | ReachesOutInSql]] = {
    Why.TIME: CurrentTimeSql,
    Why.TRANSACTION: TransactionInSql,
    Why.OUTSIDE: ReachesOutInSql,
}
_BODY = re.compile(r"\$(?:function|procedure)x*\$")
"""The quotes that ``pg_get_functiondef`` puts around a body."""
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
    # The planner may already call a STABLE function, so what the text itself names comes before it.
    barred = barred_call(text)
    if barred is not None:
        return _BY_REASON[barred.why](text, function=barred.name)
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
            moment = await _moment_in(old, plan, text)
            if moment is not None:
                return CurrentTimeSql(text, function=f"'{moment}'")
            tree = read_plan(await old.fetchval(sql.explained_reads(plan, text)))
            hidden = await _called_inside(old, text, "\n".join(expressions_in(tree)))
            if isinstance(hidden, RefusedSql):
                return hidden
            if f'"{sql.REPEATABLE}"' in await old.fetchval(sql.explained_twice(plan, text)):
                return VolatileSql(text, functions=hidden or ("an operator or a cast",))
    except asyncpg.PostgresError as error:
        said = (error.message or str(error)).replace(" are not allowed in WHERE", " do not fit here")
        return _BY_STATE.get(error.sqlstate or "", RefusedSql)(text, said)
    return None


async def _moment_in(old: asyncpg.Connection, plan: TablePlan, text: str) -> str | None:
    """Returns the first word of a literal that OLD reads as the current date or time while it parses."""
    for word, changed in moment_trials(text):
        try:
            async with old.transaction():
                await old.prepare(sql.value_of(plan, changed))
        except asyncpg.InvalidDatetimeFormatError:
            return word
        except asyncpg.PostgresError:
            # Another type refuses the changed literal, such as an enum that has the word as a label.
            continue
    return None


async def _called_inside(old: asyncpg.Connection, text: str, planned: str) -> RefusedSql | tuple[str, ...]:
    """Returns why a planned expression is refused by what the functions in it call, else the names of those
    that are volatile.

    What the planner computes or inlines is seen in the text alone.
    """
    volatile: list[str] = []
    seen: set[int] = set()
    texts = [text, planned]
    while texts:
        part = texts.pop()
        barred = barred_call(part)
        if barred is not None:
            return _BY_REASON[barred.why](text, function=barred.name)
        moment = moment_read(part)
        if moment is not None:
            return CurrentTimeSql(text, function=f"'{moment}'")
        for function in await old.fetch(sql.FUNCTIONS, sorted({name for *_, name in calls(part)})):
            if function["volatile"] and part is planned:
                volatile.append(function["name"])
            if function["definition"] is not None and function["oid"] not in seen:
                seen.add(function["oid"])
                texts.append(_BODY.sub(" ", function["definition"]))
    return tuple(dict.fromkeys(volatile))
