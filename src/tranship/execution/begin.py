"""Where a live run starts: afresh, or at what an interrupted one left."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import asyncpg
import msgspec
from msgspec.structs import replace

from tranship import __version__
from tranship.config import Config
from tranship.errors import Refused, Stopped
from tranship.execution.ask.book import Book
from tranship.execution.asking import Asked, ask_everything
from tranship.execution.control import Steady, Works
from tranship.execution.failpoints import failpoint
from tranship.execution.job import Job
from tranship.execution.lock import at_work, hold_epoch, shut_out, taken_over
from tranship.execution.plans import plan_hash, run_hash
from tranship.execution.room import without_room
from tranship.execution.takeback import take_back, written
from tranship.execution.task import Task
from tranship.execution.unwritten import unwritten
from tranship.model.names import TableName
from tranship.model.options import MigrateOptions, command_line
from tranship.model.plan import Plan, TablePlan
from tranship.model.progress import Batch, Event, Noted, RowId
from tranship.model.resolution import Problem
from tranship.server.identity import Identity
from tranship.server.journal import Findings, Journal, Run, TaskRow, name_text
from tranship.server.snapshot import Mark, Snapshot


@dataclass(frozen=True)
class Before:
    """What the journal knows of earlier runs from the same OLD."""

    unfinished: Run | None
    moved: tuple[tuple[Run, TaskRow], ...]
    """Tables of finished runs."""
    seen: frozenset[str] = frozenset()
    """Every run there was."""


@dataclass
class Begun:
    """A run that may go on."""

    run: str
    epoch: int
    tasks: list[Task]
    book: Book
    left_out: dict[str, int]
    mixed: bool = False
    """Some tables were read in another snapshot than others."""


async def earlier(control: asyncpg.Connection, journal: Journal, old: Identity) -> Before:
    """Reads the runs from one OLD; an unfinished one is the latest."""
    runs = await journal.runs(control, old.key)
    moved = [(r, t) for r in runs if r.state == "finished" for t in await journal.tasks(control, r.id)]
    return Before(next((r for r in reversed(runs) if r.state != "finished"), None), tuple(moved), frozenset(r.id for r in runs))


def remaining(job: Job, before: Before) -> tuple[Job, dict[TableName, tuple[Run, TaskRow]]]:
    """The job without the tables that an earlier finished run moved under the same plan, and those tables."""
    known = {(t.old, t.new, t.plan_hash): (r, t) for r, t in before.moved}
    done = {p.old: known[p.old, p.new, plan_hash(p)] for p in job.plan.tables if (p.old, p.new, plan_hash(p)) in known}
    groups = tuple(replace(g, tables=kept) for g in job.plan.groups if (kept := tuple(p for p in g.tables if p.old not in done)))
    plan: Plan = replace(job.plan, groups=groups)
    return Job(plan, job.old, job.new), done


def same_plan(job: Job, tasks: Sequence[TaskRow], run: Run) -> None:
    """An unfinished run goes on only under the plan it began with.

    Raises:
        Refused: it differs; says in which tables.
    """
    if run.plan_hash == run_hash(job.plan.tables):
        return
    now = {(p.old, p.new): plan_hash(p) for p in job.plan.tables}
    then = {(t.old, t.new): t.plan_hash for t in tasks}
    told = [f"{old} is new" for old, new in sorted(now.keys() - then.keys())]
    told += [f"{old} is gone" for old, new in sorted(then.keys() - now.keys())]
    told += [f"{old} is moved otherwise" for old, new in sorted(now.keys() & then.keys()) if now[old, new] != then[old, new]]
    hint = "run it to its end with the same decisions, or add --restart: what it wrote is taken back, and the run starts over"
    raise Refused("TS364", f"an unfinished run of {run.started:%Y-%m-%d %H:%M} has another plan: {'; '.join(told)}", hint=hint)


async def begin_fresh(
    held: Works,
    journal: Journal,
    snapshot: Snapshot,
    config: Config,
    job: Job,
    options: MigrateOptions,
    identities: tuple[Identity, Identity],
    seen: frozenset[str],
    on_event: Callable[[Event], None],
) -> Begun:
    """Asks everything, then writes the whole run into the journal in one transaction. ``seen``: the runs that were there before asking.

    Raises:
        Refused: more rejects are foreseen than ``--max-rejects`` allows, a sequence has too few numbers left, or half of another OLD stands in
            the tables.
        Stopped: another run began meanwhile; the lock's session can be lost unnoticed while nothing is written yet.
    """
    await held.work("the journal", partial(_refuse_half_moved, journal, job, identities[0], config))
    asked = await ask_everything(snapshot, config, job, options, job.plan.tables, digest=True, on_event=on_event)
    await failpoint("run.asked")
    problem = too_many(asked.rejected, asked.rows, options)
    if problem is not None:
        raise Refused(problem.code, problem.message, hint=problem.hint)
    lacking = await held.work("sequences", lambda control: without_room(control, job, asked))
    if lacking is not None:
        raise Refused(lacking.code, lacking.message, object=lacking.object, hint=lacking.hint)
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
                raise taken_over("see tranship status")
            await control.execute(journal.sql.insert_run, run, old.key, new.key, run_hash(job.plan.tables), *who)
            await control.execute(journal.sql.insert_heartbeat, run, [])
            for task in tasks:
                await write_task(control, journal, run, task, asked.book)

    await held.work("the journal", write)
    await failpoint("run.prepared")
    return Begun(run, 1, tasks, asked.book, asked.left_out)


async def _refuse_half_moved(journal: Journal, job: Job, old: Identity, config: Config, control: asyncpg.Connection) -> None:
    """An OLD that was upgraded, restored or moved elsewhere in the middle of a run is another one by its identity: its rows would come twice.

    Runs from several OLDs into one NEW that are at work side by side are left alone.
    """
    filled = {plan.new for plan in job.plan.tables}
    for run in await journal.runs(control, None):
        if run.state == "finished" or run.old_identity == old.key or not await control.fetchval(journal.sql.anything_done, run.id):
            continue
        both = sorted(filled & {task.new for task in await journal.tasks(control, run.id)})
        if not both or await at_work(control, run):
            continue
        message = f"an unfinished run of {run.started:%Y-%m-%d %H:%M} from another OLD wrote into {', '.join(map(str, both[:5]))}"
        hint = f"run that one to its end, or take it back: {command_line('tranship', 'rollback', config.path, '--run', run.id, '--live')}"
        raise Refused("TS376", message, object=run.id, hint=hint)


async def write_task(control: asyncpg.Connection, journal: Journal, run: str, task: Task, book: Book) -> None:
    """One table with its batches and foreseen rejects."""
    names = (name_text(task.plan.old), name_text(task.plan.new))
    findings = msgspec.json.encode(task.findings)
    await control.execute(journal.sql.insert_task, run, task.position, *names, task.plan_hash, task.rows, task.digest, findings, task.format)
    await journal.write_batches(control, run, task.position, task.todo)
    rejects = book.rejected(task.plan.old)
    if rejects:
        await journal.write_foreseen(control, run, task.position, rejects.values())


async def resume(
    held: Steady,
    journal: Journal,
    snapshot: Snapshot,
    config: Config,
    job: Job,
    options: MigrateOptions,
    run: Run,
    jobs: int,
    on_event: Callable[[Event], None],
    stop: asyncio.Event,
) -> Begun:
    """Takes an unfinished run over: ends its backends, raises the epoch, and proves that OLD is as it was.

    Raises:
        Refused: the plan is another one.
        Stopped: OLD was written to since, and nobody said what to do.
    """
    control = await held.alive()
    rows = await journal.tasks(control, run.id)
    same_plan(job, rows, run)
    epoch = await shut_out(control, journal, run)
    await _end_take_back(control, journal, job, replace(run, epoch=epoch), on_event, stop)
    plans = {(p.old, p.new): p for p in job.plan.tables}
    tasks = [_resumed(row, plans[row.old, row.new]) for row in rows]
    unchanged = all(row.done for row in rows) or await unwritten(snapshot, Mark.of(run.snapshot), tasks, jobs, on_event)
    control = await held.alive()
    if not unchanged and options.new_snapshot != "unfinished":
        message = "OLD was written to since the run was interrupted, and its snapshot is gone"
        hint = (
            "the same command with --new-snapshot unfinished moves unfinished tables again as OLD is now (then the result is not one point in"
            " time), with --new-snapshot all it moves everything again"
        )
        raise Stopped("TS411", message, hint=hint)
    if not unchanged:
        on_event(Noted("unfinished tables are moved again as OLD is now: the result is not one point in time"))
        await redo_unfinished(held, journal, snapshot, config, job, options, replace(run, epoch=epoch), on_event, stop)
        control = await held.alive()
        rows = await journal.tasks(control, run.id)
        tasks = [_resumed(row, plans[row.old, row.new]) for row in rows]
    who = (socket.gethostname(), os.getpid(), str(snapshot.mark), not unchanged, epoch)
    if await control.fetchval(journal.sql.take_run, run.id, *who) is None:
        raise taken_over("see tranship status")
    await failpoint("run.taken")
    for batch in await journal.batches(control, rows, run.id):
        task = tasks[batch.position]
        if batch.done:
            task.done.append(batch)
        else:
            task.todo.append(batch.batch)
        task.next_number = max(task.next_number, batch.batch.number + 1)
    for task in tasks:
        # The rest of a batch that was split has a later number; where NEW numbers the rows as they come, their place counts.
        task.todo.sort(key=lambda batch: batch.lo or RowId(batch.source, 0, 0))
    left = sum(len(t.todo) for t in tasks)
    on_event(Noted(f"going on with the run of {run.started:%Y-%m-%d %H:%M}: {left} batches are left"))
    return Begun(run.id, epoch, tasks, await _known_rejects(control, journal, run, tasks), run.left_out, run.mixed or not unchanged)


async def _known_rejects(control: asyncpg.Connection, journal: Journal, run: Run, tasks: Sequence[Task]) -> Book:
    """What was foreseen, and what batches met."""
    book = Book()
    for position, reject in await journal.foreseen(control, run.id):
        book.add(tasks[position].plan.old, reject)
    for row in await journal.rejects(control, run.id):
        book.add(tasks[row.position].plan.old, row.reject)
    for task in tasks:
        if task.findings.ordered_stream:
            book.order(task.plan.old)
    return book


async def redo_unfinished(
    held: Steady,
    journal: Journal,
    snapshot: Snapshot,
    config: Config,
    job: Job,
    options: MigrateOptions,
    run: Run,
    on_event: Callable[[Event], None],
    stop: asyncio.Event,
) -> None:
    """Takes back what unfinished tables hold of the run (``run.epoch`` is ours), and asks and cuts them anew in the new snapshot."""
    control = await held.alive()
    left = await written(control, journal, run, lambda task: not task.done)
    await take_back(control, journal, run, job.new, left, on_event, stop)
    rows = await journal.tasks(control, run.id)
    done = {row.old for row in rows if row.done}
    groups = tuple(replace(g, tables=kept) for g in job.plan.groups if (kept := tuple(p for p in g.tables if p.old not in done)))
    rest = Job(replace(job.plan, groups=groups), job.old, job.new)
    asked = await ask_everything(snapshot, config, rest, options, rest.plan.tables, digest=True, on_event=on_event)
    places = {row.old: row.position for row in rows}
    control = await held.alive()
    async with control.transaction():
        await hold_epoch(control, journal, run.id, run.epoch)
        for plan in rest.plan.tables:
            task = _task(places[plan.old], plan, asked)
            for forget in (journal.sql.forget_batches, journal.sql.forget_rejects, journal.sql.forget_foreseen, journal.sql.forget_task):
                await control.execute(forget, run.id, task.position)
            await write_task(control, journal, run.id, task, asked.book)
        await control.execute(journal.sql.new_snapshot, run.id, str(snapshot.mark))


async def _end_take_back(
    control: asyncpg.Connection, journal: Journal, job: Job, run: Run, on_event: Callable[[Event], None], stop: asyncio.Event
) -> None:
    """Rows that somebody began to take back go first: what is gone and what is not is told by no batch any more."""
    tasks = await journal.tasks(control, run.id)
    begun = {b.position for b in await journal.batches(control, tasks, run.id) if b.going_back}
    if begun:
        on_event(Noted("taking back rows was interrupted: that comes first"))
        rows = await written(control, journal, run, lambda task: task.position in begun)
        await take_back(control, journal, run, job.new, rows, on_event, stop)


async def forget_if_nothing_done(control: asyncpg.Connection, journal: Journal, run: Run) -> bool:
    """An unfinished run that committed no batch and left nothing off holds nothing that is worth going on with."""
    epoch = await shut_out(control, journal, run)
    if await control.fetchval(journal.sql.anything_done, run.id):
        return False
    await forget(control, journal, replace(run, epoch=epoch))
    return True


async def start_over(
    control: asyncpg.Connection, journal: Journal, job: Job, run: Run, on_event: Callable[[Event], None], stop: asyncio.Event
) -> None:
    """Takes an unfinished run back and forgets it."""
    on_event(Noted(f"taking back what the unfinished run of {run.started:%Y-%m-%d %H:%M} wrote"))
    run = replace(run, epoch=await shut_out(control, journal, run))
    await take_back(control, journal, run, job.new, await written(control, journal, run), on_event, stop)
    await forget(control, journal, run)


async def forget(control: asyncpg.Connection, journal: Journal, run: Run) -> None:
    """Removes a run of ours (``run.epoch``) from the journal."""
    async with control.transaction():
        await hold_epoch(control, journal, run.id, run.epoch)
        for statement in journal.sql.forget_run:
            await control.execute(statement, run.id)


def too_many(rejected: int, rows: int, options: MigrateOptions) -> Problem | None:
    """``--max-rejects`` against what asking foresees."""
    bound = reject_bound(options, rows)
    if bound is None or rejected <= bound:
        return None
    message = f"{rejected} rows would be rejected, --max-rejects allows {options.max_rejects}"
    return Problem("TS335", "", message, "see the dry run's rejects; decide them, or raise --max-rejects")


def reject_bound(options: MigrateOptions, rows: int) -> int | None:
    """``--max-rejects`` in rows."""
    text = options.max_rejects
    if text is None:
        return None
    return int(rows * float(text[:-1]) / 100) if text.endswith("%") else int(text)


def _task(position: int, plan: TablePlan, asked: Asked) -> Task:
    cut, findings = asked.cuts[plan.old], asked.book.findings(plan.old)
    kept = Findings(findings.losses, findings.not_asked, findings.ordered_stream)
    batches = _whole(plan, cut.batches) if findings.ordered_stream else list(cut.batches)
    return Task(position, plan, plan_hash(plan), cut.rows, cut.digest, kept, batches, next_number=len(batches))


def _whole(plan: TablePlan, batches: Sequence[Batch]) -> list[Batch]:
    """One batch per source: a stream in key order cannot be cut by place."""
    rows: dict[int, int] = {}
    for batch in batches:
        rows[batch.source] = rows.get(batch.source, 0) + batch.rows
    return [Batch(number, plan.old, source, None, None, count) for number, (source, count) in enumerate(sorted(rows.items()))]


def _resumed(row: TaskRow, plan: TablePlan) -> Task:
    return Task(row.position, plan, row.plan_hash, row.rows, row.digest, row.findings, [], finished=row.done)
