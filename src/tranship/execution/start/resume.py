"""The start of a run that resumes what an interrupted one left."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence

import asyncpg
import msgspec
from msgspec.structs import replace

from tranship.errors import Refused
from tranship.execution.active_run import Task
from tranship.execution.context import Job, MovedBefore, RunContext
from tranship.execution.probe.everything import probe_everything
from tranship.execution.proof.expected import Hashing
from tranship.execution.resilience.connection import PlainSession
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.writer_lock import hold_epoch, shut_out, taken_over
from tranship.execution.rollback.delete import RollbackContext, roll_back
from tranship.execution.rollback.written import Written, find_written, refuse_edited
from tranship.execution.start.computed import refuse_computed_otherwise
from tranship.execution.start.dependencies import dependencies
from tranship.execution.start.earlier_runs import with_rejects_before
from tranship.execution.start.interrupted import (
    arriving,
    as_decided,
    hand_out,
    known_rejects,
    not_set_back,
    proven,
    refuse_gone,
    resumed,
    same_plan,
    tasks_of,
)
from tranship.execution.start.rejects_only import restrict
from tranship.execution.start.sequence_headroom import without_room
from tranship.execution.start.tasks import Begun, on_record, task_of, write_tasks
from tranship.model.dependencies import Dependencies
from tranship.model.flow import FlowId
from tranship.model.notes import CopiedAnew, RollbackFirst, RollingBack
from tranship.model.progress import Phase
from tranship.server.journal import Chain, Journal, Run, TaskRow
from tranship.server.snapshot import Mark, Snapshot


async def resume(
    context: RunContext, session: PlainSession, snapshot: Snapshot, run: Run, jobs: int
) -> Begun:
    """Takes an unfinished run over: ends its backends, raises the epoch, and proves that OLD is as it was.

    Raises:
        Refused: the plan is another one, or NEW computes otherwise.
        Stopped: OLD was written to since, and nobody said what to do; or NEW lacks rows that the run wrote.
    """
    job, journal = context.job, context.journal
    control = await session.alive()
    rows = await journal.tasks(control, run.id)
    same_plan(job, rows, run)
    await refuse_computed_otherwise(control, journal, job, run, rows)
    epoch = await shut_out(control, journal, run)
    await _end_rollback(context, control, replace(run, epoch=epoch))
    job = await as_decided(control, journal, job, run)
    context = context.of(job)
    job, depends, unchanged = await _settled(context, session, snapshot, replace(run, epoch=epoch), jobs)
    # Copying anew may have taken hours, after which the session may have been opened again.
    control = await session.alive()
    rows = await journal.tasks(control, run.id)
    tasks = tasks_of(rows, job)
    native = await refuse_gone(control, journal, run, rows)
    hand_out(await journal.batches(control, rows, run.id), tasks)
    known = await known_rejects(control, journal, run, tasks)
    lacking = await without_room(control, job, arriving(tasks, known.book))
    if lacking is not None:
        raise Refused(lacking)
    elsewhere = _read_elsewhere(run, snapshot, tasks, unchanged=unchanged)
    # The snapshot in which all rows were read stays on record: what OLD changed since is told from it.
    mark = run.snapshot if all(task.finished for task in tasks) else str(snapshot.mark)
    await _take(control, journal, run.id, (mark, not unchanged, epoch))
    context.note(resumed(run, tasks))
    return Begun(
        run.id,
        epoch,
        on_record(job, journal.schema, run.id, tasks),
        tasks,
        known.book,
        run.left_out,
        run.phase if unchanged else Phase.COPY,
        run.mixed or not unchanged,
        depends,
        _hashing(run),
        native,
        known.unpredicted,
        elsewhere,
        Mark.of(run.snapshot) if unchanged and not run.mixed else None,
    )


def _read_elsewhere(
    run: Run, snapshot: Snapshot, tasks: Sequence[Task], *, unchanged: bool
) -> frozenset[FlowId]:
    """Returns the finished flows, unless this snapshot shows all rows as they were read. While a flow is
    unfinished, that has been proven of all (``unchanged``).
    """
    finished = frozenset(task.plan.flow for task in tasks if task.finished)
    same = snapshot.mark.nothing_ended_since(Mark.of(run.snapshot))
    proven = unchanged and (same or len(finished) < len(tasks))
    return frozenset() if proven and not run.mixed else finished


async def _take(control: asyncpg.Connection, journal: Journal, run: str, how: tuple[str, bool, int]) -> None:
    """Journals that this process resumes a run; ``how``: its snapshot, whether another than before, and the
    epoch.

    Raises:
        Stopped: another run took over.
    """
    who = (socket.gethostname(), os.getpid(), *how)
    if await control.fetchval(journal.sql("take_run"), run, *who) is None:
        raise taken_over()
    await failpoint("run.taken")


def _hashing(run: Run) -> Hashing | None:
    """Returns how the run hashes its rows; None: it does not."""
    return Hashing.of(run.hashing) if run.hashing is not None else None


async def _settled(
    context: RunContext, session: PlainSession, snapshot: Snapshot, run: Run, jobs: int
) -> tuple[Job, Dependencies, bool]:
    """Returns the job, what the run's values depend on, and whether its unfinished tables go on where
    they are. If not, they are cut and probed again.
    """
    journal, control = context.journal, await session.alive()
    rows, depends = await journal.tasks(control, run.id), await journal.depends(control, run.id)
    tasks = tasks_of(rows, context.job)
    if all(row.done for row in rows):
        return context.job, depends, True
    hand_out(await journal.batches(control, rows, run.id), tasks)
    unchanged = await proven(context, snapshot, run, tasks, depends, jobs)
    if unchanged and await not_set_back(context, await session.alive(), snapshot, run, depends):
        return context.job, depends, True
    context.note(CopiedAnew())
    found = await dependencies(context, snapshot, depends.reads)
    depends = replace(found, computed=depends.computed)
    job = await redo_unfinished(context, session, snapshot, run)
    control = await session.alive()
    await control.execute(journal.sql("keep_depends"), run.id, msgspec.json.encode(depends))
    return job, depends, False


async def redo_unfinished(context: RunContext, session: PlainSession, snapshot: Snapshot, run: Run) -> Job:
    """Deletes what unfinished tables hold of the run, and probes and cuts them again in the new snapshot.

    Returns the job; of a rejects-only run over the rejected rows as they lie now. ``run.epoch`` is ours.
    """
    job, journal = context.job, context.journal
    control = await session.alive()
    left = await unedited(context, control, run, lambda task: not task.done)
    await roll_back(control, _rollback_context(context, run), left)
    rows = await journal.tasks(control, run.id)
    rest = await unfinished_part(control, journal, job, {row.flow: ((run, row),) for row in rows if row.done})
    rest = await restrict(context.of(rest), snapshot, control)
    probed = await probe_everything(context.of(rest), snapshot, digest=True)
    places = {row.flow: row.position for row in rows}
    control = await session.alive()
    async with control.transaction():
        await hold_epoch(control, journal, run.id, run.epoch)
        for plan in probed.job.plan.tables:
            task = task_of(places[plan.flow], plan, probed, rest)
            for forget in (
                journal.sql("forget_batches"),
                journal.sql("forget_rejects"),
                journal.sql("forget_predicted_rejects"),
                journal.sql("forget_held"),
                journal.sql("forget_leads"),
                journal.sql("forget_task"),
            ):
                await control.execute(forget, run.id, task.position)
            await write_tasks(control, journal, run.id, [task], probed.book)
        await control.execute(journal.sql("new_snapshot"), run.id, str(snapshot.mark))
        # Which rows are moved again, or cannot be taken apart, is said by their places in the new snapshot.
        job = replace(job, plan=job.plan.part([*job.plan.tables, *probed.job.plan.tables]))
        await control.execute(journal.sql("keep_plan"), run.id, msgspec.json.encode(job.plan))
        return job


async def unfinished_part(
    control: asyncpg.Connection, journal: Journal, job: Job, done: Mapping[FlowId, Chain]
) -> Job:
    """Returns the job without the tables that a run has finished: they count as moved before."""
    plans = [plan.unlooked for plan in job.plan.tables if plan.flow not in done]
    finished = tuple(MovedBefore(p) for p in job.plan.tables if p.flow in done)
    taken_up = tuple(taken for taken in job.taken_up if taken.flow not in done)
    rest = replace(job, plan=job.plan.part(plans), moved=finished, taken_up=taken_up)
    left = await with_rejects_before(control, journal, rest, done)
    return replace(left, moved=(*job.moved, *left.moved))


async def _end_rollback(context: RunContext, control: asyncpg.Connection, run: Run) -> None:
    """Finishes an interrupted rollback: no batch says any more which of its rows are deleted."""
    journal = context.journal
    tasks = await journal.tasks(control, run.id)
    begun = {b.position for b in await journal.batches(control, tasks, run.id) if b.rolling_back}
    if begun:
        context.note(RollbackFirst())
        rows = await unedited(context, control, run, lambda task: task.position in begun)
        await roll_back(control, _rollback_context(context, run), rows)


async def forget_if_nothing_done(control: asyncpg.Connection, journal: Journal, run: Run) -> bool:
    """Forgets an unfinished run that committed no batch and left nothing off. Returns whether it did."""
    epoch = await shut_out(control, journal, run)
    if await control.fetchval(journal.sql("anything_done"), run.id):
        return False
    await forget(control, journal, replace(run, epoch=epoch))
    return True


async def start_over(context: RunContext, control: asyncpg.Connection, run: Run) -> None:
    """Rolls an unfinished run back and forgets it."""
    context.note(RollingBack(run.started))
    journal = context.journal
    run = replace(run, epoch=await shut_out(control, journal, run))
    await roll_back(control, _rollback_context(context, run), await unedited(context, control, run))
    await forget(control, journal, run)


async def unedited(
    context: RunContext,
    control: asyncpg.Connection,
    run: Run,
    wanted: Callable[[TaskRow], bool] = lambda _: True,
) -> tuple[Written, ...]:
    """Returns what a run wrote into tables that are to be copied again.

    Raises:
        Refused: others changed rows of it, which would come twice, and nobody asked for that.
    """
    found = await find_written(control, context.journal, run, context.job.new, wanted)
    if not context.options.again:
        await refuse_edited(control, context.job.new, run, found)
    return found


def _rollback_context(context: RunContext, run: Run) -> RollbackContext:
    return RollbackContext(context.journal, run, context.job.new, context.on_event, context.stop)


async def forget(control: asyncpg.Connection, journal: Journal, run: Run) -> None:
    """Removes a run, whose epoch is ours, from the journal."""
    async with control.transaction():
        await hold_epoch(control, journal, run.id, run.epoch)
        for statement in journal.sql.forget_run:
            await control.execute(statement, run.id)
