"""An unfinished run as NEW's journal has it, and whether both databases still agree with it.

A live run resumes it, and a dry run looks at it. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import asyncpg
from msgspec.structs import replace

from tranship.errors import Refused, Stopped
from tranship.errors.codes.runs import AnotherPlan
from tranship.errors.codes.stops import (
    OldChangedSince,
    OldNotCounted,
    OldSetBack,
    OldWrittenSince,
)
from tranship.execution.active_run import FlowTask, Task
from tranship.execution.context import Job, RunContext
from tranship.execution.copying.counted import journalled_claims, shortfalls
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.row_numbers import RowNumbers
from tranship.execution.start.dependencies import changed
from tranship.execution.start.old_unchanged import why_not_unwritten
from tranship.execution.start.set_back import restarted, same_contents
from tranship.model.dependencies import Dependencies
from tranship.model.flow import FlowId
from tranship.model.notes import Resumed
from tranship.model.options import NewSnapshot
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch, Region
from tranship.model.verdict import Held
from tranship.planning.plan.content import plan_hash, rebound, run_hash
from tranship.server import pages
from tranship.server.identity import read_identity
from tranship.server.journal import BatchRow, Journal, Run, TaskRow, earlier_format
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


async def proven(
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
    anew = await restarted(snapshot, depends)
    uncounted = tuple(str(task.plan.flow) for task in tasks if task.uncounted)
    if uncounted and (anew or not snapshot.mark.nothing_ended_since(then)):
        if not again:
            raise Stopped(OldNotCounted(uncounted))
        return False
    if changes:
        return False
    written = await why_not_unwritten(snapshot, then, tasks, jobs, context.on_event, anew=anew)
    if written is not None and not again:
        raise Stopped(OldWrittenSince(written))
    return written is None


async def not_set_back(
    context: RunContext, control: asyncpg.Connection, snapshot: Snapshot, run: Run, depends: Dependencies
) -> bool:
    """Returns whether finished batches read what OLD holds, in case its server was started anew since.

    Raises:
        Stopped: they did not, and nobody said what to do.
    """
    if not await restarted(snapshot, depends):
        return True
    rows = await context.journal.tasks(control, run.id)
    if await same_contents(context, snapshot, control, run, rows):
        return True
    if context.options.new_snapshot != NewSnapshot.UNFINISHED:
        raise Stopped(OldSetBack())
    return False


async def refuse_gone(
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


def hand_out(batches: Sequence[BatchRow], tasks: Sequence[Task]) -> None:
    """Gives each task its batches: done, or still to do."""
    for batch in batches:
        task = tasks[batch.position]
        if batch.done:
            task.done.append(batch)
        elif batch.uncounted:
            task.uncounted.append(batch.batch)
        else:
            task.todo.append(batch.batch)
    for task in tasks:
        # The rest of a batch that was split has a later number; where NEW numbers the rows as they come,
        # their place counts.
        task.todo.sort(key=lambda batch: (batch.source, batch.range.start or ()))


def resumed(run: Run, tasks: Iterable[Task], *, dry: bool = False) -> Resumed:
    """Returns the note about what is left of an interrupted run."""
    batches = sum(len(task.todo) for task in tasks)
    return Resumed(run.started, batches, dry, counted=not any(task.uncounted for task in tasks))


async def count_rest(snapshot: Snapshot, task: Task, batch_rows: int) -> None:
    """Counts what an interrupted run left uncounted, in the snapshot that it read, and writes nothing."""
    at_most = (batch_rows, pages.AT_ONCE)
    while task.uncounted:
        async with snapshot.reading() as old:
            found = await old.advance(task.plan, task.uncounted[0], task.digest, at_most)
        task.rows += sum(part.rows for part in found.parts) - task.uncounted[0].rows
        task.rows += found.left.rows if found.left is not None else 0
        task.digest = found.digest
        first = len(task.todo) + len(task.done)
        task.todo += [
            Batch(n, task.plan.flow, part.range, part.rows) for n, part in enumerate(found.parts, first)
        ]
        task.uncounted[:1] = [found.left] if found.left is not None else []


async def as_decided(control: asyncpg.Connection, journal: Journal, job: Job, run: Run) -> Job:
    """Returns the job with the plan that the journal holds. The OIDs of OLD's heaps are the present ones."""
    decided = await journal.plan(control, run)
    if decided is None:
        raise earlier_format(journal, run.id, run.tool_version)
    return replace(job, plan=rebound(decided, job.plan, job.new))


class Known(NamedTuple):
    """What is known of the rejects of a run that was interrupted."""

    book: Book
    unpredicted: int
    """Rejects of finished batches that no data check predicted."""


async def known_rejects(
    control: asyncpg.Connection, journal: Journal, run: Run, tasks: Sequence[Task]
) -> Known:
    """Returns the rejects of finished batches, and those that are predicted of the others."""
    book, unpredicted = Book(), 0
    left = {task.position: Region(task.left) for task in tasks}
    predicted = {task.position: RowNumbers() for task in tasks}
    async for position, one in journal.predicted(control, run.id):
        flow = tasks[position].plan.flow
        if isinstance(one, Held):
            book.restore_held(flow, [one])
            continue
        predicted[position].put(one.row, 0)
        if one.row in left[position]:
            book.add(flow, one)
    # What a rollback takes back is rejected anew.
    done = {(task.position, row.batch.number) for task in tasks for row in task.done}
    async for row in journal.rejects(control, run.id):
        if (row.position, row.batch) in done:
            book.add(tasks[row.position].plan.flow, row.reject)
            unpredicted += predicted[row.position].get(row.reject.row) is None
    for task in tasks:
        if task.findings.ordered_stream:
            book.order(task.plan.flow)
    return Known(book, unpredicted)


def arriving(tasks: Iterable[Task], book: Book) -> dict[FlowId, int]:
    """Returns how many rows of each flow are still to be written."""
    found = {}
    for task in tasks:
        left = Region(task.left)
        gone = sum(row in left for row in book.not_copied(task.plan.flow))
        found[task.plan.flow] = sum(batch.rows for batch in task.left) - gone
    return found


def tasks_of(rows: Sequence[TaskRow], job: Job) -> list[Task]:
    """Returns the tables of the run, without their batches."""
    plans = {p.flow: p for p in job.plan.tables}
    return [_task(row, plans[row.flow]) for row in rows]


def _task(row: TaskRow, plan: TablePlan) -> Task:
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
