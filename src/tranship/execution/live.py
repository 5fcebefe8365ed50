"""A live run: prepare → copy → prove → end."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import asyncpg
from msgspec import structs

from tranship.errors import ConnectError, Refused, Stopped, TranshipError
from tranship.errors.codes.start import TwoSnapshots
from tranship.errors.codes.stops import DefinitionsChanged, NotTakenUpAgain
from tranship.execution.active_run import ActiveRun, WorkerContext, fence
from tranship.execution.cluster.elsewhere import Elsewhere, joined
from tranship.execution.cluster.scheduler import Cluster
from tranship.execution.context import Job, RunContext
from tranship.execution.copying.count_ahead import CountAhead
from tranship.execution.copying.counted import check_counted, moved_shortfalls
from tranship.execution.copying.durability import check_kept
from tranship.execution.copying.ending import finish
from tranship.execution.copying.tables import Mover
from tranship.execution.probe.records import merged_rows
from tranship.execution.probe.within import lookups_of
from tranship.execution.resilience.connection import ReconnectingSession
from tranship.execution.resilience.connection import control as session_on_new
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.stop_reasons import BROKEN, could_not_begin, stopped_by
from tranship.execution.resilience.writer_lock import WriterLock, lock_key
from tranship.execution.results.from_journal import live_result
from tranship.execution.results.outcome import Frame, MigrationOutcome, StoppedRun
from tranship.execution.start.batch_rows import with_fitting_batches
from tranship.execution.start.computed import check_computed
from tranship.execution.start.dependencies import facts, gone
from tranship.execution.start.earlier_runs import Before, earlier
from tranship.execution.start.filled_before import refuse_filled
from tranship.execution.start.fresh import begin_fresh
from tranship.execution.start.preflight import Passed, preflight
from tranship.execution.start.rejects_only import read_later, restrict
from tranship.execution.start.resume import forget_if_nothing_done, resume, start_over
from tranship.execution.start.sides import both_sides, open_snapshot
from tranship.execution.start.since_then import held_now
from tranship.execution.start.tasks import Begun
from tranship.execution.start.to_do import announce, tell_nothing_left, to_do
from tranship.execution.start.unrecorded import refuse_twice
from tranship.execution.switches.sequences import set_sequences
from tranship.execution.switches.statistics import analyze_filled
from tranship.execution.time_spent import BEFORE_START, question
from tranship.execution.time_spent import phase as measured
from tranship.execution.verify import verify_run
from tranship.model.flow import FlowId
from tranship.model.notes import SnapshotReplaced, Warned
from tranship.model.options import MigrateOptions, NewSnapshot
from tranship.model.progress import BatchDone, Phase, TableStarted
from tranship.server.identity import Identity
from tranship.server.journal import Chain, Journal, RunStatus, earlier_format, find_journal
from tranship.server.snapshot import Snapshot, SnapshotLost
from tranship.sql.new.journal import FORMAT

_PHASES = {Phase.COPY: "copy", Phase.PROVE: "count", Phase.VERIFY: "verify", Phase.END: "end"}
"""What the phases are called where their time is shown."""
ATTEMPTS = 3
"""Times a run takes up its own work again after losing its snapshot."""


async def move(context: RunContext) -> MigrationOutcome:
    """Moves the rows: begins, or resumes where an interrupted run stopped.

    Raises:
        Refused: a safety rule forbids the start; nothing was written.
        Stopped: ended after it began; running the same again resumes.
    """
    for attempt in range(ATTEMPTS):
        try:
            return await _attempt(context)
        except SnapshotLost:
            if attempt == ATTEMPTS - 1 or context.stop.is_set():
                raise
            context.note(SnapshotReplaced())
            context = replace(context, options=_for_next_attempt(context))
        except BROKEN as error:
            # A later attempt follows batches that are committed.
            raise (stopped_by if attempt else could_not_begin)(error) from error
        except (ConnectError, Refused) as error:
            if attempt == 0:
                raise
            then = error.hint or "run the same command again"
            raise Stopped(NotTakenUpAgain(error.message, then)) from error
    raise AssertionError("the last attempt returns or raises")


def _for_next_attempt(context: RunContext) -> MigrateOptions:
    """Returns the options without those that only the first attempt may follow: rolling everything back."""
    options = context.options
    unfinished = options.new_snapshot == NewSnapshot.UNFINISHED
    return structs.replace(
        options, restart=False, new_snapshot=NewSnapshot.UNFINISHED if unfinished else None
    )


async def _attempt(context: RunContext) -> MigrationOutcome:
    started, began = datetime.datetime.now(datetime.UTC), time.monotonic()
    options = context.options
    async with both_sides(context) as (old, control):
        with measured(BEFORE_START):
            context = await with_fitting_batches(context, control)
            passed = await preflight(context, old, control, live=True)
        locking = WriterLock.hold(
            context.config,
            lock_key(passed.old, passed.new),
            passed.old.key,
            take_over=options.take_over,
            invocation=options.invocation,
        )
        async with joined(context, passed.old, passed.new) as cluster, locking as lock:
            await failpoint("run.locked")
            found = await find_journal(control, context.config.journal_schema)
            context = context.over(found) if found is not None else context
            before = await _before(context, control, passed.old) if found is not None else Before(None, ())
            work = await to_do(control, context, before)
            await refuse_filled(control, context, before, work.left)
            unrecorded = await refuse_twice(old, control, context, before, work.left)
            for problem in unrecorded:
                context.note(Warned(problem))
            passed = structs.replace(passed, problems=(*passed.problems, *unrecorded, *work.mixed))
            announce(context, work)
            now = await held_now(old, work.whole, work.done)
            differs = await moved_shortfalls(control, context.journal, work.places)
            frame = Frame("live", "", None, started, 0.0, passed.problems, held_now=now, differs=differs)
            frame = structs.replace(frame, old_identity=passed.old.key)
            context = context.of(work.whole)
            if work.nothing and before.unfinished is None:
                left_out = await tell_nothing_left(context, work, passed.reads.tables)
                frame = structs.replace(frame, left_out=left_out, seconds=time.monotonic() - began)
                return await live_result(context, control, frame, work.done, None)
            session = ReconnectingSession(control, context.of(work.left))
            try:
                run = _LiveRun(context, passed, lock, session, old, before, work.done, frame, began, cluster)
                return await run.carry_out(work.left)
            finally:
                session.close()


async def _before(context: RunContext, control: asyncpg.Connection, old: Identity) -> Before:
    """Returns the earlier runs by the journal, after those are rolled back that are not to be resumed.

    Raises:
        Refused: the unfinished run began in an earlier format of the journal.
    """
    journal, options = context.journal, context.options
    before = await earlier(control, journal, old)
    if before.unfinished is not None and (options.restart or options.new_snapshot == NewSnapshot.ALL):
        await start_over(context, control, before.unfinished)
        before = await earlier(control, journal, old)
    if before.unfinished is not None and await forget_if_nothing_done(control, journal, before.unfinished):
        before = await earlier(control, journal, old)
    if before.unfinished is not None and before.unfinished.format < FORMAT:
        raise earlier_format(journal, before.unfinished.id, before.unfinished.tool_version)
    return before


@dataclass
class _LiveRun:
    """One attempt, from its snapshot to its result."""

    context: RunContext
    """The context of the whole job, with the tables that earlier runs moved."""
    passed: Passed
    lock: WriterLock
    session: ReconnectingSession
    old: asyncpg.Connection
    """Outside the snapshot, idle since the run began: it sees OLD as it is now."""
    before: Before
    done: Mapping[FlowId, Chain]
    """The tables that earlier runs moved."""
    frame: Frame
    began: float
    cluster: Cluster | None
    """Whose workers copy; None: this process does."""

    async def carry_out(self, left: Job) -> MigrationOutcome:
        """Does all phases in one snapshot of OLD.

        Raises:
            StoppedRun: it stopped after it began; the error has the result so far.
        """
        context = self.context.of(left)
        async with open_snapshot(context, self.passed.reads.tables) as snapshot:
            with measured("prepare"):
                begun = await self._prepare(context, snapshot)
            # From here on the journal has this version's format: the beginning made it, or upgraded it.
            self.context = self.context.over(Journal(context.config.journal_schema))
            running, lookups = self.context.of(begun.job), lookups_of(begun.job)
            running.tell_moment(fixed=True)
            worker = WorkerContext(running, begun.run, begun.epoch, snapshot, lookups, hashing=begun.hashing)
            live = ActiveRun(
                worker,
                begun.book,
                begun.tasks,
                depends=begun.depends,
                unpredicted=begun.unpredicted,
                replica=self.passed.replica,
                native=begun.native,
                read_elsewhere=begun.read_elsewhere,
                read_in=begun.read_in,
            )
            self.session.on_renewed = partial(check_kept, live)
            try:
                await self._phases(live, begun.phase)
            except SnapshotLost:
                raise
            except Stopped as stopped:
                raise StoppedRun(stopped, await self._so_far(live, begun)) from stopped
        return await self._result(live, begun)

    async def _prepare(self, context: RunContext, snapshot: Snapshot) -> Begun:
        """Probes, cuts and journals the run, or takes over what an interrupted run left."""
        passed, before = self.passed, self.before
        if before.unfinished is None:
            identities = (passed.old, passed.new)
            context = context.of(await restrict(context, snapshot, await self.session.alive()))
            return await begin_fresh(context, self.session, snapshot, identities, before.seen, passed.reads)
        return await resume(context, self.session, snapshot, before.unfinished, passed.jobs)

    async def _phases(self, live: ActiveRun, first: Phase) -> None:
        """Does the phases that are left, from the one in the journal on."""
        steps = {
            Phase.COPY: self._copy,
            Phase.PROVE: self._prove,
            Phase.VERIFY: self._verify,
            Phase.END: self._end,
        }
        beating = asyncio.create_task(
            self.lock.beat(
                live.context.journal,
                live.run,
                live.epoch,
                lambda: list(live.backends.values()),
                live.context.stop,
            )
        )
        try:
            _tell_done(live)
            for phase in list(steps)[list(steps).index(first) :]:
                if phase is not first:
                    await self.session.work("the journal", partial(_enter, live, phase))
                    await failpoint("phase.entered")
                with measured(_PHASES[phase]):
                    await steps[phase](live)
        except (*BROKEN, ConnectError) as error:
            await self._mark_stopped(live)
            raise stopped_by(error) from error
        except TranshipError:
            await self._mark_stopped(live)
            raise
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _copy(self, live: ActiveRun) -> None:
        """Copies group after group: switches off, batches, foreign keys proven, switches on."""
        counting = CountAhead.of(live, before=self.passed.crowded)
        async with Elsewhere.of(live, self.cluster) as elsewhere, counting as ahead:
            mover = Mover(
                live, self.session, self.lock, jobs=self.passed.jobs, ahead=ahead, elsewhere=elsewhere
            )
            await mover.run()

    async def _prove(self, live: ActiveRun) -> None:
        """Checks that NEW holds every batch and table that this process saw committed, with all rows."""
        await self.session.work("the accounts", partial(check_kept, live))
        now = await facts(live.context, live.depends.reads, self.old)
        changes = tuple(gone(live.depends.facts, now))
        if changes:
            raise Stopped(DefinitionsChanged(changes))
        check = partial(check_computed, job=live.context.job, then=live.depends.computed)
        await self.session.work("what NEW computes", check)
        await self.session.work("the rows of NEW", partial(check_counted, live, tasks=live.tasks))

    async def _verify(self, live: ActiveRun) -> None:
        """Compares every row of NEW that the run wrote with what OLD's row becomes."""
        await self.session.work("the proof", partial(verify_run, live))

    async def _end(self, live: ActiveRun) -> None:
        """Moves the sequences, gathers statistics, and marks the run finished."""
        live.merged = await merged_rows(live.snapshot, live.context.job, live.book)
        with question("sequences"):
            live.sequences = await self.session.work("sequences", partial(set_sequences, live))
        if live.context.options.analyze:
            with question("ANALYZE"):
                await analyze_filled(live, self.session)
        await finish(live, self.session)

    def _framed(self, live: ActiveRun, begun: Begun) -> Frame:
        mixed = (TwoSnapshots().problem(),) if begun.mixed else ()
        read = (*mixed, *read_later(begun.job, live.snapshot.mark))
        problems = tuple(dict.fromkeys((*self.passed.problems, *read)))
        return structs.replace(
            self.frame,
            run_id=live.run,
            snapshot=live.snapshot.text,
            seconds=time.monotonic() - self.began,
            problems=problems,
            left_out=begun.left_out,
            sequences=live.sequences,
            show_values=self.context.options.show_values,
            new_in_use=self.context.options.new_in_use,
        )

    async def _result(self, live: ActiveRun, begun: Begun) -> MigrationOutcome:
        """Returns the result of the finished run by the journal.

        Raises:
            Stopped: NEW does not answer any more; everything is committed.
        """

        async def read(new: asyncpg.Connection) -> MigrationOutcome:
            return await live_result(self.context, new, self._framed(live, begun), self.done, live)

        try:
            return await self.session.work("the result", read)
        except (*BROKEN, ConnectError) as error:
            raise stopped_by(error) from error

    async def _so_far(self, live: ActiveRun, begun: Begun) -> MigrationOutcome | None:
        """Returns the result of a stopped run by the journal, for which OLD need not answer.

        None: NEW does not answer any more, or the run that took over has forgotten this one.
        """
        frame, journal = self._framed(live, begun), live.context.journal
        try:
            async with session_on_new(self.context.config) as new:
                if live.run not in {run.id for run in await journal.runs(new, None)}:
                    return None
                return await live_result(self.context, new, frame, self.done, live)
        except (*BROKEN, TranshipError):
            return None

    async def _mark_stopped(self, live: ActiveRun) -> None:
        """Marks the run stopped if NEW answers. A run without the mark is recognised by its free lock."""
        with contextlib.suppress(*BROKEN, TranshipError):
            await self.session.mark(
                live.context.journal.sql("end_run"), live.run, live.epoch, RunStatus.STOPPED
            )
        self.session.close()


async def _enter(live: ActiveRun, phase: Phase, new: asyncpg.Connection) -> None:
    """Journals the phase that begins.

    Raises:
        Stopped: another run took over.
    """
    async with new.transaction():
        await fence(live.worker, new)
        await new.execute(live.context.journal.sql("enter_phase"), live.run, live.epoch, phase)


def _tell_done(live: ActiveRun) -> None:
    """Reports the tables of a resumed run and the batches that earlier processes finished, so that the
    display counts them. The tables of a run that begins are reported as they are counted.
    """
    resumed = any(task.done for task in live.tasks)
    for task in live.tasks:
        if resumed:
            batches = len(task.done) + len(task.todo)
            live.context.on_event(TableStarted(task.plan.flow, task.rows, batches))
        for row in task.done:
            live.context.on_event(
                BatchDone(task.plan.flow, row.batch.number, row.read, row.written, row.rejected, row.bytes)
            )
