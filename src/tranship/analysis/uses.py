"""Asks OLD which columns and tables the SQL of decisions turns into values of NEW: they are not left
behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

import asyncpg
from msgspec import Struct

from tranship.analysis.expression_checks import refused_text, select_of
from tranship.model.catalog import Catalog
from tranship.model.names import ColumnRef, TableName
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.planning.plan.person_sql import Kind, PersonSql, person_sql
from tranship.planning.printed.explained import Tree, columns_in, read_plan, relations_in
from tranship.server.trouble import is_lost
from tranship.sql.old import expression_checks as sql

_WHOLE_ROW = "*"


class Uses(Struct, frozen=True):
    """What the SQL of decisions uses, among what would be left behind."""

    columns: tuple[ColumnRef, ...]
    tables: tuple[TableName, ...]
    problems: tuple[Problem, ...] = ()
    """SQL that OLD does not run: nobody knows what it uses."""


async def uses(
    conn: asyncpg.Connection, old: Catalog, plans: Sequence[TablePlan], asked: Sequence[ColumnRef]
) -> Uses:
    """Returns which of the columns are used, and every relation that is read beside the flow's own.

    ``conn`` is pinned as the run's readers are and has no open transaction; nothing is executed.
    """
    columns: dict[ColumnRef, None] = {}
    tables: dict[TableName, None] = {}
    problems: list[Problem] = []
    for one in (text for plan in plans for text in person_sql(plan) if text.produces_values):
        told = await refused_text(conn, one)
        if told is not None and not told.warning:
            problems.append(told)
        else:
            found = await _of_text(conn, one, asked, old)
            columns |= dict.fromkeys(found.columns)
            tables |= dict.fromkeys(found.tables)
    return Uses(tuple(columns), tuple(tables), tuple(problems))


async def _of_text(
    conn: asyncpg.Connection, one: PersonSql, asked: Sequence[ColumnRef], old: Catalog
) -> Uses:
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        tree = read_plan(await conn.fetchval(sql.explained_select(select_of(one, one.text))))
    read = _relations(tree, one.rows, old)
    beside = [ref for ref in asked if ref.table in read and _is_in(tree, ref, old)]
    own = [ref for ref in asked if ref.table == one.rows.old and one.kind is not Kind.SELECT]
    table = old.table(one.rows.old)
    names = [column.name for column in table.columns] if table is not None else []
    return Uses((*beside, *await _own_columns(conn, one, tree, own, names)), tuple(read))


def _relations(tree: Tree, plan: TablePlan, old: Catalog) -> list[TableName]:
    """Returns the tables that a plan reads beside the flow's own; a partition counts as its table."""
    own = {name for source in plan.sources for name in (source.relation, source.root)}
    roots = {leaf.name: table.name for table in old.tables for leaf in table.partitions}
    return [roots.get(name, name) for name in relations_in(tree) if name not in own]


def _is_in(tree: Tree, ref: ColumnRef, old: Catalog) -> bool:
    table = old.table(ref.table)
    leaves = [leaf.name for leaf in table.partitions] if table is not None else []
    found: Set[str] = {column for name in (ref.table, *leaves) for column in columns_in(tree, name)}
    return ref.column in found or _WHOLE_ROW in found


async def _own_columns(
    conn: asyncpg.Connection, one: PersonSql, tree: Tree, asked: Sequence[ColumnRef], all_: Sequence[str]
) -> list[ColumnRef]:
    """Returns which columns of the flow's own rows a text uses: it fails without them, or uses whole rows."""
    own = {name for source in one.rows.sources for name in (source.relation, source.root)}
    if any(_WHOLE_ROW in columns_in(tree, name) for name in own):
        return list(asked)
    # With all columns it has to pass, or else what it fails of is another thing.
    if not asked or not await _passes(conn, one, all_):
        return []
    return [ref for ref in asked if not await _passes(conn, one, _without(all_, ref.column))]


def _without(names: Iterable[str], gone: str) -> list[str]:
    return [name for name in names if name != gone]


async def _passes(conn: asyncpg.Connection, one: PersonSql, columns: Iterable[str]) -> bool:
    """Returns whether OLD knows every column that a text names, over rows that have just these columns."""
    partial = sql.items_without if one.kind is Kind.ITEMS else sql.value_without
    try:
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            await conn.prepare(partial(one.rows, one.text, list(columns)))
    except asyncpg.PostgresError as error:
        if is_lost(error):
            raise
        return False
    return True
