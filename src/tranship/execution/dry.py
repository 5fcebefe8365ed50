"""A dry run: probes all tables on both servers, and writes nothing."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import asyncpg
from msgspec import UNSET

from tranship.errors import Refused
from tranship.execution.active_run import FIRST_REJECTS
from tranship.execution.context import RunContext
from tranship.execution.copying.counted import moved_shortfalls
from tranship.execution.probe.everything import probe_everything
from tranship.execution.probe.merged import lost_by_merging
from tranship.execution.probe.unchecked_references import foreseen_without_parent
from tranship.execution.resilience.stop_reasons import BROKEN, could_not_begin
from tranship.execution.resilience.writer_lock import WriterLock
from tranship.execution.results.from_journal import dry_records, moved_before, with_filled
from tranship.execution.results.outcome import Frame, MigrationOutcome, TableCounts, outcome
from tranship.execution.results.shown_key import shown_key
from tranship.execution.results.spool import Spool
from tranship.execution.start.beginning import beginning, without
from tranship.execution.start.filled_before import filled_before
from tranship.execution.start.foresee import Foreseen, Resumption, counted
from tranship.execution.start.numbers import numbering, rows_beside
from tranship.execution.start.pace import pace, read_sample
from tranship.execution.start.preflight import Passed, preflight
from tranship.execution.start.rejects_only import read_later, restrict
from tranship.execution.start.sequence_headroom import without_room
from tranship.execution.start.sides import both_sides, open_snapshot, relations_to_lock
from tranship.execution.start.since_then import held_now
from tranship.execution.start.tasks import too_many
from tranship.execution.start.to_do import ToDo, announce, to_do
from tranship.execution.start.unrecorded import unrecorded
from tranship.execution.switches.indexes import LooseIndex, removal_notes, to_remove
from tranship.execution.switches.locks import locks_ahead
from tranship.execution.switches.triggers_and_keys import (
    Switches,
    acting_tables,
    may_be_replica,
    needed,
    stays_on,
)
from tranship.execution.time_spent import BEFORE_START, phase
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.options import RebuildIndexes
from tranship.model.plan import TablePlan
from tranship.model.progress import RowRejected
from tranship.model.reasons import kind_of, named_table
from tranship.model.resolution import Problem
from tranship.model.verdict import HeldNow, LockAhead, RejectRecord
from tranship.server.journal import Run, find_journal
from tranship.server.snapshot import Snapshot


async def dry_run(context: RunContext) -> MigrationOutcome:
    """Probes all tables, writes nothing, and returns what the live run would do.

    Raises:
        Refused: OLD is NEW, or was altered meanwhile.
        TranshipError: a server could not answer.
    """
    try:
        return await _dry_run(context)
    except BROKEN as error:
        raise could_not_begin(error) from error


class _Ahead(NamedTuple):
    """What is known before the data checks."""

    passed: Passed
    work: ToDo
    unfinished: Run | None
    """The run that the live run would resume."""
    problems: tuple[Problem, ...]
    """Warnings, and what a live run is refused for now."""
    held_now: Mapping[FlowId, HeldNow]
    differs: Mapping[TableName, Problem]
    counts: list[TableCounts]
    """Of tables that earlier runs moved, likewise their rejects."""
    rejects: Spool
    pace: float | None
    """Rows a second of the last finished run that moved enough of them; None: there is none."""


async def _look(context: RunContext) -> _Ahead:
    async with both_sides(context) as (old, new):
        passed = await preflight(context, old, new, live=False)
        at_work = await _at_work(context, old, new)
        begins = await beginning(context, new, passed)
        work = await to_do(new, context, begins.before)
        announce(context, work)
        counts, rejects = await moved_before(
            new, context.journal, work.whole.plan.tables, work.done, most=context.options.most_rejects
        )
        filled = await filled_before(new, context, begins.before, work.left)
        twice = await unrecorded(old, new, context, begins.before, work.left)
        return _Ahead(
            passed,
            dataclasses.replace(work, left=without(work.left, begins.leaving)),
            begins.before.unfinished,
            (*passed.problems, *at_work, *filled, *twice, *work.mixed),
            await held_now(old, work.whole, work.done),
            await moved_shortfalls(new, context.journal, work.places),
            counts,
            rejects,
            await pace(new, context, {run.id: run for run, _ in begins.before.moved}),
        )


async def _dry_run(context: RunContext) -> MigrationOutcome:
    started, began = datetime.datetime.now(datetime.UTC), time.monotonic()
    context = await _with_journal(context)
    with phase(BEFORE_START):
        ahead = await _look(context)
    doing = context.of(ahead.work.left)
    spool, earlier = ahead.rejects, len(ahead.rejects)
    async with open_snapshot(doing, ahead.passed.reads.tables) as snapshot:
        with phase("prepare"):
            foreseen = await _foresee(doing, ahead, snapshot)
        read = relations_to_lock(doing, ahead.passed.reads.tables)
        locks = await _locks(doing, foreseen.untouched, read)
        to_move = [(one.plan, one.read) for one in foreseen.counts]
        # How quickly a table is read says nothing of a run that looks for its rows one by one.
        measured = not ahead.pace and not context.options.rejects_only
        sample = await read_sample(snapshot, doing.job, to_move) if measured else None
        text = snapshot.text
    _tell(doing, foreseen, itertools.islice(spool, earlier, None))
    counts = {one.plan.flow: one for one in (*ahead.counts, *foreseen.counts)}
    frame = Frame(
        "dryrun",
        "",
        text,
        started,
        time.monotonic() - began,
        tuple(dict.fromkeys((*ahead.problems, *foreseen.problems))),
        foreseen.left_out,
        held_now=ahead.held_now,
        differs=ahead.differs,
        rows_a_second=ahead.pace,
        sample=sample,
        locks=locks,
        rows_to_move=sum(rows for _, rows in to_move),
    )
    whole = context.of(ahead.work.whole)
    return outcome(whole, frame, [counts[plan.flow] for plan in whole.job.plan.tables], spool)


async def _with_journal(context: RunContext) -> RunContext:
    async with both_sides(context) as (_, new):
        found = await find_journal(new, context.config.journal_schema)
    return context.over(found) if found is not None else context


async def _at_work(
    context: RunContext, old: asyncpg.Connection, new: asyncpg.Connection
) -> tuple[Problem, ...]:
    """Returns the refusal of a live run while another one is at work."""
    options = context.options
    if options.take_over:
        return ()
    try:
        await WriterLock.refuse_second(context.config, old, new, invocation=options.invocation)
    except Refused as refusal:
        return refusal.problems
    return ()


async def _foresee(doing: RunContext, ahead: _Ahead, snapshot: Snapshot) -> Foreseen:
    """Returns what the live run would do, from the beginning or where an interrupted run stopped."""
    if ahead.unfinished is None:
        return await _fresh(doing, snapshot, ahead.rejects)
    async with both_sides(doing) as (old, new):
        resuming = Resumption(doing, old, new, snapshot, ahead.rejects, ahead.unfinished, ahead.passed.jobs)
        foreseen = await resuming.foresee()
        return foreseen._replace(counts=await with_filled(new, doing, foreseen.counts))


async def _fresh(context: RunContext, snapshot: Snapshot, spool: Spool) -> Foreseen:
    """Returns what becomes of a run that begins anew. Its rejected rows go to the spool."""
    context.tell_moment(fixed=False)
    async with both_sides(context) as (_, new):
        job = await restrict(context, snapshot, new)
        async with snapshot.reader() as old:
            beside = await rows_beside(old, job)
        job = await numbering(new, job, beside)
        probed = await probe_everything(context.of(job), snapshot, digest=False)
        job = probed.job
        lacking = await without_room(new, job, probed.arriving)
        counts = [counted(job, plan, probed) for plan in job.plan.tables]
        counts = await with_filled(new, context.of(job), counts)
        alone = await foreseen_without_parent(snapshot, new, job, probed.book)
    lost = await lost_by_merging(snapshot, job)
    await dry_records(snapshot, job, probed, spool, most=context.options.most_rejects)
    refusals = (too_many(probed.rejected, probed.rows, context.options), lacking)
    return Foreseen(
        counts,
        probed.left_out,
        (
            *read_later(job, snapshot.mark),
            *alone,
            *lost,
            *(what.problem() for what in refusals if what is not None),
        ),
        {flow: cut.rows for flow, cut in probed.cuts.items()},
    )


def _tell(context: RunContext, foreseen: Foreseen, records: Iterable[RejectRecord]) -> None:
    """Tells the counts of each table, and its first rejects."""
    by_flow: dict[tuple[str, str, object], list[RejectRecord]] = {}
    for record in records:
        first = by_flow.setdefault((record.table, record.new_table, record.flow), [])
        if len(first) < FIRST_REJECTS:
            first.append(record)
    for one in foreseen.counts:
        plan = one.plan
        named = (str(plan.old), str(plan.new), plan.name or UNSET)
        # Of a table without a key the first rows may all be told in the same words, which are told once.
        told: list[RowRejected] = []
        for record in by_flow.get(named, []):
            event = _would_reject(context, plan, record)
            if event not in told:
                told.append(event)
                context.on_event(event)
        context.on_event(one.event)


def _would_reject(context: RunContext, plan: TablePlan, record: RejectRecord) -> RowRejected:
    """Returns the event for a row that the live run would reject."""
    own = None if record.key is None else bytes(record.key)
    key = shown_key(plan, context.job.after(plan), own, bytes(record.row))
    reason = record.reason if context.options.show_values else None
    what, table = kind_of(record.reason), named_table(record.reason)
    why = (record.column, record.sqlstate, record.constraint, reason, what, table)
    return RowRejected(plan.flow, key, "", *why)


async def _locks(
    context: RunContext, untouched: Mapping[FlowId, int], read: Sequence[TableName]
) -> tuple[LockAhead, ...]:
    """Returns the locks of the live run, and names the indexes that it would remove for its load: of groups
    into which nothing was copied, given with the rows of their tables. ``read``: the tables of OLD.
    """
    job, mode = context.job, context.options.rebuild_indexes
    switched: list[Switches] = []
    removed: list[LooseIndex] = []
    async with both_sides(context) as (_, new):
        replica = await may_be_replica(new)
        acting = await acting_tables(new, [job.after(plan) for plan in job.plan.tables])
        for group in job.plan.groups:
            if not all(plan.flow in untouched for plan in group.tables):
                continue
            rows: Counter[TableName] = Counter()
            for plan in group.tables:
                rows[plan.new] += untouched[plan.flow]
            size, batch = rows.total(), context.options.batch_rows
            if not stays_on(job, group, acting):
                switched.append(await needed(new, job, group, replica=replica, rows=size, batch_rows=batch))
            if mode != RebuildIndexes.NEVER:
                removed += await to_remove(new, job, rows, mode)
    for note in removal_notes(removed):
        context.note(note)
    return locks_ahead(job.plan.tables, read, switched, removed)
