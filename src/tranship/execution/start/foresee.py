"""What a live run would do with what earlier runs left, found out for a dry run.

It follows ``live`` and ``resume`` step by step. What they refuse, or stop for before a row moves, is raised
here, too; what they write is computed and not written.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

import asyncpg
from msgspec import UNSET

from tranship.errors import Stopped
from tranship.errors.codes.privileges import SequenceExhausted
from tranship.errors.codes.start import TwoSnapshots
from tranship.errors.codes.stops import DefinitionsChanged, RejectsReached
from tranship.execution.active_run import Task
from tranship.execution.context import Job, RunContext
from tranship.execution.probe.arrived import Arrived
from tranship.execution.probe.everything import ProbeResult, Ranges, probe, probe_everything
from tranship.execution.probe.lookup_changes import contents, fixed_lookups, lookups_changed
from tranship.execution.probe.records import fetch_records
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.row_numbers import RowNumbers
from tranship.execution.probe.unchecked_references import foreseen_without_parent
from tranship.execution.results.causes import CauseCounter, causes
from tranship.execution.results.outcome import TableCounts, reject_record
from tranship.execution.results.spool import FirstOfEachCause, Spool
from tranship.execution.rollback.written import Written
from tranship.execution.start.beginning import to_roll_back, without
from tranship.execution.start.computed import check_computed, refuse_computed_otherwise
from tranship.execution.start.dependencies import facts, gone
from tranship.execution.start.interrupted import (
    arriving,
    as_decided,
    count_rest,
    hand_out,
    known_rejects,
    not_set_back,
    proven,
    refuse_gone,
    resumed,
    same_plan,
    tasks_of,
)
from tranship.execution.start.rejects_only import read_later, restrict
from tranship.execution.start.resume import unfinished_part
from tranship.execution.start.sequence_headroom import without_room
from tranship.execution.start.tasks import on_record
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.notes import CopiedAnew, RollbackFirst
from tranship.model.options import reject_bound
from tranship.model.plan import TablePlan
from tranship.model.progress import Phase, Region, TableStarted
from tranship.model.reasons import ParentMerged, ParentMissing, SurvivorRejected
from tranship.model.resolution import Problem
from tranship.model.verdict import HeldAs, Reject
from tranship.server.cut import old_rows
from tranship.server.journal import Run, TaskRow
from tranship.server.snapshot import Snapshot


class Foreseen(NamedTuple):
    """What becomes of the rows of a run."""

    counts: list[TableCounts]
    """Of every table, what is done already included."""
    left_out: dict[str, int]
    problems: tuple[Problem, ...] = ()
    """Refusals, and a warning where tables are read in two snapshots."""
    untouched: Mapping[FlowId, int] = {}
    """Tables into which nothing was copied, with their rows: their indexes may be off for the load."""


@dataclass
class Resumption:
    """An unfinished run, as resuming it would find it."""

    context: RunContext
    old: asyncpg.Connection
    """Outside the snapshot: it sees OLD as it is now."""
    control: asyncpg.Connection
    snapshot: Snapshot
    spool: Spool
    """Takes the rows that would be rejected."""
    run: Run
    jobs: int
    rows: tuple[TaskRow, ...] = ()
    tasks: list[Task] = field(default_factory=list)

    async def foresee(self) -> Foreseen:
        """Returns what resuming the run comes to.

        Raises:
            Refused: the plan is another one, NEW computes otherwise, or what has to be rolled back first may
                not be.
            Stopped: OLD is not as it was, NEW lacks rows, a lookup changed, or ``--max-rejects`` is reached.
        """
        journal, run = self.context.journal, self.run
        self.rows = await journal.tasks(self.control, run.id)
        same_plan(self.context.job, self.rows, run)
        job = await as_decided(self.control, journal, self.context.job, run)
        await refuse_computed_otherwise(self.control, journal, job, run, self.rows)
        self.context = self.context.of(job)
        self.context.tell_moment(fixed=True)
        self.tasks = tasks_of(self.rows, job)
        batches = await journal.batches(self.control, self.rows, run.id)
        hand_out(batches, self.tasks)
        leaving = await self._broken_off({b.position for b in batches if b.rolling_back})
        unchanged = await self._unchanged()
        if not unchanged:
            self.context.note(CopiedAnew())
            leaving = await to_roll_back(self.context, self.control, run, lambda task: not task.done)
        away = {written.task.position for written in leaving}
        await refuse_gone(self.control, journal, run, [row for row in self.rows if row.position not in away])
        self.context = self.context.of(without(job, leaving))
        foreseen = await (self._continued(leaving) if unchanged else self._copied_anew())
        self._refuse_too_many(sum(counts.rejected for counts in foreseen.counts))
        return foreseen

    async def _broken_off(self, positions: set[int]) -> tuple[Written, ...]:
        """Returns the rows of tables whose rollback was interrupted: it is finished first."""
        if not positions:
            return ()
        self.context.note(RollbackFirst())
        return await to_roll_back(self.context, self.control, self.run, lambda t: t.position in positions)

    async def _unchanged(self) -> bool:
        """Returns whether unfinished tables go on where they are; else they are copied again."""
        context, run = self.context, self.run
        depends = await context.journal.depends(self.control, run.id)
        if not all(row.done for row in self.rows):
            unchanged = await proven(context, self.snapshot, run, self.tasks, depends, self.jobs)
            return unchanged and await not_set_back(context, self.control, self.snapshot, run, depends)
        if run.phase is not Phase.END:
            changes = tuple(gone(depends.facts, await facts(context, depends.reads, self.old)))
            if changes:
                raise Stopped(DefinitionsChanged(changes))
            await check_computed(self.control, context.job, depends.computed)
        return True

    def _refuse_too_many(self, rejected: int) -> None:
        """Stops where the live run would; it counts after each batch, so not where none is left."""
        options = self.context.options
        bound = reject_bound(options, sum(task.rows for task in self.tasks))
        if bound is not None and rejected > bound and any(task.todo for task in self.tasks):
            raise Stopped(RejectsReached(rejected, options.max_rejects))

    async def _continued(self, leaving: Sequence[Written]) -> Foreseen:
        """Returns what becomes of the run where it goes on with its batches."""
        run, job, schema = self.run, self.context.job, self.context.journal.schema
        context = self.context.of(on_record(job, schema, run.id, self.tasks))
        await self._refuse_changed_lookups({written.task.flow.new for written in leaving})
        known = await known_rejects(self.control, context.journal, run, self.tasks)
        left = [task for task in self.tasks if not task.finished]
        for task in left:
            await count_rest(self.snapshot, task, context.options.batch_rows)
            context.on_event(TableStarted(task.plan.flow, task.rows, len(task.done) + len(task.todo)))
        context.note(resumed(run, left, dry=True))
        book = known.book.copy()
        ranges = Ranges({task.plan.flow: tuple(task.todo) for task in left})
        await probe(context, self.snapshot, book, ranges, arrived=Arrived.SOME)
        lacking = await without_room(self.control, context.job, arriving(self.tasks, book))
        counts = [
            await self._resumed(task, _Ahead(Region(task.todo), known.book.in_new(task.plan.flow)), book)
            for task in self.tasks
        ]
        problems = await self._problems(context.job, book, lacking, mixed=run.mixed)
        untouched = {task.plan.flow: task.rows for task in self.tasks if not task.done}
        return Foreseen(counts, run.left_out, problems, untouched)

    async def _resumed(self, task: Task, ahead: _Ahead, book: Book) -> TableCounts:
        """Returns what becomes of a table by its finished batches and by the book. Its rejected rows go to
        the spool, those of finished batches first.
        """
        first, counter = FirstOfEachCause(self.context.options.most_rejects), CauseCounter()
        done = {row.batch.number for row in task.done}
        async for row in self.context.journal.rejects_of(self.control, self.run.id, task.position):
            if row.batch in done:
                ahead.settled.put(row.reject.row, 0)
                counter.add(row.reject)
                if first.takes(row.reject):
                    self.spool.add(reject_record(task.plan, row.reject, row.key, row.row))
            del row  # It may be large.
        counts = self._counts(task, ahead, counter, book)
        await self._spool(task, first.among(ahead.rejects(book, task.plan.flow)))
        return counts

    def _counts(self, task: Task, ahead: _Ahead, counter: CauseCounter, book: Book) -> TableCounts:
        """``counter`` has counted the rejects of finished batches."""
        flow, region = task.plan.flow, ahead.left
        counts, to_read = task.counts, sum(batch.rows for batch in task.todo)
        held = Counter(one.outcome for row, one in book.held(flow).items() if row in region)
        rejected = unmerged = 0
        for reject in ahead.rejects(book, flow):
            counter.add(reject)
            rejected += 1
            unmerged += reject.row not in region and isinstance(reject.reason, SurvivorRejected)
        batches = [*(row.batch for row in task.done), *task.todo]
        found = TableCounts(
            task.plan,
            counts.read + to_read,
            counts.written + to_read - held.total() - rejected + unmerged,
            counts.rejected + rejected,
            sum(row.bytes for row in task.done),
            self.rows[task.position].format,
            counter.causes(),
            task.findings.losses,
            task.findings.not_asked,
            tolerated=task.findings.tolerated,
            old=None if task.old_rows is None else old_rows(batch.old for batch in batches),
            kept=counts.kept + held[HeldAs.KEPT],
            updated=counts.updated + held[HeldAs.UPDATED],
            merged=counts.merged + held[HeldAs.MERGED] - unmerged,
            proof=self.rows[task.position].proof,
            rejects_of=task.rejects_of,
        )
        return found.without(task.findings.gone)

    async def _spool(self, task: Task, rejects: Iterator[Reject]) -> None:
        """Adds rejected rows that are still to come to the spool."""
        first = next(rejects, None)
        if first is not None:
            async with self.snapshot.reader() as old:
                every = itertools.chain((first,), rejects)
                async for record in fetch_records(old, self.context.job, task.plan, every):
                    self.spool.add(record)

    async def _refuse_changed_lookups(self, leaving: set[TableName]) -> None:
        """Compares the tables of lookups with what they held at the first row. Those that lose rows first
        will be filled again.

        Raises:
            Stopped: one changed.
        """
        kept = {row.flow: row.lookups for row in self.rows if not row.done and row.lookups is not None}
        for group in self.context.job.plan.groups:
            for plan in group.tables:
                used = fixed_lookups(group, plan)
                if plan.flow not in kept or any(lookup.table in leaving for lookup in used):
                    continue
                async with self.snapshot.reader() as old:
                    if await contents(used, old, self.control) != kept[plan.flow]:
                        raise lookups_changed(plan, used)

    async def _copied_anew(self) -> Foreseen:
        """Returns what becomes of the run where unfinished tables are copied again as OLD is now."""
        context, run, journal = self.context, self.run, self.context.journal
        finished = {row.flow: ((run, row),) for row in self.rows if row.done}
        rest = await unfinished_part(self.control, journal, context.job, finished)
        rest = await restrict(context.of(rest), self.snapshot, self.control)
        probed = await probe_everything(context.of(rest), self.snapshot, digest=False)
        rest = probed.job
        lacking = await without_room(self.control, rest, probed.arriving)
        plans = {plan.flow: plan for plan in rest.plan.tables}
        counts = []
        for task in self.tasks:
            if task.finished:
                counts.append(await self._resumed(task, _Ahead(Region(()), frozenset()), Book()))
            else:
                counts.append(counted(rest, plans[task.plan.flow], probed))
                first = FirstOfEachCause(context.options.most_rejects)
                await self._spool(task, first.among(probed.book.rejected(task.plan.flow).values()))
        untouched = {plan.flow: probed.cuts[plan.flow].rows for plan in rest.plan.tables}
        problems = await self._problems(rest, probed.book, lacking, mixed=True)
        return Foreseen(counts, run.left_out, problems, untouched)

    async def _problems(
        self, job: Job, book: Book, lacking: SequenceExhausted | None, *, mixed: bool
    ) -> tuple[Problem, ...]:
        alone = await foreseen_without_parent(self.snapshot, self.control, job, book)
        found = [*([lacking.problem()] if lacking else []), *([TwoSnapshots().problem()] if mixed else [])]
        return (*found, *read_later(job, self.snapshot.mark), *alone)


def counted(job: Job, plan: TablePlan, probed: ProbeResult) -> TableCounts:
    """Returns what would become of a table's rows by the data checks alone."""
    taken = job.taken(plan.flow)
    cut, found = probed.cuts[plan.flow], probed.book.findings(plan.flow)
    rejected, held = found.rejected, found.already_there + found.kept + found.updated + found.merged
    counts = TableCounts(
        plan,
        cut.rows,
        cut.rows - rejected - held,
        rejected,
        causes=causes(probed.book.rejected(plan.flow).values()),
        losses=found.losses,
        tolerated=found.tolerated,
        not_asked=found.not_asked,
        raising_defaults=found.raising_defaults or UNSET,
        old=cut.old,
        kept=found.kept,
        updated=found.updated,
        merged=found.merged,
        rejects_of=taken.chain[-1][0].id if taken is not None else None,
    )
    return counts.without(taken.gone) if taken is not None else counts


class _Ahead:
    """Which rejects of a table are still to come.

    A row that is in NEW already is taken out if its parent does not arrive, and one that was merged into
    another follows it. Where a stranger has the parent's key, no foreign key notices.
    """

    def __init__(self, left: Region, in_new: AbstractSet[Locator]) -> None:
        """``left``: the batches that are not finished; ``in_new``: the rows that NEW held before the run."""
        self.left = left
        self._in_new = in_new
        self.settled = RowNumbers()
        """The rows that finished batches rejected."""

    def rejects(self, book: Book, flow: FlowId) -> Iterator[Reject]:
        """Yields those that a book has, in row order."""
        return filter(self._comes, book.rejected(flow).values())

    def _comes(self, reject: Reject) -> bool:
        row = reject.row
        if row in self.left:
            return True
        follows = isinstance(reject.reason, ParentMissing | ParentMerged | SurvivorRejected)
        return follows and row not in self._in_new and self.settled.get(row) is None
