"""The rows of a flow that are not rejected, in parts: a statement has room for some rejected rows only."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import asyncpg

from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.reject_store import RowSet
from tranship.model.locator import Locator, Pages, Range, Whole
from tranship.model.plan import TablePlan
from tranship.sql.old.rows import Remainder, count_where

MOST_GONE = 100_000
"""Rows that one statement leaves out."""


def remaining(plan: TablePlan, gone: RowSet) -> Iterator[list[Remainder]]:
    """Yields the rows of a flow without some, in parts for one statement each. Expressions may raise for
    rejected rows, so that these have to be left out.
    """
    together: list[Remainder] = []
    room = MOST_GONE
    for part in _parts(plan, gone):
        if together and len(part.gone) > room:
            yield together
            together, room = [], MOST_GONE
        together.append(part)
        room -= len(part.gone)
    if together:
        yield together


def _parts(plan: TablePlan, gone: RowSet) -> Iterator[Remainder]:
    by_source = itertools.groupby(gone, key=lambda row: row.source)
    source, mine = next(by_source, (len(plan.sources), iter(())))
    for number in range(len(plan.sources)):
        if number < source:
            yield Remainder(Whole(number), ())
            continue
        yield from _parts_of(number, mine, whole=plan.shape.query is not None)
        source, mine = next(by_source, (len(plan.sources), iter(())))


def _parts_of(source: int, gone: Iterator[Locator], *, whole: bool) -> Iterator[Remainder]:
    """Yields one source in ranges that end between two of the rows which it loses."""
    some: list[Locator] = []
    range_: Range = Whole(source)
    for row in gone:
        # The items of one old row lie in one range.
        if not whole and len(some) >= MOST_GONE and row.address != some[-1].address:
            yield Remainder(Pages(source, range_.start, row.address), some)
            some, range_ = [], Pages(source, row.address, None)
        some.append(row)
    yield Remainder(range_, some)


async def count_remaining(
    old: asyncpg.Connection, plan: TablePlan, predicates: Sequence[str], book: Book
) -> list[int]:
    """Returns how many rows of a flow that change NEW meet each predicate."""
    counts = [0] * len(predicates)
    for parts in remaining(plan, book.not_written(plan.flow)):
        found = await old.fetchrow(count_where(plan, predicates, parts))
        counts = [count + more for count, more in zip(counts, found, strict=True)]
    return counts
