"""Whether rows of this OLD are in NEW already: by a finished run under other decisions, or by a run that
another journal knows.

A table without a unique key of OLD's would hold its rows twice, and nothing in NEW would show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from tranship.errors import Refused
from tranship.errors.codes.runs import FilledBefore, JournalNotSeen, KnownToAnotherJournal
from tranship.execution.context import Job, RunContext
from tranship.execution.start.resume import Before
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.options import command_line
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.server.identity import Identity
from tranship.server.journal import Journal, Run, RunStatus, TaskRow, find_journal
from tranship.sql.old import cut as sql_cut
from tranship.sql.queries import query
from tranship.sql.session import set_local

LOCK_TIMEOUT = "3s"
"""For the count of a table of OLD: somebody's exclusive lock leaves its rows uncounted."""


@dataclass(frozen=True)
class _Moved:
    """Rows of one pair of tables that a run wrote."""

    run: Run
    task: TaskRow
    rows: int


async def filled_before(
    control: asyncpg.Connection, context: RunContext, before: Before, left: Job
) -> tuple[Problem, ...]:
    """Returns a refusal for each table that is left to do although a finished run filled it; none with
    ``--again``.

    A table that an unfinished run has begun was asked about when that run began.
    """
    journal, options = context.journal, context.options
    if options.again or not before.moved:
        return ()
    unfinished = before.unfinished
    begun = await journal.tasks(control, unfinished.id) if unfinished is not None else ()
    wanted = {_pair(p.flow) for p in left.plan.tables} - {_pair(t.flow) for t in begun}
    # A flow that is as it was then is done; it is not another one beside which its rows would come again.
    done = {known.flow for known in left.moved}
    moved = {
        _pair(found.task.flow): found
        for found in await _moved(control, journal, before.moved)
        if _pair(found.task.flow) in wanted and found.task.flow not in done and found.rows
    }
    problems = []
    for (old, new), found in moved.items():
        run = found.run
        command = command_line("tranship", "rollback", context.config.path, "--run", run.id, "--live")
        problems.append(FilledBefore(run.id, run.started, found.rows, old, new, command).problem())
    return tuple(problems)


async def refuse_filled(control: asyncpg.Connection, context: RunContext, before: Before, left: Job) -> None:
    """Looks whether a finished run filled what is left to do.

    Raises:
        Refused: it did, and nobody asked for the rows again.
    """
    problems = await filled_before(control, context, before, left)
    if problems:
        raise Refused(problems)


async def in_other_journals(
    new: asyncpg.Connection, context: RunContext, old: Identity
) -> tuple[Problem, ...]:
    """Returns a refusal for each table of the plan that another journal in NEW knows as filled from this OLD.

    What cannot be looked into is a warning: anybody may make a schema that looks like a journal.
    """
    found: list[Problem] = []
    pairs = {_pair(p.flow) for p in context.job.plan.tables}
    for row in await new.fetch(query("journals"), context.config.journal_schema):
        schema = row["schema"]
        try:
            journal = await find_journal(new, schema)
            if journal is not None:
                found += await _known(new, journal, old, pairs, again=context.options.again)
        except (Refused, asyncpg.InsufficientPrivilegeError) as error:
            found.append(JournalNotSeen(schema, row["owner"], str(error).partition("\n")[0]).problem())
    return tuple(found)


async def _known(
    new: asyncpg.Connection,
    journal: Journal,
    old: Identity,
    pairs: set[tuple[TableName, TableName]],
    *,
    again: bool,
) -> list[Problem]:
    runs = [
        run for run in await journal.runs(new, old.key) if not (again and run.state == RunStatus.FINISHED)
    ]
    places = [(run, task) for run in runs for task in await journal.tasks(new, run.id)]
    return [
        KnownToAnotherJournal(
            journal.schema,
            "finished" if found.run.state == RunStatus.FINISHED else "unfinished",
            found.run.id,
            found.run.started,
            found.rows,
            *_pair(found.task.flow),
        ).problem()
        for found in await _moved(new, journal, places)
        if found.rows and _pair(found.task.flow) in pairs
    ]


async def rows_now(
    old: asyncpg.Connection, job: Job, done: Mapping[FlowId, tuple[Run, TaskRow]]
) -> dict[FlowId, int]:
    """Returns how many rows OLD holds now in each table that was moved before; a table that somebody
    has locked is left out.
    """
    counted: dict[FlowId, int] = {}
    for plan in job.plan.tables:
        if plan.flow in done and plan.shape.in_a_heap:
            rows = await _count(old, plan)
            counted |= {plan.flow: rows} if rows is not None else {}
    return counted


async def _count(old: asyncpg.Connection, plan: TablePlan) -> int | None:
    try:
        async with old.transaction(readonly=True):
            await old.execute(set_local("lock_timeout", LOCK_TIMEOUT))
            return sum([int(await old.fetchval(sql_cut.count(source))) for source in plan.sources])
    except asyncpg.LockNotAvailableError:
        return None


async def _moved(
    conn: asyncpg.Connection, journal: Journal, places: Sequence[tuple[Run, TaskRow]]
) -> list[_Moved]:
    return [
        _Moved(run, task, (await conn.fetchrow(journal.sql("sums"), run.id, task.position))["written"])
        for run, task in places
    ]


def _pair(flow: FlowId) -> tuple[TableName, TableName]:
    return flow.old, flow.new
