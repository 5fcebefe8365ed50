"""Checks the SQL of decisions before anything is copied: OLD's parser and planner say what is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import assert_never

import asyncpg

from tranship.errors.codes.decisions import (
    AggregateInSql,
    ColumnMisspeltInSql,
    ColumnNotFoundInSql,
    CurrentTimeSql,
    FunctionNotFoundInSql,
    MaterializedViewInSql,
    NamedAsNumber,
    NoConditionInSql,
    NoFromItemInSql,
    NoSingleValueInSql,
    NotAllowedInSql,
    OutputNamedTwice,
    OutputWithoutName,
    ParametersInSql,
    ReachesOutInSql,
    RefusedSql,
    SeveralValuesFromSql,
    TableNotFoundInSql,
    TransactionInSql,
    TypeNotFoundInSql,
    UnseenReads,
    ViewInSql,
    VolatileSql,
    WindowInSql,
)
from tranship.model.names import SERVER_SCHEMAS, TableName
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.planning.deciding.barred_calls import Why, barred_call, calls, moment_read, moment_trials
from tranship.planning.plan.person_sql import Kind, PersonSql, person_sql
from tranship.planning.printed.explained import Tree, calls_in, expressions_in, read_plan, relations_in
from tranship.server.trouble import is_lost
from tranship.sql.old import expression_checks as sql
from tranship.sql.queries import query

_MISMATCH = "42804"
"""SQLSTATE of a value of another type than its place needs."""
_SYNTAX = "42601"
_UNNAMED = "?column?"
"""The name of an output column to which nobody gave one."""
_RECORD = 2249
"""OID of ``pg_catalog.record``: the type of ``(a, b)``."""
_BY_REASON: dict[Why, type[CurrentTimeSql | TransactionInSql | ReachesOutInSql]] = {
    Why.TIME: CurrentTimeSql,
    Why.TRANSACTION: TransactionInSql,
    Why.OUTSIDE: ReachesOutInSql,
}
_QUOTED_NAME = re.compile(r'"([^"]+)"')
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
    "42501": NotAllowedInSql,
    "55000": ViewInSql,
}
"""By SQLSTATE what is wrong with an expression (PostgreSQL documentation, "Error Codes"); other errors are
reported as they are.
"""


async def refused_sql(old: asyncpg.Connection, plans: Sequence[TablePlan]) -> tuple[Problem, ...]:
    """Returns problems about each text of a person that OLD cannot run, or that does not give the same each
    time, and warnings about functions whose reads nobody sees.

    A batch that is repeated must read the same values. ``old`` is pinned as the run's readers are and has no
    open transaction; each text is checked in a read-only transaction of its own.
    """
    problems: list[Problem] = []
    for plan in plans:
        for one in person_sql(plan):
            told = await refused_text(old, one)
            problems += [told] if told is not None else []
            if told is not None and one.makes_rows and not told.warning:
                # What is computed over these rows would only fail in the same way.
                break
    return tuple(problems)


async def refused_text(old: asyncpg.Connection, one: PersonSql) -> Problem | None:
    """Returns the same for a single text."""
    told = await _wrong(old, one)
    return told.problem(one.about) if told is not None else None


async def _wrong(old: asyncpg.Connection, one: PersonSql) -> RefusedSql | UnseenReads | None:
    # The planner may already call a STABLE function, so what the text itself names comes before it.
    barred = barred_call(one.text)
    if barred is not None:
        return _BY_REASON[barred.why](one.text, field=one.field, function=barred.name)
    try:
        async with old.transaction(isolation="repeatable_read", readonly=True):
            return await _tried(old, one)
    except asyncpg.PostgresError as error:
        if is_lost(error):
            raise
        return _said(one, error)


def _said(one: PersonSql, error: asyncpg.PostgresError) -> RefusedSql:
    """Returns what the server says of a text, with what helps."""
    said = (error.message or str(error)).replace(" are not allowed in WHERE", " do not fit here")
    if error.sqlstate == _SYNTAX:
        said = _of_the_text(one.text, said, error)
    kind = _BY_STATE.get(error.sqlstate or "", RefusedSql)
    if kind is TableNotFoundInSql and "FROM-clause" in said:
        kind = NoFromItemInSql
    if error.sqlstate == _MISMATCH and one.kind is Kind.CONDITION and said.startswith("argument of WHERE"):
        kind = NoConditionInSql
    if kind is ColumnNotFoundInSql:
        # The words around the name are in the server's language.
        near = _QUOTED_NAME.search(error.hint or "")
        if near is not None:
            return ColumnMisspeltInSql(one.text, said, one.field, near[1])
    return kind(one.text, said, one.field)


def _of_the_text(text: str, said: str, error: asyncpg.PostgresError) -> str:
    """Returns a syntax error without the words of the statement around a text: the person did not write them.

    The server finds a bracket that is left open only where the statement goes on behind the text.
    """
    statement, position = error.query or "", int(error.position or 0)
    before, lines, behind = statement.partition(f"\n{text}\n")
    if not lines or not position:
        return said
    if position > len(before) + 1 + len(text):
        return "syntax error at its end: something is missing there, or its brackets do not match"
    return said.replace(f"\n{behind}", "")


async def _tried(old: asyncpg.Connection, one: PersonSql) -> RefusedSql | UnseenReads | None:
    """Returns why a text is refused by what OLD's planner makes of it."""
    match one.kind:
        case Kind.VALUE:
            return await _tried_value(old, one)
        case Kind.CONDITION:
            await old.execute(sql.as_condition(one.rows, one.text))
            return await _tried_value(old, one)
        case Kind.ORDER:
            return await _tried_tree(old, one)
        case Kind.ITEMS | Kind.SELECT:
            wrong = _wrong_columns(one, await old.prepare(select_of(one, one.text)))
            return wrong or await _tried_tree(old, one)
        case _ as unreachable:
            assert_never(unreachable)


async def _tried_value(old: asyncpg.Connection, one: PersonSql) -> RefusedSql | UnseenReads | None:
    rows, text = one.rows, one.text
    # The WHERE clause comes first: there an aggregate is an error, while as a column it would be a valid
    # query of one row.
    prepared = await old.prepare(sql.value_of(rows, text))
    if prepared.get_parameters():
        return ParametersInSql(text, field=one.field)
    if prepared.get_attributes()[0].type.oid == _RECORD:
        return SeveralValuesFromSql(text, field=one.field)
    await old.execute(sql.explained_as_condition(rows, text))
    await old.execute(sql.explained(rows, text))
    moment = await _moment_in(old, one)
    if moment is not None:
        return CurrentTimeSql(text, field=one.field, function=f"'{moment}'")
    tree = read_plan(await old.fetchval(sql.explained_reads(rows, text)))
    hidden = await _called_inside(old, one, "\n".join(expressions_in(tree)))
    if isinstance(hidden, RefusedSql):
        return hidden
    if f'"{sql.REPEATABLE}"' in await old.fetchval(sql.explained_twice(rows, text)):
        return VolatileSql(text, field=one.field, functions=hidden or ("an operator or a cast",))
    return await _unlocked(old, one, tree) or await _unseen(old, one, tree)


async def _tried_tree(old: asyncpg.Connection, one: PersonSql) -> RefusedSql | UnseenReads | None:
    """Returns why a text that is no single value is refused by what its plan calls."""
    tree = read_plan(await old.fetchval(sql.explained_select(select_of(one, one.text))))
    moment = await _moment_in(old, one)
    if moment is not None:
        return CurrentTimeSql(one.text, field=one.field, function=f"'{moment}'")
    hidden = await _called_inside(old, one, "\n".join(expressions_in(tree)))
    if isinstance(hidden, RefusedSql):
        return hidden
    if hidden:
        return VolatileSql(one.text, field=one.field, functions=hidden)
    return await _unlocked(old, one, tree) or await _unseen(old, one, tree)


def _wrong_columns(one: PersonSql, prepared: asyncpg.prepared_stmt.PreparedStatement) -> RefusedSql | None:
    """Returns what is wrong with the columns that a person's SQL makes."""
    if prepared.get_parameters():
        return ParametersInSql(one.text, field=one.field)
    names = [attribute.name for attribute in prepared.get_attributes()]
    for place, name in enumerate(names, 1):
        if name == _UNNAMED:
            return OutputWithoutName(one.text, field=one.field, place=place)
        if name in names[: place - 1]:
            return OutputNamedTwice(one.text, field=one.field, column=name)
    if one.kind is Kind.ITEMS and "item_number" in names:
        return NamedAsNumber(one.text, field=one.field)
    return None


async def _unlocked(old: asyncpg.Connection, one: PersonSql, tree: Tree) -> RefusedSql | None:
    """Returns why a text is refused that reads what no lock keeps as it is: tables of the server, which hold
    its roles and settings, and materialized views, of which a REFRESH writes rows that earlier snapshots see
    and which LOCK TABLE does not take.
    """
    read = tuple(dict.fromkeys(relations_in(tree)))
    own = next((name for name in read if name.schema in SERVER_SCHEMAS), None)
    if own is not None:
        return ReachesOutInSql(one.text, field=one.field, function=f"the server's own table {own.name}")
    if not read:
        return None
    rows = await old.fetch(
        query("depends_relations"), [name.schema for name in read], [name.name for name in read]
    )
    views = tuple(TableName(row["schema"], row["name"]) for row in rows if row["materialized"])
    return MaterializedViewInSql(one.text, field=one.field, views=views) if views else None


async def _unseen(old: asyncpg.Connection, one: PersonSql, tree: Tree) -> UnseenReads | None:
    """Returns a warning about functions whose own reads no plan shows."""
    called = dict.fromkeys(calls_in(tree))
    if not called:
        return None
    rows = await old.fetch(query("depends_routines"), [])
    plain = {(row["schema"], row["bare"]) for row in rows if row["schema"] is not None and row["plain"]}
    names = tuple(f"{schema}.{name}" for schema, name in called if (schema, name) not in plain)
    return UnseenReads(one.field, names) if names else None


async def _moment_in(old: asyncpg.Connection, one: PersonSql) -> str | None:
    """Returns the first word of a literal that OLD reads as the current date or time while it parses."""
    for word, changed in moment_trials(one.text):
        try:
            async with old.transaction():
                await old.prepare(select_of(one, changed))
        except asyncpg.InvalidDatetimeFormatError:
            return word
        except asyncpg.PostgresError as error:
            if is_lost(error):
                raise
            # Another type refuses the changed literal, such as an enum that has the word as a label.
            continue
    return None


def select_of(one: PersonSql, text: str) -> str:
    """Returns a SELECT that holds a text in place of a person's; nothing but its form is asked about."""
    match one.kind:
        case Kind.VALUE | Kind.CONDITION:
            return sql.value_of(one.rows, text)
        case Kind.ORDER:
            return sql.ordered(one.rows, text)
        case Kind.ITEMS:
            return sql.items(one.rows, text)
        case Kind.SELECT:
            return sql.output(text)
        case _ as unreachable:
            assert_never(unreachable)


async def _called_inside(
    old: asyncpg.Connection, one: PersonSql, planned: str
) -> RefusedSql | tuple[str, ...]:
    """Returns why a planned expression is refused by what the functions in it call, else the names of those
    that are volatile.

    What the planner computes or inlines is seen in the text alone.
    """
    volatile: list[str] = []
    seen: set[int] = set()
    texts = [one.text, planned]
    while texts:
        part = texts.pop()
        barred = barred_call(part)
        if barred is not None:
            return _BY_REASON[barred.why](one.text, field=one.field, function=barred.name)
        moment = moment_read(part)
        if moment is not None:
            return CurrentTimeSql(one.text, field=one.field, function=f"'{moment}'")
        for function in await old.fetch(query("functions_named"), sorted({name for *_, name in calls(part)})):
            if function["volatile"] and part is planned:
                volatile.append(function["name"])
            if function["definition"] is not None and function["oid"] not in seen:
                seen.add(function["oid"])
                texts.append(_BODY.sub(" ", function["definition"]))
    return tuple(dict.fromkeys(volatile))
