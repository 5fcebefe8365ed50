"""The flows of a run as tasks, and how they are written into the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg
import msgspec
from msgspec.structs import replace

from tranship.errors.codes.start import TooManyRejects
from tranship.execution.active_run import FlowTask, Task
from tranship.execution.context import Job, Journalled
from tranship.execution.probe.everything import ProbeResult
from tranship.execution.probe.reject_book import Book
from tranship.execution.proof.expected import Hashing
from tranship.model.dependencies import Dependencies
from tranship.model.flow import FlowId
from tranship.model.locator import Whole
from tranship.model.options import MigrateOptions, reject_bound
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch, OldRows, Phase
from tranship.planning.plan.content import plan_hash
from tranship.planning.plan.stand_ins import why_not_alone
from tranship.server.cut import old_rows
from tranship.server.journal import (
    Findings,
    Journal,
    Lead,
    flow_name_text,
    name_text,
    write_leads,
)
from tranship.server.snapshot import Mark


@dataclass
class Begun:
    """A run that is in the journal and ready to copy."""

    run: str
    epoch: int
    job: Job
    """The plan as it was decided when the run began."""
    tasks: list[Task]
    book: Book
    left_out: dict[str, int]
    phase: Phase = Phase.COPY
    """The phase that comes next."""
    mixed: bool = False
    """Whether some tables were read in another snapshot than others."""
    depends: Dependencies = field(default_factory=Dependencies)
    """What its values depend on in OLD besides the rows, as it was when the run began."""
    hashing: Hashing | None = None
    """How rows are hashed for the proof; None: they are not."""
    native: bool = True
    """Whether rows that are in NEW already were written on this server."""
    unpredicted: int = 0
    """Rejects of earlier processes that no data check predicted."""
    read_elsewhere: frozenset[FlowId] = frozenset()
    """Flows that an earlier process read in a snapshot that is gone, and OLD may have changed since."""
    read_in: Mark | None = None
    """That snapshot; None: there were several."""


def on_record(job: Job, journal_schema: str, run: str, tasks: Sequence[Task]) -> Job:
    """Returns the job of a run that is in the journal, which says where its children are led."""
    mine = [Journalled(task.plan.flow, journal_schema, run, task.position) for task in tasks]
    return replace(job, journalled=(*mine, *job.journalled))


async def write_tasks(
    control: asyncpg.Connection, journal: Journal, run: str, tasks: Sequence[Task], book: Book
) -> None:
    """Writes flows with their batches and predicted rejects."""
    await control.executemany(journal.sql("insert_task"), [_task_values(run, task) for task in tasks])
    await journal.write_batches(control, run, {task.position: task.todo for task in tasks})
    for task in tasks:
        await journal.write_uncounted(control, run, task.position, task.uncounted)
        await _write_predicted(control, journal, run, task, book)


def _task_values(run: str, task: Task) -> tuple[object, ...]:
    """Returns a flow as a row of the journal, in the order of ``insert_task``."""
    return (
        run,
        task.position,
        name_text(task.plan.old),
        name_text(task.plan.new),
        task.plan_hash,
        task.rows,
        task.digest,
        msgspec.json.encode(task.findings),
        task.facts.format,
        flow_name_text(task.plan.flow),
        task.old_rows,
        task.rejects_of,
    )


async def _write_predicted(
    control: asyncpg.Connection, journal: Journal, run: str, task: Task, book: Book
) -> None:
    flow = task.plan.flow
    rejects, held = book.rejected(flow), book.held(flow)
    if rejects or held:
        in_order = (held[row] for row in sorted(held))
        await journal.write_predicted(control, run, task.position, rejects.values(), in_order)
    leads = [
        Lead(columns, key, dict(led))
        for columns, entries in book.leads(flow).items()
        for key, led in entries.items()
    ]
    if leads:
        await write_leads(journal, control, run, task.position, leads)


def too_many(rejected: int, rows: int, options: MigrateOptions) -> TooManyRejects | None:
    """Returns the refusal if more rejects are predicted than ``--max-rejects`` allows."""
    bound = reject_bound(options, rows)
    if bound is None or rejected <= bound:
        return None
    return TooManyRejects(rejected, options.max_rejects)


def task_of(position: int, plan: TablePlan, probed: ProbeResult, job: Job) -> Task:
    """Returns the task of a flow of a job, from what the data checks found."""
    cut, findings = probed.cuts[plan.flow], probed.book.findings(plan.flow)
    taken = job.taken(plan.flow)
    gone = taken.gone if taken is not None else 0
    kept = Findings(
        findings.losses,
        findings.not_asked,
        findings.ordered_stream,
        gone,
        findings.tolerated,
        why_not_alone(plan, job.known, job.new),
    )
    batches = _whole(plan, cut.batches) if findings.ordered_stream else list(cut.batches)
    facts = FlowTask(position, plan, ordered_stream=findings.ordered_stream)
    old_rows = cut.old.read if cut.old is not None else None
    task = Task(facts, plan_hash(plan), cut.rows, cut.digest, kept, batches, old_rows=old_rows)
    task.uncounted = list(cut.uncounted)
    task.rejects_of = taken.chain[-1][0].id if taken is not None else None
    return task


def _whole(plan: TablePlan, batches: Sequence[Batch]) -> list[Batch]:
    """Returns one batch per source, because a stream in key order cannot be cut by place."""
    by_source: dict[int, list[Batch]] = {}
    for batch in batches:
        by_source.setdefault(batch.source, []).append(batch)
    return [
        Batch(number, plan.flow, Whole(source), sum(one.rows for one in mine), _old(plan, mine))
        for number, (source, mine) in enumerate(sorted(by_source.items()))
    ]


def _old(plan: TablePlan, batches: Sequence[Batch]) -> OldRows | None:
    return None if plan.shape.one_row_each else old_rows(batch.old for batch in batches)
