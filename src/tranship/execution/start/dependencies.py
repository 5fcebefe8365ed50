"""What a plan depends on in OLD beside the rows of its tables: found, recorded, and compared when a run
goes on and ends.

A snapshot does not cover it: functions and enum labels are looked up as they are now, and a table that only
an expression reads is part of no batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial

import asyncpg

from tranship.execution.context import Job, RunContext
from tranship.model.dependencies import Dependencies, Reads, Versions
from tranship.model.expression import Lookup
from tranship.model.names import Side, TableName
from tranship.model.plan import Source, TablePlan
from tranship.planning.deciding.barred_calls import calls
from tranship.planning.plan.person_sql import Kind, PersonSql, person_sql
from tranship.planning.printed.explained import calls_in, expressions_in, read_plan, relations_in
from tranship.server.cut import versions
from tranship.server.session import datestyle, open_session
from tranship.server.snapshot import Mark, Snapshot
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql.old import expression_checks as sql_expressions
from tranship.sql.queries import query
from tranship.sql.session import SERVER_STARTED


async def reads_of(old: asyncpg.Connection, job: Job) -> Reads:
    """Returns what the expressions of the plan reach, asked of OLD's planner; nothing is executed."""
    plans = _with_expressions(job)
    if not plans:
        return Reads()
    relations: dict[TableName, None] = {}
    called: dict[tuple[str, str], None] = {}
    texts = [text for _, text in plans]
    async with old.transaction(readonly=True):
        for plan, explained in plans:
            tree = read_plan(await old.fetchval(explained))
            own = {name for source in plan.sources for name in (source.relation, source.root)}
            relations |= dict.fromkeys(name for name in relations_in(tree) if name not in own)
            called |= dict.fromkeys(calls_in(tree))
            texts += expressions_in(tree)
        functions = await called_by(old, {name for text in texts for *_, name in calls(text)})
        tables, unseen = await _comparable(old, tuple(relations))
        opaque = await _opaque_routines(old)
    unseen += [f"function {schema}.{name}" for schema, name in called if (schema, name) in opaque]
    return Reads(tuple(sorted(tables)), tuple(unseen), functions, expressions=True)


async def called_by(conn: asyncpg.Connection, names: AbstractSet[str]) -> tuple[str, ...]:
    """Returns which of some bare names are of functions that are not built in, with those that these may
    call, also through one another.
    """
    seen: set[str] = set()
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        rows = await conn.fetch(query("functions_named"), sorted(waiting))
        seen |= waiting
        found |= {row["name"] for row in rows if not row["built_in"]}
        # The body is quoted in the definition, and nothing in quotes counts as a call.
        texts = [f"{row['definition']}\n{row['source']}" for row in rows if row["definition"] is not None]
        waiting = {name for text in texts for *_, name in calls(text)} - seen
    return tuple(sorted(found))


def _with_expressions(job: Job) -> list[tuple[TablePlan, str]]:
    """Returns EXPLAINs of the SQL that people wrote, each with the plan that uses it; tables without rows
    aside.
    """
    plans = [plan for plan in job.plan.tables if plan.sources]
    expressions = [
        (plan, explained)
        for plan in plans
        for one in person_sql(plan)
        if (explained := _explained(one)) is not None
    ]
    shaped = [plan for plan in plans if not plan.shape.one_row_each]
    return [*expressions, *((plan, sql_expressions.explained_rows(plan)) for plan in shaped)]


def _explained(one: PersonSql) -> str | None:
    """Returns the EXPLAIN of one text; None: the EXPLAIN of the flow's rows has it."""
    match one.kind:
        case Kind.VALUE:
            return sql_expressions.explained_reads(one.rows, one.text)
        case Kind.ORDER if not one.makes_rows:
            return sql_expressions.explained_select(sql_expressions.ordered(one.rows, one.text))
        case _:
            return None


async def _opaque_routines(old: asyncpg.Connection) -> set[tuple[str, str]]:
    """Returns the routines whose reads the planner does not show."""
    rows = await old.fetch(query("depends_routines"), [])
    return {(row["schema"], row["bare"]) for row in rows if row["schema"] is not None and not row["plain"]}


async def _comparable(
    old: asyncpg.Connection, relations: Sequence[TableName]
) -> tuple[list[TableName], list[str]]:
    """Tables whose row versions this role can compare, and the others in words."""
    found = await old.fetch(query("depends_relations"), *_columns(relations))
    tables = [TableName(r["schema"], r["name"]) for r in found if r["readable"] and r["versioned"]]
    return tables, [f"relation {name}" for name in relations if name not in tables]


async def dependencies(context: RunContext, snapshot: Snapshot, reads: Reads) -> Dependencies:
    """Returns what the snapshot shows: the row versions of the tables that expressions read, and the facts.

    One connection reads both: a role may be allowed no more than three in OLD.
    """
    async with snapshot.reader() as old:
        tables = {str(name): await _versions(old, name) for name in reads.tables}
        facts = await _facts(old, context.job, reads)
        return Dependencies(reads, tables, facts, await old.fetchval(SERVER_STARTED))


async def facts(context: RunContext, reads: Reads, idle: asyncpg.Connection) -> dict[str, str]:
    """Returns columns, enum labels and functions as OLD has them now, whatever a snapshot shows.

    ``idle`` is asked where it still answers: a role may be allowed no further connection.
    """
    try:
        async with idle.transaction(readonly=True):
            return await _facts(idle, context.job, reads)
    except DATABASE_TROUBLE:
        idle.terminate()
    conn = await open_session(context.config.old, datestyle=datestyle(context.job.new))
    try:
        async with conn.transaction(readonly=True):
            return await _facts(conn, context.job, reads)
    finally:
        conn.terminate()


async def _facts(conn: asyncpg.Connection, job: Job, reads: Reads) -> dict[str, str]:
    relations = _columns(_relations_read(job, reads))
    found = [
        *await conn.fetch(query("depends_columns"), *relations),
        *await conn.fetch(query("depends_labels"), *relations, reads.expressions),
    ]
    found += await conn.fetch(query("depends_routines"), list(reads.functions)) if reads.expressions else []
    return {
        row["name"]: row["facts"] for row in found if row["name"] is not None and row["facts"] is not None
    }


async def changed(context: RunContext, snapshot: Snapshot, then: Dependencies, mark: Mark) -> tuple[str, ...]:
    """Returns in words what is not as a run found it that began at ``mark``; empty: values mean the same."""
    async with snapshot.reader() as old:
        changes = list(gone(then.facts, await _facts(old, context.job, then.reads)))
        nothing_ended = snapshot.mark.nothing_ended_since(mark)
        names = then.reads.tables
        if nothing_ended and not await started_anew(old, then):
            # A crash of OLD empties UNLOGGED tables, and no transaction ends.
            names = tuple(filter(partial(_perhaps_unlogged, context.job), names))
        for name in names:
            same = (
                snapshot.mark.timeline == mark.timeline
                and await _versions(old, name) == then.tables[str(name)]
            )
            changes += [] if same else [f"rows of {name}, which an expression reads"]
    changes += [f"perhaps what {name} reads" for name in then.reads.unseen if not nothing_ended]
    return tuple(changes)


def _perhaps_unlogged(job: Job, name: TableName) -> bool:
    """Returns whether a crash of OLD may have emptied a table."""
    table = job.old.table(name)
    return table is None or table.persistence == "u"


async def started_anew(old: asyncpg.Connection, then: Dependencies) -> bool:
    """Returns whether OLD's server was started anew since a run began that recorded it."""
    return then.server_started not in ("", await old.fetchval(SERVER_STARTED))


def gone(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Yields the names of the facts that are no longer the same; what came since is nobody's concern."""
    for name, fact in sorted(then.items()):
        if now.get(name) != fact:
            yield name


async def _versions(old: asyncpg.Connection, name: TableName) -> Versions:
    found = await old.fetchrow(query("depends_relations"), [name.schema], [name.name])
    if found is None:
        return Versions(0, "gone")
    plan = TablePlan(name, name, (), (), (Source(name, name, found["oid"]),))
    return Versions(*await versions(old, plan))


def _relations_read(job: Job, reads: Reads) -> list[TableName]:
    plans = job.plan.tables
    sources = [name for plan in plans for source in plan.sources for name in (source.relation, source.root)]
    lookups = [
        m.expression.table
        for plan in plans
        for m in plan.columns
        if isinstance(m.expression, Lookup) and m.expression.side is Side.OLD
    ]
    return list(dict.fromkeys([*sources, *lookups, *reads.tables]))


def _columns(tables: Sequence[TableName]) -> tuple[list[str], list[str]]:
    return [name.schema for name in tables], [name.name for name in tables]
