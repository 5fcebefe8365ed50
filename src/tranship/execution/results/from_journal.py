"""Reads results and reject records: of a live run from the journal, of a dry run from the snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import asyncpg

from tranship.execution.active_run import ActiveRun
from tranship.execution.context import Job, RunContext
from tranship.execution.probe.everything import ProbeResult
from tranship.execution.probe.records import fetch_records
from tranship.execution.results.outcome import (
    Frame,
    MigrationOutcome,
    TableCounts,
    outcome,
    reasons,
    reject_record,
)
from tranship.model.flow import FlowId
from tranship.model.plan import TablePlan
from tranship.model.verdict import RejectRecord
from tranship.server.cut import old_rows
from tranship.server.journal import BatchRow, Journal, RejectRow, Run, TaskRow
from tranship.server.snapshot import Snapshot


async def dry_records(snapshot: Snapshot, job: Job, probed: ProbeResult) -> AsyncIterator[RejectRecord]:
    """Yields the rows that would be rejected, in plan order."""
    for plan in job.plan.tables:
        rejected = probed.book.rejected(plan.flow)
        if rejected:
            async with snapshot.reader() as old:
                async for record in fetch_records(old, job, plan, rejected):
                    yield record


async def live_result(
    context: RunContext,
    control: asyncpg.Connection,
    frame: Frame,
    done: Mapping[FlowId, tuple[Run, TaskRow]],
    live: ActiveRun | None,
) -> MigrationOutcome:
    """Returns the result of a finished run together with the tables that earlier runs moved.

    ``context`` is that of the whole job, tables that are done already included.
    """
    job = context.job
    where = {
        plan.flow: (run.id, row.position)
        for plan in job.plan.tables
        if plan.flow in done
        for run, row in [done[plan.flow]]
    }
    if live is not None:
        where |= {t.plan.flow: (live.run, t.position) for t in live.tasks}
    tables, records = await _journalled(control, context.journal, job.plan.tables, where, done)
    return outcome(context, frame, tables, records)


async def moved_before(
    control: asyncpg.Connection,
    journal: Journal,
    plans: Sequence[TablePlan],
    done: Mapping[FlowId, tuple[Run, TaskRow]],
) -> tuple[list[TableCounts], list[RejectRecord]]:
    """Returns the counts and rejects of those tables that earlier runs moved."""
    mine = [plan for plan in plans if plan.flow in done]
    where = {plan.flow: (run.id, row.position) for plan in mine for run, row in [done[plan.flow]]}
    return await _journalled(control, journal, mine, where, done)


async def _journalled(
    control: asyncpg.Connection,
    journal: Journal,
    plans: Sequence[TablePlan],
    where: Mapping[FlowId, tuple[str, int]],
    done: Mapping[FlowId, tuple[Run, TaskRow]],
) -> tuple[list[TableCounts], list[RejectRecord]]:
    """Returns counts and rejects of tables from the journal. ``where``: run and position of each table."""
    batches: dict[tuple[str, int], list[BatchRow]] = {}
    rejected: dict[tuple[str, int], list[RejectRow]] = {}
    tasks: dict[tuple[str, int], TaskRow] = {}
    for run in sorted({run for run, _ in where.values()}):
        rows = await journal.tasks(control, run)
        tasks |= {(run, t.position): t for t in rows}
        for batch in await journal.batches(control, rows, run):
            batches.setdefault((run, batch.position), []).append(batch)
        for reject in await journal.rejects(control, run):
            rejected.setdefault((run, reject.position), []).append(reject)
    tables: list[TableCounts] = []
    records: list[RejectRecord] = []
    for plan in plans:
        place = where[plan.flow]
        mine = rejected.get(place, [])
        tables.append(_counts(plan, tasks[place], batches.get(place, []), mine, already=plan.flow in done))
        records += [reject_record(plan, r.reject, r.key, r.row) for r in mine]
    return tables, records


def _counts(
    plan: TablePlan,
    task: TaskRow,
    batches: Sequence[BatchRow],
    rejected: Sequence[RejectRow],
    *,
    already: bool,
) -> TableCounts:
    return TableCounts(
        plan,
        sum(b.read for b in batches),
        sum(b.written for b in batches),
        sum(b.rejected for b in batches),
        sum(b.bytes for b in batches),
        task.format,
        reasons(r.reject for r in rejected),
        task.findings.losses,
        task.findings.not_asked,
        already,
        old=None if plan.shape.one_row_each else old_rows(b.batch.old for b in batches),
        kept=sum(b.kept for b in batches),
        updated=sum(b.updated for b in batches),
        merged=sum(b.merged for b in batches),
        proof=task.proof,
    )
