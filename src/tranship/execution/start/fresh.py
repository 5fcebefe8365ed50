"""The start of a run that NEW does not know yet."""

from __future__ import annotations

import json
import os
import secrets
import socket
from functools import partial

import asyncpg

from tranship import __version__
from tranship.errors import Refused
from tranship.errors.codes.runs import UnfinishedFromAnotherOld
from tranship.execution.context import RunContext
from tranship.execution.probe.everything import ask_everything
from tranship.execution.resilience.connection import Works
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.writer_lock import at_work, taken_over
from tranship.execution.start.sequence_headroom import without_room
from tranship.execution.start.tasks import Begun, _task, too_many, write_task
from tranship.model.options import command_line
from tranship.planning.plan.hash import run_hash
from tranship.server.identity import Identity
from tranship.server.snapshot import Snapshot


async def begin_fresh(
    context: RunContext,
    held: Works,
    snapshot: Snapshot,
    identities: tuple[Identity, Identity],
    seen: frozenset[str],
) -> Begun:
    """Asks everything, then writes the whole run into the journal in one transaction. ``seen``: the runs that were there before asking.

    Raises:
        Refused: more rejects are foreseen than ``--max-rejects`` allows, a sequence has too few numbers left, or half of another OLD stands in
            the tables.
        Stopped: another run began meanwhile; the lock's session can be lost unnoticed while nothing is written yet.
    """
    job, journal, options = context.job, context.journal, context.options
    await held.work("the journal", partial(_refuse_half_moved, context, identities[0]))
    asked = await ask_everything(context, snapshot, digest=True)
    await failpoint("run.asked")
    problem = too_many(asked.rejected, asked.rows, options)
    if problem is not None:
        raise Refused(problem)
    lacking = await held.work("sequences", lambda control: without_room(control, job, asked))
    if lacking is not None:
        raise Refused(lacking)
    tasks = [_task(position, plan, asked) for position, plan in enumerate(job.plan.tables)]
    run = f"{secrets.token_hex(8)}"
    old, new = identities
    who = (socket.gethostname(), os.getpid(), str(snapshot.mark), json.dumps(asked.left_out), __version__)

    async def write(control: asyncpg.Connection) -> None:
        async with control.transaction():
            await control.execute(journal.sql.lock_runs)
            there = {r.id for r in await journal.runs(control, old.key)}
            if run in there:
                return  # the try before committed, and its answer was lost
            if there != seen:
                raise taken_over()
            await control.execute(
                journal.sql.insert_run, run, old.key, new.key, run_hash(job.plan.tables), *who
            )
            await control.execute(journal.sql.insert_heartbeat, run, [])
            for task in tasks:
                await write_task(control, journal, run, task, asked.book)

    await held.work("the journal", write)
    await failpoint("run.prepared")
    return Begun(run, 1, tasks, asked.book, asked.left_out)


async def _refuse_half_moved(context: RunContext, old: Identity, control: asyncpg.Connection) -> None:
    """An OLD that was upgraded, restored or moved elsewhere in the middle of a run is another one by its identity: its rows would come twice.

    Runs from several OLDs into one NEW that are at work side by side are left alone.
    """
    journal = context.journal
    filled = {plan.new for plan in context.job.plan.tables}
    for run in await journal.runs(control, None):
        if (
            run.state == "finished"
            or run.old_identity == old.key
            or not await control.fetchval(journal.sql.anything_done, run.id)
        ):
            continue
        both = sorted(filled & {task.flow.new for task in await journal.tasks(control, run.id)})
        if not both or await at_work(control, run):
            continue
        command = command_line("tranship", "rollback", context.config.path, "--run", run.id, "--live")
        raise Refused(UnfinishedFromAnotherOld(run.id, run.started, tuple(both[:5]), command))
