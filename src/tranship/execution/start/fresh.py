"""The start of a run that NEW does not know yet."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import secrets
import socket
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path

import asyncpg
import msgspec

from tranship import __version__
from tranship.config import Config
from tranship.errors import Refused
from tranship.errors.codes.runs import UnfinishedFromAnotherOld
from tranship.execution.active_run import Task
from tranship.execution.context import RunContext
from tranship.execution.probe.everything import ProbeResult, probe_everything
from tranship.execution.proof.expected import Hashing, agreed
from tranship.execution.resilience.connection import Session
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.writer_lock import at_work, taken_over
from tranship.execution.start.computed import computed
from tranship.execution.start.dependencies import dependencies
from tranship.execution.start.drawn_numbers import pass_held_numbers
from tranship.execution.start.numbers import numbering, reserve, rows_beside
from tranship.execution.start.sequence_headroom import without_room
from tranship.execution.start.tasks import Begun, on_record, task_of, too_many, write_tasks
from tranship.execution.switches.sequences import keep_positions
from tranship.model.dependencies import Dependencies, Reads
from tranship.model.options import MigrateOptions, Verify, command_line
from tranship.planning.plan.content import run_hash
from tranship.server.identity import Identity
from tranship.server.journal import (
    DecidedBy,
    Journal,
    RunStatus,
    find_journal,
    prepare_journal,
    refuse_unfinished,
)
from tranship.server.snapshot import Snapshot
from tranship.sql.new.journal import FORMAT


async def begin_fresh(
    context: RunContext,
    session: Session,
    snapshot: Snapshot,
    identities: tuple[Identity, Identity],
    seen: frozenset[str],
    reads: Reads,
) -> Begun:
    """Probes all tables, then writes the whole run into the journal in one transaction.

    ``seen``: the runs that the journal had before. Another one can begin while tables are probed, because the
    lock's session may be lost unnoticed as long as nothing is written.

    Raises:
        Refused: more rejects are predicted than ``--max-rejects`` allows, a sequence has too few numbers
            left, or the tables hold rows of an unfinished run from another OLD.
        Stopped: another run began meanwhile.
    """
    await session.work("the journal", partial(refuse_beside, context, identities[0]))
    context = await _numbered(context, session, snapshot)
    probed = await _probed(context, session, snapshot)
    job, config, options = probed.job, context.config, context.options
    depends = await _depends(context, session, snapshot, reads)
    hashing = await _hashing(context, session, snapshot)
    tasks = [task_of(position, plan, probed, job) for position, plan in enumerate(job.plan.tables)]
    run, (old, new) = secrets.token_hex(8), identities
    place = (socket.gethostname(), os.getpid(), str(snapshot.mark), json.dumps(probed.left_out), __version__)
    decided = (msgspec.json.encode(job.plan), msgspec.json.encode(_decided_by(config, options)))

    async def write(control: asyncpg.Connection) -> None:
        async with control.transaction():
            # Made in the transaction that first writes into it, so that a refusal leaves nothing in NEW.
            journal = await prepare_journal(control, config.journal_schema)
            await control.execute(journal.sql("lock_runs"))
            there = {r.id for r in await journal.runs(control, old.key)}
            if run in there:  # The try before committed, and its answer was lost.
                return
            if there != seen:
                raise taken_over()
            known = (run, FORMAT, old.key, new.key, run_hash(job.plan.tables))
            await control.execute(journal.sql("insert_run"), *known, *place, *decided)
            await _keep(control, journal, run, depends, hashing)
            await _place_sequences(context.of(job), control, journal, run, tasks)
            await write_tasks(control, journal, run, tasks, probed.book)

    await session.work("the journal", write)
    await failpoint("run.prepared")
    job = on_record(job, config.journal_schema, run, tasks)
    return Begun(run, 1, job, tasks, probed.book, probed.left_out, depends=depends, hashing=hashing)


async def _depends(context: RunContext, session: Session, snapshot: Snapshot, reads: Reads) -> Dependencies:
    """Returns what the values of the run depend on beside rows, in OLD and in NEW."""
    by_old = await dependencies(context, snapshot, reads)
    by_new = await session.work("what NEW computes", partial(computed, job=context.job))
    return msgspec.structs.replace(by_old, computed=by_new)


async def _keep(
    control: asyncpg.Connection, journal: Journal, run: str, depends: Dependencies, hashing: Hashing | None
) -> None:
    """Journals the first heartbeat of a run, what its values depend on, and how its rows are hashed."""
    await control.execute(journal.sql("insert_heartbeat"), run, [])
    await control.execute(journal.sql("keep_depends"), run, msgspec.json.encode(depends))
    await control.execute(journal.sql("keep_hashing"), run, str(hashing) if hashing else None)


async def _place_sequences(
    context: RunContext, control: asyncpg.Connection, journal: Journal, run: str, tasks: Sequence[Task]
) -> None:
    """Journals where the sequences stand that the run draws from, and moves them behind the numbers that rows
    have or get. A rehearsal does so once it has given them other storage.
    """
    job, options = context.job, context.options
    if not options.new_in_use:
        # Where others draw numbers meanwhile, a sequence is not set back behind theirs.
        await keep_positions(control, journal, run, job)
    if not options.rehearse:
        rows = {task.plan.flow: task.rows for task in tasks}
        await pass_held_numbers(control, job, rows)
        await reserve(control, job, rows)


async def _hashing(context: RunContext, session: Session, snapshot: Snapshot) -> Hashing | None:
    """Returns how the run hashes its rows; None where nobody asked for it, and in a rehearsal."""
    options = context.options
    if options.rehearse or options.verify not in (Verify.HASH, Verify.FULL):
        return None
    async with snapshot.reader() as old:
        rendered = options.verify is Verify.FULL
        found = await session.work("hashes", lambda new: agreed(old, new, context.job, rendered=rendered))
        return msgspec.structs.replace(found, sample=options.sample)


async def _numbered(context: RunContext, session: Session, snapshot: Snapshot) -> RunContext:
    """Returns the context with the first numbers of keys that are numbered anew."""
    async with snapshot.reader() as old:
        beside = await rows_beside(old, context.job)
    numbers = partial(numbering, job=context.job, beside=beside)
    return context.of(await session.work("numbers", numbers))


async def _probed(context: RunContext, session: Session, snapshot: Snapshot) -> ProbeResult:
    """Probes all tables and refuses a run that could not end well.

    Raises:
        Refused: too many rejects are predicted, or a sequence has too few values.
    """
    probed = await probe_everything(context, snapshot, digest=True)
    await failpoint("run.probed")
    refusal = too_many(probed.rejected, probed.rows, context.options)
    if refusal is not None:
        raise Refused(refusal)
    lacking = await session.work(
        "sequences", partial(without_room, job=context.job, arriving=probed.arriving)
    )
    if lacking is not None:
        raise Refused(lacking)
    return probed


def _decided_by(config: Config, options: MigrateOptions) -> DecidedBy:
    role = config.new.user
    try:
        os_user = getpass.getuser()
    except (KeyError, OSError):
        # Some containers run under an account that has no name.
        os_user = str(os.getuid())
    again = options.live_again
    if options.resolutions is None:
        return DecidedBy(os_user, role, again=again)
    path = Path(options.resolutions)
    return DecidedBy(os_user, role, path.name, hashlib.sha256(path.read_bytes()).hexdigest(), again)


async def refuse_beside(
    context: RunContext,
    old: Identity,
    control: asyncpg.Connection,
    *,
    without: AbstractSet[str] = frozenset(),
) -> None:
    """Refuses to begin beside an unfinished run; without a journal there is none.

    ``without``: runs of this OLD that will be rolled back or forgotten first.
    """
    journal = await find_journal(control, context.config.journal_schema)
    if journal is not None:
        await _refuse_half_moved(context.over(journal), old, control)
        await refuse_unfinished(control, journal, without=without)


async def _refuse_half_moved(context: RunContext, old: Identity, control: asyncpg.Connection) -> None:
    """Refuses a second copy of rows that an unfinished run from another OLD brought.

    An OLD that was upgraded, restored or moved in the middle of a run has another identity. Runs from
    several OLDs that are at work side by side are allowed.
    """
    journal = context.journal
    filled = {plan.new for plan in context.job.plan.tables}
    for run in await journal.runs(control, None):
        if (
            run.state == RunStatus.FINISHED
            or run.old_identity == old.key
            or not await control.fetchval(journal.sql("anything_done"), run.id)
        ):
            continue
        both = sorted(filled & {task.flow.new for task in await journal.tasks(control, run.id)})
        if not both or await at_work(control, run):
            continue
        command = command_line("tranship", "rollback", *context.config.words, "--run", run.id, "--live")
        raise Refused(UnfinishedFromAnotherOld(run.id, run.started, tuple(both[:5]), command))
