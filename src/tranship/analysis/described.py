"""Asks OLD what the SQL of decisions makes: the columns of a ``query`` and of the items of ``rows``, and the
types of expressions.
"""

from __future__ import annotations

import asyncpg
from msgspec.structs import replace

from tranship.analysis.expression_checks import refused_text
from tranship.analysis.sides import Sides
from tranship.model.catalog import Catalog, Table
from tranship.model.expression import Sql
from tranship.model.names import TableName
from tranship.model.plan import Plan, TablePlan
from tranship.model.resolution import Problem, Resolution, ResolutionFile
from tranship.model.shape import Query, Shape
from tranship.planning.deciding.resolve.flows import queries
from tranship.planning.deciding.resolve.item_name import is_counted
from tranship.planning.deciding.resolve.words import problem_object
from tranship.planning.plan import shipping
from tranship.planning.plan.item_values import made_late
from tranship.planning.plan.person_sql import Kind, PersonSql
from tranship.server.catalog.described import described, query_table
from tranship.sql.old import expression_checks as sql


async def with_described_queries(
    old: asyncpg.Connection, file: ResolutionFile, sides: tuple[Catalog, Catalog]
) -> tuple[Catalog, tuple[Problem, ...]]:
    """Returns OLD's catalog with a table for each ``query`` that OLD can run, and the problems of the others.

    ``old`` is pinned as the run's readers are and has no open transaction.
    """
    catalog, new = sides
    found: list[Table] = []
    problems: list[Problem] = []
    for name, entry in queries(file, new):
        wrong = await _refused(old, name, entry)
        problems += wrong
        if not wrong and entry.query:
            async with old.transaction(isolation="repeatable_read", readonly=True):
                columns = await described(old, sql.output(entry.query))
                found.append(query_table(name, entry.key, columns))
    return replace(catalog, outside=(*catalog.outside, *found)), tuple(problems)


async def _refused(old: asyncpg.Connection, name: TableName, entry: Resolution) -> list[Problem]:
    if not entry.query or not entry.query.strip():
        return []
    shape = Shape(query=Query(entry.query, entry.key))
    text = PersonSql("sql", entry.query, Kind.SELECT, TablePlan(name, name, (), (), (), shape=shape))
    told = await refused_text(old, text)
    return [] if told is None or told.warning else [replace(told, object=problem_object(entry))]


async def described_plan(old: asyncpg.Connection, plan: Plan, sides: Sides) -> Plan:
    """Returns the plan with the columns of ``item`` in each flow that takes old rows apart, and with what OLD
    says of the types of a person's expressions.

    ``old`` is pinned as the run's readers are; what the expressions and the items are has been tried.
    """
    groups = []
    for group in plan.groups:
        tables = [await _with_types(old, await _with_items(old, one), sides) for one in group.tables]
        groups.append(replace(group, tables=tuple(tables)))
    return replace(plan, groups=tuple(groups))


async def _with_types(old: asyncpg.Connection, plan: TablePlan, sides: Sides) -> TablePlan:
    given: dict[str, str] = {}
    for mapping in plan.columns:
        if isinstance(mapping.expression, Sql):
            async with old.transaction(isolation="repeatable_read", readonly=True):
                prepared = await old.prepare(sql.value_of(plan, mapping.expression.text))
            (attribute,) = prepared.get_attributes()
            if attribute.type.schema == "pg_catalog":
                given[mapping.column] = attribute.type.name
    before = sides.old.table(plan.old)
    if not given or before is None:
        return plan
    one_encoding = sides.old.encoding == sides.new.encoding != "SQL_ASCII"
    return shipping.with_own_types(plan, before, given, one_encoding=one_encoding)


async def _with_items(old: asyncpg.Connection, table: TablePlan) -> TablePlan:
    items = table.shape.items
    if items is None or not table.sources:
        return table
    async with old.transaction(isolation="repeatable_read", readonly=True):
        prepared = await old.prepare(sql.items(table, items.source))
        columns = tuple(attribute.name for attribute in prepared.get_attributes())
    counted = columns[-1] if columns and is_counted(items.source) else ""
    late = made_late(items.source, items.order_by)
    described = replace(items, columns=columns, ordinality=counted, late=late)
    return replace(table, shape=replace(table.shape, items=described))
