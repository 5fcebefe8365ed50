"""``--rehearse``: the live run in one transaction of NEW, on one stream, rolled back at its end.

Its locks last until then, so it is for a NEW that nobody uses meanwhile.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg
from msgspec.structs import replace

from tranship.errors import Refused, Stopped, TranshipError
from tranship.errors.codes.runs import UnfinishedBeforeRehearsal
from tranship.errors.codes.stops import RehearsalFailed
from tranship.execution.active_run import ActiveRun, WorkerContext
from tranship.execution.context import RunContext
from tranship.execution.copying.count_ahead import CountAhead
from tranship.execution.copying.tables import Mover
from tranship.execution.probe.records import merged_rows
from tranship.execution.probe.within import lookups_of
from tranship.execution.resilience.connection import PlainSession
from tranship.execution.resilience.stop_reasons import BROKEN, could_not_begin, cure
from tranship.execution.resilience.writer_lock import WriterLock, lock_key
from tranship.execution.results.from_journal import live_result
from tranship.execution.results.outcome import Frame, MigrationOutcome, StoppedRun
from tranship.execution.start.drawn_numbers import pass_held_numbers
from tranship.execution.start.earlier_runs import earlier
from tranship.execution.start.filled_before import refuse_filled
from tranship.execution.start.fresh import begin_fresh
from tranship.execution.start.numbers import reserve
from tranship.execution.start.preflight import Passed, preflight
from tranship.execution.start.rejects_only import read_later, restrict
from tranship.execution.start.sides import both_sides, open_snapshot
from tranship.execution.start.to_do import announce, tell_nothing_left, to_do
from tranship.execution.start.unrecorded import refuse_twice
from tranship.execution.switches.sequences import Position, set_back, set_sequences, shelter
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.notes import SequencesNotRestored
from tranship.model.options import command_line
from tranship.server.journal import Chain, Journal, find_journal
from tranship.server.trouble import spoken
from tranship.sql.session import READ_WRITE


async def rehearse(context: RunContext) -> MigrationOutcome:
    """Does everything that a live run does, and rolls it back.

    Raises:
        Refused: a safety rule forbids the start.
        Stopped: the live run would have stopped for the same reason.
    """
    started = datetime.datetime.now(datetime.UTC)
    context.tell_moment(fixed=False)
    try:
        async with both_sides(context, batches=True) as (old, new):
            passed = await preflight(context, old, new, live=True)
            async with WriterLock.hold(
                context.config,
                lock_key(passed.old, passed.new),
                passed.old.key,
                take_over=False,
                invocation=context.options.invocation,
            ):
                frame = Frame("rehearse", "", None, started, 0.0, passed.problems)
                return await _Rehearsal(context, old, new, passed, frame).run()
    except BROKEN as error:
        raise could_not_begin(error) from error


@dataclass
class _Rehearsal:
    context: RunContext
    old: asyncpg.Connection
    new: asyncpg.Connection
    passed: Passed
    frame: Frame
    began: float = field(default_factory=time.monotonic)
    exposed: dict[TableName, Position | None] = field(default_factory=dict)
    """Sequences that the rollback does not set back, with their positions. None: this role may not read
    it.
    """

    async def run(self) -> MigrationOutcome:
        """Opens the transaction, does everything inside it, and rolls it back."""
        transaction = self.new.transaction(isolation="read_committed")
        await transaction.start()
        try:
            await self.new.execute(READ_WRITE)
            return await self._inside()
        finally:
            if not self.new.is_closed():
                await transaction.rollback()
                left = await set_back(self.new, self.exposed)
                if left:
                    self.context.note(SequencesNotRestored(tuple(left)))

    async def _inside(self) -> MigrationOutcome:
        found = await find_journal(self.new, self.context.config.journal_schema)
        self.context = self.context.over(found) if found is not None else self.context
        before = await earlier(self.new, found, self.passed.old)
        if before.unfinished is not None:
            back = command_line(
                self.context.options.invocation, "rollback", *self.context.config.words, "--live"
            )
            raise Refused(UnfinishedBeforeRehearsal(back))
        work = await to_do(self.new, self.context, before)
        await refuse_filled(self.new, self.context, before, work.left)
        unrecorded = await refuse_twice(self.old, self.new, self.context, before, work.left)
        self.frame = replace(self.frame, problems=(*self.frame.problems, *unrecorded))
        announce(self.context, work)
        self.context, done = self.context.of(work.whole), work.done
        if work.nothing:
            left_out = await tell_nothing_left(self.context, work, self.passed.reads.tables)
            self.frame = replace(self.frame, left_out=left_out)
            return await self._result(done, None)
        context = self.context.of(work.left)
        async with open_snapshot(context, self.passed.reads.tables) as snapshot:
            left = await restrict(context, snapshot, self.new)
            context = context.of(left)
            session = PlainSession(self.new, context.on_event)
            identities = (self.passed.old, self.passed.new)
            begun = await begin_fresh(context, session, snapshot, identities, before.seen, self.passed.reads)
            self.frame = replace(
                self.frame,
                run_id=begun.run,
                snapshot=snapshot.text,
                left_out=begun.left_out,
                problems=(*self.frame.problems, *read_later(left, snapshot.mark)),
            )
            self.context = self.context.over(Journal(context.config.journal_schema))
            running, lookups = self.context.of(begun.job), lookups_of(begun.job)
            worker = WorkerContext(running, begun.run, begun.epoch, snapshot, lookups, self.new)
            live = ActiveRun(worker, begun.book, begun.tasks, replica=self.passed.replica)
            try:
                await self._carry_out(live)
            except Stopped as stopped:
                raise StoppedRun(stopped, await self._so_far(done, live)) from stopped
            return await self._result(done, live)

    async def _carry_out(self, live: ActiveRun) -> None:
        try:
            job, rows = live.context.job, {task.plan.flow: task.rows for task in live.tasks}
            self.exposed = await shelter(self.new, job)
            # Not before: a sequence without new storage keeps its position over the rollback.
            await pass_held_numbers(self.new, job, rows, untouched=self.exposed)
            await reserve(self.new, job, rows, untouched=self.exposed)
            session = PlainSession(self.new, self.context.on_event)
            async with CountAhead.of(live) as ahead:
                await Mover(live, session, None, jobs=1, ahead=ahead).run()
            live.merged = await merged_rows(live.snapshot, job, live.book)
            ends = await set_sequences(live, self.new, untouched=self.exposed)
        except BROKEN as error:
            raise Stopped(RehearsalFailed(spoken(error), cure(error))) from error
        self.frame = replace(self.frame, sequences=ends)

    async def _result(self, done: Mapping[FlowId, Chain], live: ActiveRun | None) -> MigrationOutcome:
        frame = replace(self.frame, seconds=time.monotonic() - self.began)
        return await live_result(self.context, self.new, frame, done, live)

    async def _so_far(self, done: Mapping[FlowId, Chain], live: ActiveRun) -> MigrationOutcome | None:
        """Returns the result so far. None: the transaction does not answer any more."""
        try:
            return await self._result(done, live)
        except (*BROKEN, TranshipError):
            return None
