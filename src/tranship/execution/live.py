"""A live run from its lock to its result."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import time
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial

import asyncpg
from msgspec.structs import replace

from tranship.config import Config
from tranship.errors import ConnectError, Stopped, TranshipError
from tranship.errors.codes.start import TwoSnapshots
from tranship.execution.active_run import Live
from tranship.execution.context import Job
from tranship.execution.copying.durability import check_kept
from tranship.execution.copying.tables import Mover, finish
from tranship.execution.probe.everything import check_drift, locked_relations
from tranship.execution.probe.lookups import Lookups
from tranship.execution.resilience.connection import Control, Steady
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.stop_reasons import BROKEN, could_not_begin, stopped_by
from tranship.execution.resilience.writer_lock import WriterLock, lock_key
from tranship.execution.results.from_journal import live_result
from tranship.execution.results.outcome import Frame, MigrationOutcome, StoppedRun
from tranship.execution.results.wording import ALREADY
from tranship.execution.start.fresh import begin_fresh
from tranship.execution.start.preflight import Passed, preflight
from tranship.execution.start.resume import (
    Before,
    earlier,
    forget_if_nothing_done,
    remaining,
    resume,
    start_over,
)
from tranship.execution.start.tasks import Begun
from tranship.execution.switches.sequences import set_sequences
from tranship.model.flow import FlowId
from tranship.model.names import Side
from tranship.model.options import MigrateOptions
from tranship.model.progress import BatchDone, Event, Noted
from tranship.server.connect import connect
from tranship.server.journal import Journal, Run, TaskRow
from tranship.server.session import datestyle, pin, refuse_pooler
from tranship.server.snapshot import Snapshot, SnapshotLost

OnEvent = Callable[[Event], None]
ATTEMPTS = 3
"""Times a run takes up its own work again after losing its snapshot."""


async def move(
    job: Job, config: Config, options: MigrateOptions, *, on_event: OnEvent, stop: asyncio.Event
) -> MigrationOutcome:
    """Move the rows: begins, or goes on where an interrupted run stopped.

    Raises:
        Refused: a safety rule forbids the start; nothing was written.
        Stopped: ended after it began; running the same again goes on.
    """
    for attempt in range(ATTEMPTS):
        try:
            return await _attempt(job, config, options, on_event, stop)
        except SnapshotLost as lost:
            if attempt == ATTEMPTS - 1 or stop.is_set():
                raise
            on_event(Noted(f"{lost}; going on from the journal"))
            options = replace(
                options,
                restart=False,
                new_snapshot="unfinished" if options.new_snapshot == "unfinished" else None,
            )
        except BROKEN as error:
            raise could_not_begin(error) from error
    raise AssertionError("the last attempt returns or raises")


async def _attempt(
    job: Job, config: Config, options: MigrateOptions, on_event: OnEvent, stop: asyncio.Event
) -> MigrationOutcome:
    started, began = datetime.datetime.now(datetime.UTC), time.monotonic()
    journal = Journal(config.journal_schema)
    async with looking(config, job) as (old, control):
        passed = await preflight(old, control, job, config, options, live=True)
        key = lock_key(passed.old, passed.new)
        async with WriterLock.hold(
            config, key, journal, passed.old.key, take_over=options.take_over, invocation=options.invocation
        ) as lock:
            await failpoint("run.locked")
            await journal.prepare(control)
            before = await earlier(control, journal, passed.old)
            if before.unfinished is not None and (options.restart or options.new_snapshot == "all"):
                await start_over(control, journal, job, before.unfinished, on_event, stop)
                before = await earlier(control, journal, passed.old)
            if before.unfinished is not None and await forget_if_nothing_done(
                control, journal, before.unfinished
            ):
                before = await earlier(control, journal, passed.old)
            left, done = remaining(job, before)
            frame = Frame("live", "", None, started, 0.0, passed.problems)
            if not left.plan.tables and before.unfinished is None:
                on_event(Noted(ALREADY))
                return await live_result(control, journal, job, config, options, frame, done, None)
            async with open_snapshot(config, left) as snapshot:
                held = Control(control, config, left, on_event, stop)
                begun = await _begin(
                    held, journal, snapshot, config, left, options, passed, on_event, before, stop
                )
                problems = (*passed.problems, TwoSnapshots().problem()) if begun.mixed else passed.problems
                frame = Frame("live", begun.run, snapshot.text, started, 0.0, problems, begun.left_out)
                live = Live(
                    left,
                    config,
                    options,
                    journal,
                    begun.run,
                    begun.epoch,
                    snapshot,
                    Lookups(left),
                    begun.book,
                    begun.tasks,
                    on_event,
                    stop,
                )
                held.on_renewed = partial(check_kept, live)
                try:
                    ends = await _carry_out(live, held, lock, passed)
                except SnapshotLost:
                    raise
                except Stopped as stopped:
                    frame = replace(frame, seconds=time.monotonic() - began)
                    raise StoppedRun(stopped, await _so_far(live, job, done, frame)) from stopped
            frame = replace(frame, seconds=time.monotonic() - began, sequences=ends)
            try:
                return await live_result(await held.alive(), journal, job, config, options, frame, done, live)
            finally:
                held.close()


async def _begin(
    held: Steady,
    journal: Journal,
    snapshot: Snapshot,
    config: Config,
    job: Job,
    options: MigrateOptions,
    passed: Passed,
    on_event: OnEvent,
    before: Before,
    stop: asyncio.Event,
) -> Begun:
    if before.unfinished is None:
        return await begin_fresh(
            held, journal, snapshot, config, job, options, (passed.old, passed.new), before.seen, on_event
        )
    return await resume(
        held, journal, snapshot, config, job, options, before.unfinished, passed.jobs, on_event, stop
    )


async def _carry_out(live: Live, held: Control, lock: WriterLock, passed: Passed) -> dict[str, int]:
    """The groups, the sequences, the end; where the sequences stand."""
    beating = asyncio.create_task(
        lock.beat(live.journal, live.run, live.epoch, lambda: list(live.backends.values()), live.stop)
    )
    try:
        for task in live.tasks:
            for row in task.done:
                live.on_event(
                    BatchDone(
                        task.plan.flow, row.batch.number, row.read, row.written, row.rejected, row.bytes
                    )
                )
        await Mover(live, held, lock, replica=passed.replica, jobs=passed.jobs).run()
        async with live.snapshot.reader() as reading:
            ends = await held.work("sequences", partial(set_sequences, live, reading))
        await finish(live, held)
    except (*BROKEN, ConnectError) as error:
        await _mark_stopped(live, held)
        raise stopped_by(error) from error
    except TranshipError:
        await _mark_stopped(live, held)
        raise
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
    return ends


async def _so_far(
    live: Live, job: Job, done: Mapping[FlowId, tuple[Run, TaskRow]], frame: Frame
) -> MigrationOutcome | None:
    """What the journal holds of a stopped run; None where NEW cannot be asked any more."""
    try:
        async with looking(live.config, job) as (_, control):
            return await live_result(control, live.journal, job, live.config, live.options, frame, done, live)
    except (*BROKEN, TranshipError):
        return None


async def _mark_stopped(live: Live, held: Control) -> None:
    """As far as it goes; a run that is not marked is found out by its lock."""
    with contextlib.suppress(*BROKEN, TranshipError):
        await held.mark(live.journal.sql.end_run, live.run, live.epoch, "stopped")
    held.close()


@contextlib.asynccontextmanager
async def looking(
    config: Config, job: Job, *, batches: bool = False
) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection]]:
    """Control connections to both sides; with ``batches`` the one to NEW keeps the database's search_path, as batches need it."""
    style = datestyle(job.new)
    old = await connect(config.old, application_name="tranship")
    try:
        await refuse_pooler(old, config.old)
        await pin(old, Side.OLD, datestyle=style, search_path="")
        new = await connect(config.new, application_name="tranship")
        try:
            await refuse_pooler(new, config.new)
            await pin(new, Side.NEW, datestyle=style, search_path=None if batches else "")
            yield old, new
        finally:
            new.terminate()
    finally:
        old.terminate()


@contextlib.asynccontextmanager
async def open_snapshot(config: Config, job: Job) -> AsyncIterator[Snapshot]:
    """The run's snapshot of OLD, whose schema is as it was planned on."""
    async with Snapshot.open(config.old, locked_relations(job), datestyle=datestyle(job.new)) as snapshot:
        await check_drift(snapshot, job, config.old.schemas, config.journal_schema)
        yield snapshot
