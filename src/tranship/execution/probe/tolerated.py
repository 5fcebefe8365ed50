"""Counts the rows that break a CHECK of NEW and are kept by decision, as OLD keeps them.

NEW's CHECK is that of OLD over the same values (`planning/plan/tolerated.py`), so OLD is asked.
"""

from __future__ import annotations

import asyncpg

from tranship.execution.context import Job
from tranship.execution.probe.reject_book import Book
from tranship.model.plan import TablePlan
from tranship.sql.old.tolerated import failing
from tranship.sql.row_id import locate


async def find_tolerated(job: Job, plan: TablePlan, old: asyncpg.Connection, book: Book) -> None:
    """Enters the rows of a flow that break the CHECKs whose offenders are kept into the book."""
    for check in job.after(plan).checks:
        if check.name in plan.tolerating:
            rows = await old.fetch(failing(plan, check.expression))
            book.tolerate(plan.flow, check.name, [locate(row["source"], row["id"]) for row in rows])
