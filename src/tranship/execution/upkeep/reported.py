"""What ``tranship report`` shows of a run, from its journal."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import asyncpg

from tranship.config import Config
from tranship.execution.resilience.connection import control
from tranship.execution.results.causes import CauseCounter
from tranship.execution.results.on_record import unknown_run
from tranship.execution.results.still_rejected import rejected_elsewhere
from tranship.execution.upkeep.status import RunState, state_of
from tranship.model.reported_run import ReportedRun, ReportedTable
from tranship.server.cut import old_rows
from tranship.server.journal import BatchRow, DecidedBy, Journal, Run, TaskRow, find_journal

_COUNTS = ("written", "rejected", "already_there", "kept", "updated", "merged")


async def reported(config: Config, run: str | None) -> ReportedRun:
    """Returns a run, the latest where none is named. Changes nothing.

    Raises:
        UsageError: the journal knows no such run.
    """
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        runs = await journal.runs(new, None) if journal is not None else ()
        wanted = [one for one in runs if run in (None, one.id)]
        if journal is None or not wanted:
            raise await unknown_run(new, journal, config, run)
        return await _reported(new, journal, config, wanted[-1])


async def _reported(new: asyncpg.Connection, journal: Journal, config: Config, run: Run) -> ReportedRun:
    tasks = await journal.tasks(new, run.id)
    batches = await journal.batches(new, tasks, run.id)
    state = await state_of(new, journal, run)
    decided = run.decided_by or DecidedBy("", "")
    plan = await journal.plan(new, run)
    tables = []
    for task in tasks:
        counter = CauseCounter()
        async for row in journal.rejects_of(new, run.id, task.position):
            counter.add(row.reject)
        mine = [batch for batch in batches if batch.position == task.position]
        tables.append(_table(task, mine, counter))
    return ReportedRun(
        id=run.id,
        word=_word(state),
        old=config.old.display,
        new=config.new.display,
        tool_version=run.tool_version,
        started=run.started,
        finished=run.finished,
        os_user=decided.os_user,
        role=decided.role,
        resolutions=decided.resolutions,
        resolutions_sha256=decided.resolutions_sha256,
        snapshot=run.snapshot,
        mixed=run.mixed,
        plan_hash=run.plan_hash,
        again=decided.again,
        left_out=dict(run.left_out),
        switched_off=tuple(undo.what for undo in state.switched_off),
        rejects_of=state.rejects_of,
        rejected_elsewhere=await rejected_elsewhere(
            new, journal, run.old_identity, {task.flow for task in tasks}
        ),
        tables=tuple(tables),
        warnings=plan.warnings if plan is not None else (),
    )


def _word(state: RunState) -> str:
    if state.running:
        return "running"
    return "interrupted" if state.run.state == "running" else str(state.run.state)


def _table(task: TaskRow, batches: Sequence[BatchRow], causes: CauseCounter) -> ReportedTable:
    done = [batch for batch in batches if batch.done]
    same = task.flow.old == task.flow.new
    plain = str(task.flow.old) if same else f"{task.flow.old} -> {task.flow.new}"
    began, ended = _span(done)
    old = None if task.old_rows is None else old_rows(batch.batch.old for batch in done)
    return ReportedTable(
        label=task.flow.name or plain,
        new_table=str(task.flow.new),
        rows=task.rows,
        read=sum(batch.read for batch in done),
        counts=tuple((word, sum(int(getattr(batch, word)) for batch in done)) for word in _COUNTS),
        left_out=old.left_out if old is not None else 0,
        batches=len(batches),
        batches_done=len(done),
        done=task.done,
        began=began,
        ended=ended,
        causes=causes.causes(),
        losses=task.findings.losses,
        proof=task.proof,
        not_asked=task.unsettled,
        not_alone=task.findings.not_alone,
    )


def _span(done: Sequence[BatchRow]) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """Returns when the first of the batches began, and when the last was committed."""
    known = [
        (batch.committed, datetime.timedelta(seconds=batch.seconds)) for batch in done if batch.committed
    ]
    begins = [committed - took for committed, took in known]
    return min(begins, default=None), max((committed for committed, _ in known), default=None)
