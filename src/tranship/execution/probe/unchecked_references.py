"""Rows that arrive without their parent, because NEW lacks a foreign key that OLD has.

They are kept, and their number is told: of a dry run by OLD, of a live run by NEW.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import asyncpg

from tranship.errors.codes.stale_references import RowsWithoutParent
from tranship.execution.context import Job
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.lookups import settled
from tranship.execution.probe.parents import Parents
from tranship.execution.probe.reject_book import Book
from tranship.execution.time_spent import question
from tranship.model.catalog import Column, ForeignKey
from tranship.model.count import count_of
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.planning.names.families import family
from tranship.planning.plan.unchecked import Unchecked, unchecked
from tranship.server.snapshot import Snapshot
from tranship.sql.new.orphans import count_without_parent


async def foreseen_without_parent(
    snapshot: Snapshot, new: asyncpg.Connection, job: Job, book: Book
) -> tuple[Problem, ...]:
    """Returns a warning for each such key under which rows would arrive whose parents would not."""
    found: list[Problem] = []
    for one in unchecked(job.plan.tables, job.old, job.new):
        lost = any(not parent.shape.takes_all or book.absent(parent.flow) for parent in one.parents)
        if not lost:
            continue
        async with snapshot.reader(one.plan.zone) as old:
            parents = Parents(job, Derived(job, old, new, book, settled), book, settled, live=False)
            with question(f"rows of {one.plan.flow} without a parent"):
                rows = [
                    set(await parents.orphans(one.plan, key))
                    for key in one.keys
                    if parents.set_based(one.plan, key)
                ]
        found += _told(one, len(set.intersection(*rows)) if len(rows) == len(one.keys) else None)
    return tuple(found)


async def arrived_without_parent(
    new: asyncpg.Connection, job: Job, lacking: Callable[[TablePlan], bool]
) -> tuple[Problem, ...]:
    """Returns a warning for each such key under which NEW holds rows without a parent. Only NEW is asked.

    Args:
        new: which holds the rows of the run.
        job: that of the whole run, with what earlier runs moved.
        lacking: whether rows of OLD did not arrive by a flow.
    """
    found: list[Problem] = []
    for one in unchecked(job.plan.tables, job.old, job.new):
        if not any(lacking(parent) for parent in one.parents):
            continue
        keys = [_as_compared(job, one.plan, key) for key in one.keys]
        known = [key for key in keys if key is not None]
        rows = None
        if len(known) == len(keys):
            with question(f"rows of {one.plan.flow} without a parent"):
                rows = await new.fetchval(count_without_parent(one.plan.new, known))
        found += _told(one, rows)
    return tuple(found)


def _told(one: Unchecked, rows: int | None) -> Sequence[Problem]:
    """``rows``: None where they cannot be counted."""
    if rows == 0:
        return ()
    shown = "an unknown number of rows" if rows is None else count_of(rows, "row")
    parents = ", ".join(str(key.target) for key in one.keys)
    return (RowsWithoutParent(one.plan.flow, shown, parents, ", ".join(one.keys[0].columns)).problem(),)


def _as_compared(job: Job, plan: TablePlan, key: ForeignKey) -> ForeignKey | None:
    """Returns a key with what compares its columns; None where NEW has no equality for them."""
    child, parent = job.after(plan), job.new.table(key.target)
    operators = []
    for name, target in zip(key.columns, key.target_columns, strict=True):
        left, right = child.column(name), parent.column(target) if parent is not None else None
        operator = _equality(left, right) if left is not None and right is not None else None
        if operator is None:
            return None
        operators.append(operator)
    return ForeignKey(key.name, key.columns, key.target, key.target_columns, operators=tuple(operators))


def _equality(left: Column, right: Column) -> str | None:
    if left.type.leaf.base == right.type.leaf.base and left.collation == right.collation:
        return left.type.leaf.equality
    same = family(left.type) == family(right.type) == "integer"
    return "OPERATOR(pg_catalog.=)" if same else None
