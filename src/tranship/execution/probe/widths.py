"""Values that may be too long for a B-tree of NEW.

How far an index compresses a value only NEW can tell, so such rows are reported and not rejected.
"""

from __future__ import annotations

import asyncpg

from tranship.execution.context import Job
from tranship.execution.probe.reject_book import Book
from tranship.model.catalog import Index, Table
from tranship.model.plan import TablePlan
from tranship.sql.canonical import taken_on_old
from tranship.sql.old.rows import count_where
from tranship.sql.old.safe_values import too_wide

_BOUNDLESS = frozenset({"text", "character varying", "bytea", "jsonb", "numeric"})


async def note_wide_keys(job: Job, plan: TablePlan, old: asyncpg.Connection, book: Book) -> None:
    """Notes each index of NEW for which some of the remaining rows may be too wide."""
    before, after = job.before(plan), job.after(plan)
    wide = [
        (index.name, too_wide(values))
        for index in after.indexes
        if (values := _values(index, plan, before, after))
    ]
    if not wide:
        return
    counts = await old.fetchrow(
        count_where(plan, [predicate for _, predicate in wide], sorted(book.not_written(plan.flow)))
    )
    for (name, _), count in zip(wide, counts, strict=True):
        if count:
            refused = "NEW refuses what does not fit its page (54000)"
            book.note(plan.flow, f"index {name}: {count} rows hold long values for it; {refused}")


def _values(index: Index, plan: TablePlan, before: Table, after: Table) -> list[str]:
    """Returns what OLD knows of an index's unbounded keys.

    Nothing is returned when no value can be too long, or when OLD has the same index.
    """
    if (
        index.method != "btree"
        or not index.valid
        or any((i.method, i.keys) == (index.method, index.keys) and i.valid for i in before.indexes)
    ):
        return []
    found = []
    for column in index.columns:
        declared = after.column(column) if column is not None else None
        if column is not None and declared is not None and declared.type.leaf.base in _BOUNDLESS:
            taken = taken_on_old(plan, column, before)
            found += [taken.value] if taken is not None else []
    return found
