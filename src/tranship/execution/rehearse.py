"""``--rehearse``: the live run in one transaction of NEW on one stream, rolled back at its end. For a NEW that nobody uses meanwhile."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Callable

from tranship.config import Config
from tranship.errors import Refused
from tranship.execution.begin import begin_fresh, earlier, remaining
from tranship.execution.groups import Mover
from tranship.execution.job import Job
from tranship.execution.lock import WriterLock, lock_key
from tranship.execution.lookup import Lookups
from tranship.execution.outcome import Frame, MigrationOutcome
from tranship.execution.preflight import preflight
from tranship.execution.rejects import live_result
from tranship.execution.run import looking, open_snapshot
from tranship.execution.sequences import set_sequences, shelter
from tranship.execution.task import Live
from tranship.model.options import MigrateOptions
from tranship.model.progress import Event, Noted
from tranship.server.journal import Journal


async def rehearse(job: Job, config: Config, options: MigrateOptions, *, on_event: Callable[[Event], None], stop: asyncio.Event) -> MigrationOutcome:
    """Do everything a live run does, hold its locks to the end, and take it all back.

    Raises:
        Refused: a safety rule forbids the start.
        Stopped: what would have stopped the live run.
    """
    started, began = datetime.datetime.now(datetime.UTC), time.monotonic()
    journal = Journal(config.journal_schema)
    async with looking(config, job, batches=True) as (old, new):
        passed = await preflight(old, new, job, config, options.jobs, live=True)
        async with WriterLock.hold(config, lock_key(passed.old, passed.new), journal, passed.old.key, take_over=False):
            transaction = new.transaction()
            await transaction.start()
            try:
                await journal.prepare(new)
                before = await earlier(new, journal, passed.old)
                if before.unfinished is not None:
                    raise Refused("TS365", "an unfinished run stands in the journal", hint="run it to its end, or --restart, before a rehearsal")
                left, done = remaining(job, before)
                async with open_snapshot(config, left) as snapshot:
                    begun = await begin_fresh(new, journal, snapshot, config, left, options, (passed.old, passed.new), on_event)
                    exposed = await shelter(new, left)
                    if exposed:
                        on_event(Noted(f"not this role's own, so the rehearsal cannot set back: {', '.join(map(str, exposed))}"))
                    lookups = Lookups(left)
                    live = Live(
                        left, config, options, journal, begun.run, begun.epoch, snapshot, lookups, begun.book, begun.tasks, on_event, stop, new
                    )
                    await Mover(live, new, None, replica=passed.replica, jobs=1).run()
                    async with old.transaction(readonly=True):
                        ends = await set_sequences(old, new, left, journal, begun.run, exposed)
                    seconds = time.monotonic() - began
                    frame = Frame("rehearse", begun.run, snapshot.text, started, seconds, passed.problems, begun.left_out, ends)
                    return await live_result(new, journal, job, config, options, frame, done, live)
            finally:
                if not new.is_closed():
                    await transaction.rollback()
