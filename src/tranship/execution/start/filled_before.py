"""Whether rows of this OLD are in NEW already: by a finished run under other decisions, by a run that another
journal knows, or by a run from an OLD of which this one may be a copy.

A table without a unique key of OLD's would hold its rows twice, and nothing in NEW would show it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import asyncpg

from tranship.errors import Refused
from tranship.errors.codes.runs import (
    FilledBefore,
    FilledBeforeWithRejects,
    JournalNotSeen,
    KnownToAnotherJournal,
)
from tranship.errors.codes.start import FinishedFromAnotherOld
from tranship.execution.context import Job, RunContext
from tranship.execution.start.earlier_runs import Before
from tranship.execution.start.protecting import protecting
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.options import command_line
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.server.identity import Identity
from tranship.server.journal import Journal, Run, RunStatus, TaskRow, find_journal
from tranship.sql.new.unrecorded import count_unrecorded, unprotected
from tranship.sql.queries import query


@dataclass(frozen=True)
class _Moved:
    """Rows of one pair of tables that a run wrote."""

    run: Run
    task: TaskRow
    rows: int
    rejected: int


async def filled_before(
    control: asyncpg.Connection, context: RunContext, before: Before, left: Job
) -> tuple[Problem, ...]:
    """Returns a refusal for each table that is left to do although a finished run filled it; none with
    ``--again`` or ``--rejects-only``.

    A table that an unfinished run has begun was asked about when that run began.
    """
    journal, options = context.journal, context.options
    if options.again or options.rejects_only or not before.moved:
        return ()
    wanted = {_pair(p.flow) for p in left.plan.tables}
    if before.unfinished is not None:
        wanted -= {_pair(t.flow) for t in await journal.tasks(control, before.unfinished.id)}
    # A flow that is as it was then is done; it is not another one beside which its rows would come again.
    done = {known.flow for known in left.moved}
    places = _into(before.moved, wanted, done)
    moved = {_pair(one.task.flow): one for one in await _moved(control, journal, places) if one.rows}
    return tuple(_refusal(context, found) for found in moved.values())


def _into(
    moved: Sequence[tuple[Run, TaskRow]], wanted: Collection[tuple[TableName, TableName]], done: set[FlowId]
) -> list[tuple[Run, TaskRow]]:
    """Returns the tables of earlier runs that are pairs of these tables, done flows apart."""
    return [(run, task) for run, task in moved if _pair(task.flow) in wanted and task.flow not in done]


def _refusal(context: RunContext, found: _Moved) -> Problem:
    run, what = found.run, FilledBeforeWithRejects if found.rejected else FilledBefore
    command = command_line("tranship", "rollback", *context.config.words, "--run", run.id, "--live")
    old, new = _pair(found.task.flow)
    table = str(old) if old == new else f"{old} -> {new}"
    return what(run.id, run.started, table, command).problem()


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


async def from_other_olds(new: asyncpg.Connection, context: RunContext, old: Identity) -> tuple[Problem, ...]:
    """Returns a warning for each table that a finished run from another OLD filled and that no key protects.

    An OLD that was restored from a dump has another identity. Rows with a key are then found to be there
    already, and others would come twice.
    """
    journal, job = await find_journal(new, context.config.journal_schema), context.job
    if journal is None or context.options.again:
        return ()
    others = await _from_others(new, journal, old)
    pairs = await _not_known_by_key(new, job, {_pair(task.flow) for _, task in others})
    places = [place for place in others if _pair(place[1].flow) in pairs]
    latest = {_pair(one.task.flow): one for one in await _moved(new, journal, places) if one.rows}
    return tuple(_beside(context, one) for one in latest.values())


async def _from_others(new: asyncpg.Connection, journal: Journal, old: Identity) -> list[tuple[Run, TaskRow]]:
    """Returns the tables of the finished runs from other OLDs, oldest run first."""
    runs = [run for run in await journal.runs(new, None) if run.old_identity != old.key]
    finished = [run for run in runs if run.state == RunStatus.FINISHED]
    return [(run, task) for run in finished for task in await journal.tasks(new, run.id)]


async def _not_known_by_key(
    new: asyncpg.Connection, job: Job, filled: Collection[tuple[TableName, TableName]]
) -> set[tuple[TableName, TableName]]:
    """Returns those of some pairs of tables in which some rows of NEW are told from others by no key."""
    plans = [plan for plan in job.plan.tables if _pair(plan.flow) in filled]
    return {_pair(plan.flow) for plan in plans if not await _known_by_key(new, job, plan)}


async def _known_by_key(new: asyncpg.Connection, job: Job, plan: TablePlan) -> bool:
    """Returns whether a key of NEW, or a decision, tells each of its rows from those that are moved."""
    indexes = protecting(job, plan)
    if not indexes:
        return indexes is None
    row = await new.fetchrow(count_unrecorded(job.after(plan), unprotected(indexes), ()))
    return not row["whole"]


def _beside(context: RunContext, found: _Moved) -> Problem:
    run = found.run
    command = command_line("tranship", "rollback", *context.config.words, "--run", run.id, "--live")
    old, new = _pair(found.task.flow)
    return FinishedFromAnotherOld(run.id, run.started, found.rows, old, new, command).problem()


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


async def _moved(
    conn: asyncpg.Connection, journal: Journal, places: Sequence[tuple[Run, TaskRow]]
) -> list[_Moved]:
    moved = []
    for run, task in places:
        sums = await conn.fetchrow(journal.sql("sums"), run.id, task.position)
        moved.append(_Moved(run, task, sums["written"], sums["rejected"]))
    return moved


def _pair(flow: FlowId) -> tuple[TableName, TableName]:
    return flow.old, flow.new
