"""A dry run: probes all tables on both servers, and writes nothing."""

from __future__ import annotations

import datetime
import time

from msgspec import UNSET

from tranship.execution.active_run import FIRST_REJECTS
from tranship.execution.context import RunContext
from tranship.execution.copying.counted import moved_shortfalls
from tranship.execution.probe.everything import ProbeResult, probe_everything
from tranship.execution.resilience.stop_reasons import BROKEN, could_not_begin
from tranship.execution.results.from_journal import dry_records, moved_before
from tranship.execution.results.outcome import Frame, MigrationOutcome, TableCounts, outcome, reasons
from tranship.execution.start.filled_before import filled_before, rows_now
from tranship.execution.start.preflight import preflight
from tranship.execution.start.resume import earlier, remaining, with_rejects_before
from tranship.execution.start.sequence_headroom import without_room
from tranship.execution.start.sides import both_sides, open_snapshot
from tranship.execution.start.tasks import too_many
from tranship.execution.switches.indexes import removal_notes, to_remove
from tranship.model.flow import FlowId
from tranship.model.options import RebuildIndexes
from tranship.model.plan import TablePlan
from tranship.model.progress import RowRejected
from tranship.model.verdict import RejectRecord
from tranship.server.journal import find_journal


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


async def _dry_run(context: RunContext) -> MigrationOutcome:
    started, began = datetime.datetime.now(datetime.UTC), time.monotonic()
    job, options, on_event = context.job, context.options, context.on_event
    async with both_sides(context) as (old, new):
        passed = await preflight(context, old, new, live=False)
        found = await find_journal(new, context.config.journal_schema)
        before = await earlier(new, found, passed.old)
        left, done = remaining(job, before)
        journal = found if found is not None else context.journal
        filled = await filled_before(new, context.over(journal), before, left)
        now = await rows_now(old, job, done)
        differs = await moved_shortfalls(new, journal, list(done.values()))
        left = await with_rejects_before(new, journal, left, done)
        moved_tables, past = await moved_before(new, journal, job.plan.tables, done)
    to_do = context.of(left)
    async with open_snapshot(to_do, passed.reads.tables) as snapshot:
        probed = await probe_everything(to_do, snapshot, digest=False)
        await _tell_indexes(to_do, probed)
        async with both_sides(to_do) as (_, new):
            lacking = await without_room(new, left, probed)
        records = [r async for r in dry_records(snapshot, left, probed)]
        text = snapshot.text
    tables = {counts.plan.flow: counts for counts in moved_tables}
    by_flow: dict[tuple[str, str, object], list[RejectRecord]] = {}
    for record in records:
        by_flow.setdefault((record.table, record.new_table, record.flow), []).append(record)
    for plan in left.plan.tables:
        named = (str(plan.old), str(plan.new), plan.name or UNSET)
        for record in by_flow.get(named, [])[:FIRST_REJECTS]:
            on_event(_would_reject(plan.flow, record, show_values=options.show_values))
        counts = _would_be(plan, probed)
        on_event(counts.event)
        tables[plan.flow] = counts
    seconds = time.monotonic() - began
    refusals = (too_many(probed.rejected, probed.rows, options), lacking)
    problems = (*passed.problems, *filled, *(what.problem() for what in refusals if what is not None))
    frame = Frame(
        "dryrun", "", text, started, seconds, problems, probed.left_out, rows_now=now, differs=differs
    )
    return outcome(context, frame, [tables[plan.flow] for plan in job.plan.tables], [*past, *records])


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
