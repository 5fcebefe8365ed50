"""What a run has to do of its job, and what earlier runs did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg
from msgspec.structs import replace

from tranship.errors import Refused
from tranship.errors.codes.rollback import UnfinishedRollback
from tranship.errors.codes.runs import UnfinishedRejectsOnly, UnfinishedWholeRun
from tranship.errors.codes.start import TwoSnapshots
from tranship.execution.context import Job, RunContext, started
from tranship.execution.probe.everything import count_left_out
from tranship.execution.start.earlier_runs import Before, remaining, with_rejects_before
from tranship.execution.start.rejects_only import take_up
from tranship.execution.start.sides import open_snapshot
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.notes import AlreadyMigrated, NoRejectsLeft, NothingToMove
from tranship.model.options import command_line
from tranship.model.resolution import Problem
from tranship.server.journal import Chain, Run, TaskRow


@dataclass(frozen=True)
class ToDo:
    """What is left of a job, and what the result says beside it."""

    left: Job
    whole: Job
    """The tables that the result shows; of a rejects-only run those of which it moves rows."""
    done: Mapping[FlowId, Chain]
    """The tables of ``whole`` that earlier runs moved."""
    known: Mapping[FlowId, Chain]
    """All tables that earlier runs moved: NEW has to hold their rows."""

    @property
    def nothing(self) -> bool:
        """Whether earlier runs did everything."""
        return not self.left.plan.tables

    @property
    def places(self) -> list[tuple[Run, TaskRow]]:
        """What each earlier run moved of the tables."""
        return [place for chain in self.known.values() for place in chain]

    @property
    def mixed(self) -> tuple[Problem, ...]:
        """The warning where an earlier run read its tables at more than one moment; else nothing."""
        return (TwoSnapshots().problem(),) if any(run.mixed for run, _ in self.places) else ()


async def to_do(control: asyncpg.Connection, context: RunContext, before: Before) -> ToDo:
    """Returns what is left of a job by the journal, and tells where nothing is.

    Raises:
        Refused: an unfinished run is of the other kind, or there are no rejected rows to move again.
    """
    await _refuse_other_kind(control, context, before)
    job = context.job
    if not context.options.rejects_only:
        left, done = remaining(job, before)
        left = await with_rejects_before(control, context.journal, left, done)
        return ToDo(left, job, done, done)
    left, known = await take_up(control, context, before)
    if left.plan.tables:
        return ToDo(left, left, {}, known)
    moved = replace(job, plan=job.plan.part([p for p in job.plan.tables if p.flow in known]))
    return ToDo(left, moved, known, known)


async def _refuse_other_kind(control: asyncpg.Connection, context: RunContext, before: Before) -> None:
    """Refuses to take up an unfinished run that moves rejected rows alone as one that moves all, and the
    other way round.
    """
    run = before.unfinished
    if run is None:
        return
    tasks = await context.journal.tasks(control, run.id)
    rejects_only = any(task.rejects_of for task in tasks)
    if rejects_only == context.options.rejects_only:
        return
    # Whichever kind it is: it is never run to its end.
    if any(batch.rolling_back for batch in await context.journal.batches(control, tasks, run.id)):
        command = command_line("tranship", "rollback", *context.config.words, "--run", run.id, "--live")
        raise Refused(UnfinishedRollback(run.started, command))
    raise Refused((UnfinishedRejectsOnly if rejects_only else UnfinishedWholeRun)(run.started))


def announce(context: RunContext, work: ToDo) -> None:
    """Says which tables a rejects-only run shows; those of every other run stand with its plan."""
    if context.options.rejects_only:
        context.on_event(started(work.whole))


async def tell_nothing_left(context: RunContext, work: ToDo, reads: Sequence[TableName]) -> dict[str, int]:
    """Says why nothing is to do. Returns the rows of the tables that a decision leaves out: as the runs that
    moved the others counted them, or counted now where no run was ever made.
    """
    if context.options.rejects_only:
        context.note(NoRejectsLeft())
    elif context.job.plan.tables:
        context.note(AlreadyMigrated())
        runs = sorted({run.id: run for run, _ in work.places}.values(), key=lambda run: run.started)
        return {table: rows for run in runs for table, rows in run.left_out.items()}
    else:
        context.note(NothingToMove())
        async with open_snapshot(context, reads) as snapshot:
            return await count_left_out(snapshot, context.job)
    return {}
