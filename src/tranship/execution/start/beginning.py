"""How a live run would begin: what becomes of an unfinished run, and which rows would leave NEW first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import asyncpg
from msgspec.structs import replace

from tranship.execution.context import Job, RunContext
from tranship.execution.rollback.refusals import refuse
from tranship.execution.rollback.written import Written
from tranship.execution.start.earlier_runs import Before, earlier
from tranship.execution.start.fresh import refuse_beside
from tranship.execution.start.preflight import Passed
from tranship.execution.start.resume import unedited
from tranship.model.names import TableName
from tranship.model.notes import RollingBack
from tranship.model.options import NewSnapshot
from tranship.server.journal import Run, TaskRow, earlier_format, find_journal
from tranship.sql.new.journal import FORMAT


class Beginning(NamedTuple):
    """How a live run would begin."""

    before: Before
    """The earlier runs, without those that it would roll back or forget first."""
    leaving: tuple[Written, ...] = ()
    """Rows of NEW that it would roll back first."""


async def beginning(context: RunContext, control: asyncpg.Connection, passed: Passed) -> Beginning:
    """Returns how a live run would begin, as the journal is now.

    Raises:
        Refused: it would not.
    """
    journal = await find_journal(control, context.config.journal_schema)
    if journal is None:
        return Beginning(Before(None, ()))
    before, away = await earlier(control, journal, passed.old), frozenset[str]()
    leaving: tuple[Written, ...] = ()
    run = before.unfinished
    if run is not None and (context.options.restart or context.options.new_snapshot == NewSnapshot.ALL):
        context.note(RollingBack(run.started, dry=True))
        leaving = await to_roll_back(context, control, run)
        away |= {run.id}
        before = await earlier(control, journal, passed.old, without=away)
    run = before.unfinished
    if run is not None and not await control.fetchval(journal.sql("anything_done"), run.id):
        away |= {run.id}
        before = await earlier(control, journal, passed.old, without=away)
    run = before.unfinished
    if run is None:
        await refuse_beside(context, passed.old, control, without=away)
    elif run.format < FORMAT:
        raise earlier_format(journal, run.id, run.tool_version)
    return Beginning(before, leaving)


async def to_roll_back(
    context: RunContext,
    control: asyncpg.Connection,
    run: Run,
    wanted: Callable[[TaskRow], bool] = lambda _: True,
) -> tuple[Written, ...]:
    """Returns what a rollback would delete before tables are copied again.

    Raises:
        Refused: it may not, or others changed rows that would come twice.
    """
    found = await unedited(context, control, run, wanted)
    await refuse(control, context.job.new, found)
    return found


def without(job: Job, leaving: Sequence[Written]) -> Job:
    """Returns the job in a NEW from which some rows are gone."""
    xids: dict[TableName, tuple[int, ...]] = {}
    for written in leaving:
        xids[written.task.flow.new] = (*xids.get(written.task.flow.new, ()), *written.xids)
    if not xids:
        return job
    tables = tuple(replace(table, leaving=xids.get(table.name, ())) for table in job.new.tables)
    return replace(job, new=replace(job.new, tables=tables))
