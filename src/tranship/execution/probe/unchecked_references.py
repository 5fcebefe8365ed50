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
from tranship.model.names import TableName
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
    for group in _groups(job):
        counts = [await _foreseen(snapshot, new, job, book, one) for one in group]
        found += _told(group, None if None in counts else sum(rows for rows in counts if rows is not None))
    return tuple(found)


async def _foreseen(
    snapshot: Snapshot, new: asyncpg.Connection, job: Job, book: Book, one: Unchecked
) -> int | None:
    """Returns the number of rows of a flow; None where OLD cannot compute both ends of the key."""
    if not any(not parent.shape.takes_all or book.absent(parent.flow) for parent in one.parents):
        return 0
    async with snapshot.reader(one.plan.zone) as old:
        parents = Parents(job, Derived(job, old, new, book, settled), book, settled, live=False)
        if not all(parents.set_based(one.plan, key) for key in one.keys):
            return None
        with question(f"rows of {one.plan.flow} without a parent"):
            rows = [set(await parents.orphans(one.plan, key)) for key in one.keys]
    return len(set.intersection(*rows))


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
    for group in _groups(job):
        if not any(lacking(parent) for one in group for parent in one.parents):
            continue
        every = {(key.target, key.target_columns): (one.plan, key) for one in group for key in one.keys}
        keys = [_as_compared(job, plan, key) for plan, key in every.values()]
        known = [key for key in keys if key is not None]
        rows = None
        if len(known) == len(keys):
            new_table = group[0].plan.new
            with question(f"rows of {new_table} without a parent"):
                rows = await new.fetchval(count_without_parent(new_table, known))
        found += _told(group, rows)
    return tuple(found)


def _groups(job: Job) -> list[list[Unchecked]]:
    """Returns the keys together whose columns of NEW are the same: NEW cannot tell of which flow a row is."""
    groups: dict[tuple[TableName, tuple[str, ...]], list[Unchecked]] = {}
    for one in unchecked(job.plan.tables, job.old, job.new):
        groups.setdefault((one.plan.new, one.keys[0].columns), []).append(one)
    return list(groups.values())


def _told(group: Sequence[Unchecked], rows: int | None) -> Sequence[Problem]:
    """``rows``: None where they cannot be counted."""
    if rows == 0:
        return ()
    shown = "an unknown number of rows" if rows is None else count_of(rows, "row")
    first = group[0]
    place = str(first.plan.flow if len(group) == 1 else first.plan.new)
    parents = dict.fromkeys(str(key.target) for one in group for key in one.keys)
    return (RowsWithoutParent(place, shown, ", ".join(parents), ", ".join(first.keys[0].columns)).problem(),)


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
