"""The start of a run that resumes what an interrupted one left."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence

import asyncpg
import msgspec
from msgspec.structs import replace

from tranship.errors import Refused, Stopped
from tranship.errors.codes.runs import AnotherPlan
from tranship.errors.codes.stops import OldChangedSince, OldSetBack, OldWrittenSince
from tranship.execution.active_run import FlowTask, Task
from tranship.execution.context import Job, MovedBefore, RunContext
from tranship.execution.copying.counted import journalled_claims, shortfalls
from tranship.execution.probe.everything import probe_everything
from tranship.execution.probe.reject_book import Book
from tranship.execution.proof.expected import Hashing
from tranship.execution.resilience.connection import PlainSession
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.writer_lock import hold_epoch, shut_out, taken_over
from tranship.execution.rollback.delete import RollbackContext, roll_back
from tranship.execution.rollback.written import Written, find_written, refuse_edited
from tranship.execution.start.dependencies import changed, dependencies
from tranship.execution.start.earlier_runs import part, with_rejects_before
from tranship.execution.start.old_unchanged import unwritten
from tranship.execution.start.rejects_only import restrict
from tranship.execution.start.set_back import restarted, same_contents
from tranship.execution.start.tasks import Begun, task_of, write_task
from tranship.model.dependencies import Dependencies
from tranship.model.flow import FlowId
from tranship.model.notes import CopiedAnew, Resumed, RollbackFirst, RollingBack
from tranship.model.options import NewSnapshot
from tranship.model.plan import TablePlan
from tranship.model.progress import Phase, Region
from tranship.planning.plan.content import plan_hash, rebound, run_hash
from tranship.server.identity import read_identity
from tranship.server.journal import BatchRow, Chain, Journal, Run, TaskRow, earlier_format
from tranship.server.snapshot import Mark, Snapshot


def same_plan(job: Job, tasks: Sequence[TaskRow], run: Run) -> None:
    """Checks that an unfinished run has the plan with which it began.

    Raises:
        Refused: the plan differs; the message says in which tables.
    """
    if run.plan_hash == run_hash(job.plan.tables):
        return
    now = {p.flow: plan_hash(p) for p in job.plan.tables}
    then = {t.flow: t.plan_hash for t in tasks}
    differences = [f"{flow} is new" for flow in sorted(now.keys() - then.keys())]
    differences += [f"{flow} is gone" for flow in sorted(then.keys() - now.keys())]
    differences += [
        f"{flow} is moved otherwise" for flow in sorted(now.keys() & then.keys()) if now[flow] != then[flow]
    ]
    raise Refused(AnotherPlan(run.started, "; ".join(differences)))


async def resume(
    context: RunContext, session: PlainSession, snapshot: Snapshot, run: Run, jobs: int
) -> Begun:
    """Takes an unfinished run over: ends its backends, raises the epoch, and proves that OLD is as it was.

    Raises:
        Refused: the plan is another one.
        Stopped: OLD was written to since, and nobody said what to do; or NEW lacks rows that the run wrote.
    """
    job, journal = context.job, context.journal
    control = await session.alive()
    rows = await journal.tasks(control, run.id)
    same_plan(job, rows, run)
    epoch = await shut_out(control, journal, run)
    await _end_rollback(context, control, replace(run, epoch=epoch))
    job = await _as_decided(control, journal, job, run)
    context = context.of(job)
    tasks = _tasks(rows, job)
    depends = await journal.depends(control, run.id)
    unchanged = all(row.done for row in rows) or (
        await _proven(context, snapshot, run, tasks, depends, jobs)
        and await _not_set_back(context, session, snapshot, run, depends)
    )
    control = await session.alive()
    if not unchanged:
        context.note(CopiedAnew())
        depends = await dependencies(context, snapshot, depends.reads)
        job = await redo_unfinished(context, session, snapshot, replace(run, epoch=epoch))
        # Copying anew may have taken hours, after which the session may have been opened again.
        control = await session.alive()
        await control.execute(journal.sql("keep_depends"), run.id, msgspec.json.encode(depends))
        rows = await journal.tasks(control, run.id)
        tasks = _tasks(rows, job)
    native = await _refuse_gone(control, journal, run, rows)
    await _take(control, journal, run.id, (str(snapshot.mark), not unchanged, epoch))
    _hand_out(await journal.batches(control, rows, run.id), tasks)
    context.note(Resumed(run.started, sum(len(t.todo) for t in tasks)))
    return Begun(
        run.id,
        epoch,
        job,
        tasks,
        await _known_rejects(control, journal, run, tasks),
        run.left_out,
        run.phase if unchanged else Phase.COPY,
        run.mixed or not unchanged,
        depends,
        _hashing(run),
        native,
    )


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


async def _proven(
    context: RunContext,
    snapshot: Snapshot,
    run: Run,
    tasks: Sequence[Task],
    depends: Dependencies,
    jobs: int,
) -> bool:
    """Returns whether OLD is as the run saw it. If not, unfinished tables have to be copied again.

    Raises:
        Stopped: it is not, and nobody said what to do.
    """
    then, again = Mark.of(run.snapshot), context.options.new_snapshot == NewSnapshot.UNFINISHED
    changes = await changed(context, snapshot, depends, then)
    if changes and not again:
        raise Stopped(OldChangedSince(changes))
    if not changes and await unwritten(snapshot, then, tasks, jobs, context.on_event):
        return True
    if not again:
        raise Stopped(OldWrittenSince())
    return False


async def _not_set_back(
    context: RunContext, session: PlainSession, snapshot: Snapshot, run: Run, depends: Dependencies
) -> bool:
    """Returns whether finished batches read what OLD holds, in case its server was started anew since.

    Raises:
        Stopped: they did not, and nobody said what to do.
    """
    if not await restarted(snapshot, depends):
        return True
    control = await session.alive()
    rows = await context.journal.tasks(control, run.id)
    if await same_contents(context, snapshot, control, run, rows):
        return True
    if context.options.new_snapshot != NewSnapshot.UNFINISHED:
        raise Stopped(OldSetBack())
    return False


async def _refuse_gone(
    control: asyncpg.Connection, journal: Journal, run: Run, rows: Sequence[TaskRow]
) -> bool:
    """Counts what the run wrote; returns whether it wrote on this server.

    Raises:
        Stopped: NEW lacks rows.
    """
    native = run.new_identity == (await read_identity(control)).key
    claims = [claim for _, claim in await journalled_claims(control, journal, [(run, row) for row in rows])]
    lacking = await shortfalls(control, claims, native=native)
    if lacking:
        raise lacking[0].stopped
    return native


def _hand_out(batches: Sequence[BatchRow], tasks: Sequence[Task]) -> None:
    """Gives each task its batches: done, or still to do."""
    for batch in batches:
        task = tasks[batch.position]
        if batch.done:
            task.done.append(batch)
        else:
            task.todo.append(batch.batch)
    for task in tasks:
        # The rest of a batch that was split has a later number; where NEW numbers the rows as they come,
        # their place counts.
        task.todo.sort(key=lambda batch: (batch.source, batch.range.start or ()))


async def _as_decided(control: asyncpg.Connection, journal: Journal, job: Job, run: Run) -> Job:
    """Returns the job with the plan that the journal holds. The OIDs of OLD's heaps are the present ones."""
    decided = await journal.plan(control, run)
    if decided is None:
        raise earlier_format(journal, run.id, run.tool_version)
    return replace(job, plan=rebound(decided, job.plan, job.new))


async def _known_rejects(
    control: asyncpg.Connection, journal: Journal, run: Run, tasks: Sequence[Task]
) -> Book:
    """Returns the rejects of finished batches, and those that are predicted of the others."""
    book = Book()
    for position, predicted in (await journal.predicted(control, run.id)).items():
        flow, left = tasks[position].plan.flow, Region(tasks[position].todo)
        book.restore_held(flow, predicted.held)
        book.add_all(flow, (reject for reject in predicted.rejects if reject.row in left))
    for row in await journal.rejects(control, run.id):
        book.add(tasks[row.position].plan.flow, row.reject)
    for task in tasks:
        if task.findings.ordered_stream:
            book.order(task.plan.flow)
    return book


async def redo_unfinished(context: RunContext, session: PlainSession, snapshot: Snapshot, run: Run) -> Job:
    """Deletes what unfinished tables hold of the run, and probes and cuts them again in the new snapshot.

    Returns the job; of a rejects-only run over the rejected rows as they lie now. ``run.epoch`` is ours.
    """
    job, journal = context.job, context.journal
    control = await session.alive()
    left = await _unedited(context, control, run, lambda task: not task.done)
    await roll_back(control, _rollback_context(context, run), left)
    rows = await journal.tasks(control, run.id)
    rest = await _unfinished(control, journal, job, {row.flow: ((run, row),) for row in rows if row.done})
    rest = await restrict(context.of(rest), snapshot, control)
    probed = await probe_everything(context.of(rest), snapshot, digest=True)
    places = {row.flow: row.position for row in rows}
    control = await session.alive()
    async with control.transaction():
        await hold_epoch(control, journal, run.id, run.epoch)
        for plan in rest.plan.tables:
            task = task_of(places[plan.flow], plan, probed, rest)
            for forget in (
                journal.sql("forget_batches"),
                journal.sql("forget_rejects"),
                journal.sql("forget_predicted_rejects"),
                journal.sql("forget_task"),
            ):
                await control.execute(forget, run.id, task.position)
            await write_task(control, journal, run.id, task, probed.book)
        await control.execute(journal.sql("new_snapshot"), run.id, str(snapshot.mark))
        if not rest.taken_up:
            return job
        job = replace(job, plan=part(job.plan, [*job.plan.tables, *rest.plan.tables]))
        await control.execute(journal.sql("keep_plan"), run.id, msgspec.json.encode(job.plan))
        return job


async def _unfinished(
    control: asyncpg.Connection, journal: Journal, job: Job, done: Mapping[FlowId, Chain]
) -> Job:
    """Returns the job without the tables that a run has finished: they count as moved before."""
    plans = [plan.unrestricted for plan in job.plan.tables if plan.flow not in done]
    finished = tuple(MovedBefore(p) for p in job.plan.tables if p.flow in done)
    taken_up = tuple(taken for taken in job.taken_up if taken.flow not in done)
    rest = replace(job, plan=part(job.plan, plans), moved=finished, taken_up=taken_up)
    left = await with_rejects_before(control, journal, rest, done)
    return replace(left, moved=(*job.moved, *left.moved))


async def _end_rollback(context: RunContext, control: asyncpg.Connection, run: Run) -> None:
    """Finishes an interrupted rollback: no batch says any more which of its rows are deleted."""
    journal = context.journal
    tasks = await journal.tasks(control, run.id)
    begun = {b.position for b in await journal.batches(control, tasks, run.id) if b.rolling_back}
    if begun:
        context.note(RollbackFirst())
        rows = await _unedited(context, control, run, lambda task: task.position in begun)
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
    await roll_back(control, _rollback_context(context, run), await _unedited(context, control, run))
    await forget(control, journal, run)


async def _unedited(
    context: RunContext,
    control: asyncpg.Connection,
    run: Run,
    wanted: Callable[[TaskRow], bool] = lambda _: True,
) -> tuple[Written, ...]:
    """What a run wrote into tables that are to be copied again.

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


def _tasks(rows: Sequence[TaskRow], job: Job) -> list[Task]:
    plans = {plan.flow: plan for plan in job.plan.tables}
    return [_resumed(row, plans[row.flow]) for row in rows]


def _resumed(row: TaskRow, plan: TablePlan) -> Task:
    facts = FlowTask(row.position, plan, ordered_stream=row.findings.ordered_stream)
    return Task(
        facts,
        row.plan_hash,
        row.rows,
        row.digest,
        row.findings,
        [],
        finished=row.done,
        old_rows=row.old_rows,
        relation=row.relation,
        rejects_of=row.rejects_of,
    )
