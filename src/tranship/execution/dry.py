"""A dry run: probes all tables on both servers, and writes nothing."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import asyncpg
from msgspec import UNSET
from msgspec.structs import replace

from tranship.execution.active_run import FIRST_REJECTS
from tranship.execution.context import RunContext
from tranship.execution.copying.counted import moved_shortfalls
from tranship.execution.probe.everything import ProbeResult, probe_everything
from tranship.execution.resilience.stop_reasons import BROKEN, could_not_begin
from tranship.execution.results.from_journal import dry_records, moved_before
from tranship.execution.results.outcome import Frame, MigrationOutcome, TableCounts, outcome, reasons
from tranship.execution.start.earlier_runs import earlier
from tranship.execution.start.filled_before import filled_before, rows_now
from tranship.execution.start.numbers import numbering
from tranship.execution.start.preflight import Passed, preflight
from tranship.execution.start.rejects_only import read_later, restrict
from tranship.execution.start.sequence_headroom import without_room
from tranship.execution.start.sides import both_sides, open_snapshot
from tranship.execution.start.tasks import too_many
from tranship.execution.start.to_do import ToDo, announce, to_do
from tranship.execution.switches.indexes import removal_notes, to_remove
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.options import RebuildIndexes
from tranship.model.plan import TablePlan
from tranship.model.progress import RowRejected
from tranship.model.resolution import Problem
from tranship.model.verdict import RejectRecord
from tranship.server.journal import find_journal


async def dry_run(context: RunContext) -> MigrationOutcome:
    """Probes all tables, writes nothing, and returns what the live run would do.

    Raises:
        Refused: OLD is NEW, or was altered meanwhile.
        TranshipError: a server could not answer.
    """
    context.tell_moment(fixed=False)
    try:
        return await _dry_run(context)
    except BROKEN as error:
        raise could_not_begin(error) from error


class _Ahead(NamedTuple):
    """What is known before the data checks."""

    passed: Passed
    work: ToDo
    filled: tuple[Problem, ...]
    """Refusals because of tables that a finished run filled."""
    rows_now: Mapping[FlowId, int]
    differs: Mapping[TableName, Problem]
    counts: list[TableCounts]
    """Of tables that earlier runs moved, likewise their rejects."""
    rejects: list[RejectRecord]


async def _look(context: RunContext) -> _Ahead:
    async with both_sides(context) as (old, new):
        passed = await preflight(context, old, new, live=False)
        found = await find_journal(new, context.config.journal_schema)
        before = await earlier(new, found, passed.old)
        context = context.over(found) if found is not None else context
        work = await to_do(new, context, before)
        announce(context, work)
        counts, rejects = await moved_before(new, context.journal, work.whole.plan.tables, work.done)
        return _Ahead(
            passed,
            work,
            await filled_before(new, context, before, work.left),
            await rows_now(old, work.whole, work.done),
            await moved_shortfalls(new, context.journal, work.places),
            counts,
            rejects,
        )


async def _dry_run(context: RunContext) -> MigrationOutcome:
    started, began = datetime.datetime.now(datetime.UTC), time.monotonic()
    ahead = await _look(context)
    async with open_snapshot(context.of(ahead.work.left), ahead.passed.reads.tables) as snapshot:
        async with both_sides(context) as (_, new):
            left = await restrict(await _with_journal(context.of(ahead.work.left), new), snapshot, new)
            left = await numbering(new, left)
        doing = context.of(left)
        probed = await probe_everything(doing, snapshot, digest=False)
        await _tell_indexes(doing, probed)
        async with both_sides(doing) as (_, new):
            lacking = await without_room(new, left, probed)
        records = [r async for r in dry_records(snapshot, left, probed)]
        text, later = snapshot.text, read_later(left, snapshot.mark)
    counts = {one.plan.flow: one for one in (*ahead.counts, *_counted(doing, probed, records))}
    refusals = (too_many(probed.rejected, probed.rows, context.options), lacking)
    frame = Frame(
        "dryrun",
        "",
        text,
        started,
        time.monotonic() - began,
        (
            *ahead.passed.problems,
            *later,
            *ahead.filled,
            *(what.problem() for what in refusals if what is not None),
        ),
        probed.left_out,
        rows_now=ahead.rows_now,
        differs=ahead.differs,
    )
    plans = ahead.work.whole.plan.tables
    return outcome(
        context.of(ahead.work.whole), frame, [counts[p.flow] for p in plans], [*ahead.rejects, *records]
    )


async def _with_journal(context: RunContext, new: asyncpg.Connection) -> RunContext:
    found = await find_journal(new, context.config.journal_schema)
    return context.over(found) if found is not None else context


def _counted(
    context: RunContext, probed: ProbeResult, records: Sequence[RejectRecord]
) -> Iterator[TableCounts]:
    """Yields the counts of the tables that were probed, and tells them."""
    job, on_event = context.job, context.on_event
    by_flow: dict[tuple[str, str, object], list[RejectRecord]] = {}
    for record in records:
        by_flow.setdefault((record.table, record.new_table, record.flow), []).append(record)
    for plan in job.plan.tables:
        named = (str(plan.old), str(plan.new), plan.name or UNSET)
        for record in by_flow.get(named, [])[:FIRST_REJECTS]:
            on_event(_would_reject(plan.flow, record, show_values=context.options.show_values))
        counts = _would_be(plan, probed)
        on_event(counts.event)
        taken = job.taken(plan.flow)
        if taken is not None:
            counts = replace(counts.without(taken.gone), rejects_of=taken.chain[-1][0].id)
        yield counts


def _would_be(plan: TablePlan, probed: ProbeResult) -> TableCounts:
    """Returns what would become of a table's rows."""
    cut, found = probed.cuts[plan.flow], probed.book.findings(plan.flow)
    rejected, held = len(found.rejects), found.already_there + found.kept + found.updated + found.merged
    return TableCounts(
        plan,
        cut.rows,
        cut.rows - rejected - held,
        rejected,
        reasons=reasons(found.rejects),
        losses=found.losses,
        not_asked=found.not_asked,
        old=cut.old,
        kept=found.kept,
        updated=found.updated,
        merged=found.merged,
    )


def _would_reject(flow: FlowId, record: RejectRecord, *, show_values: bool) -> RowRejected:
    """Returns the event for a row that the live run would reject."""
    key = "" if record.key is None else bytes(record.key).decode()
    reason = record.reason if show_values else None
    return RowRejected(flow, key, "", record.column, record.sqlstate, record.constraint, reason)


async def _tell_indexes(context: RunContext, probed: ProbeResult) -> None:
    """Names the indexes that the live run would remove for its load."""
    job, mode = context.job, context.options.rebuild_indexes
    if mode == RebuildIndexes.NEVER:
        return
    async with both_sides(context) as (_, new):
        groups = [
            {
                plan.new: sum(probed.cuts[p.flow].rows for p in g.tables if p.new == plan.new)
                for plan in g.tables
            }
            for g in job.plan.groups
        ]
        for rows in groups:
            for note in removal_notes(await to_remove(new, job, rows, mode)):
                context.note(note)
