"""Counts values that a conversion changes, in the rows that arrive."""

from __future__ import annotations

import asyncpg

from tranship.execution.context import Job
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.remaining import count_remaining
from tranship.model.catalog import Table
from tranship.model.plan import TablePlan
from tranship.model.verdict import LossCount
from tranship.sql.old.local_times import ZONES_KNOWN, local_times
from tranship.sql.old.losses import losses, parents_lost

_NO_PARENT = "NULL because the parent is left out"


async def count_losses(
    job: Job, plan: TablePlan, old: asyncpg.Connection, book: Book, *, foreseen: bool
) -> list[LossCount]:
    """Returns the counts of one table.

    ``foreseen``: no row is in NEW yet, and none will be copied now. Then times are counted, too, that a zone
    skips or has twice: it takes a microsecond for each row, and a live run could not decide otherwise.
    """
    before = job.before(plan)
    losing = [
        (m.column, str(what), predicate) for m in plan.columns for what, predicate in losses(plan, m, before)
    ]
    losing += [(column, _NO_PARENT, predicate) for column, predicate in parents_lost(plan)]
    if foreseen:
        losing += await _local_times(plan, before, old)
    if not losing:
        return []
    predicates = [predicate for _, _, predicate in losing]
    counts = await count_remaining(old, plan, predicates, book)
    found = zip(losing, counts, strict=True)
    return [LossCount(column, what, count) for (column, what, _), count in found if count]


async def _local_times(plan: TablePlan, before: Table, old: asyncpg.Connection) -> list[tuple[str, str, str]]:
    found = [times for m in plan.columns if (times := local_times(plan, m, before)) is not None]
    if not found:
        return []
    records = await old.fetch(ZONES_KNOWN, list({times.zone.lower() for times in found}))
    known = {record["name"].lower() for record in records}
    return [
        (times.column, str(what), predicate)
        for times in found
        if times.zone.lower() in known
        for what, predicate in times.changes
    ]
