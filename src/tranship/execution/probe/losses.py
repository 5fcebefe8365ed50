"""Counts values that a conversion changes, in the rows that arrive."""

from __future__ import annotations

import asyncpg

from tranship.execution.context import Job
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.remaining import count_remaining
from tranship.model.plan import TablePlan
from tranship.model.verdict import LossCount
from tranship.sql.old.losses import losses, parents_lost

_NO_PARENT = "NULL because the parent is left out"


async def count_losses(job: Job, plan: TablePlan, old: asyncpg.Connection, book: Book) -> None:
    """Enters the counts of one table into the book."""
    before = job.before(plan)
    losing = [
        (m.column, str(what), predicate) for m in plan.columns for what, predicate in losses(plan, m, before)
    ]
    losing += [(column, _NO_PARENT, predicate) for column, predicate in parents_lost(plan)]
    if not losing:
        return
    predicates = [predicate for _, _, predicate in losing]
    counts = await count_remaining(old, plan, predicates, book)
    book.lost(
        plan.flow,
        [
            LossCount(column, what, count)
            for (column, what, _), count in zip(losing, counts, strict=True)
            if count
        ],
    )
