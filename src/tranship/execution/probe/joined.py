"""Adjoining batches that are read as one: a statement costs more than the few rows that it asks about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from tranship.model.locator import Pages
from tranship.model.progress import Batch

_ROWS = 1_000_000
"""Most rows of batches that are read as one: a statement is answered within seconds."""
_BATCHES = 20
"""Most of them: a batch of large rows has few, and up to 64 MB."""


def joined(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yields batches of one flow, in order, as fewer larger ones over the same rows."""
    some: list[Batch] = []
    for batch in batches:
        if some and not _adjoins(some, batch):
            yield _one(some)
            some = []
        some.append(batch)
    if some:
        yield _one(some)


def _adjoins(some: Sequence[Batch], batch: Batch) -> bool:
    last, next_ = some[-1].range, batch.range
    if not (isinstance(last, Pages) and isinstance(next_, Pages)) or last.end is None:
        return False
    # -1 rows: nobody has counted them.
    known = batch.rows >= 0 and all(one.rows >= 0 for one in some)
    few = len(some) < _BATCHES and sum(one.rows for one in some) + batch.rows <= _ROWS
    return known and few and (last.source, last.end) == (next_.source, next_.start)


def _one(some: Sequence[Batch]) -> Batch:
    first, last = some[0], some[-1]
    if len(some) == 1:
        return first
    whole = Pages(first.source, first.range.start, last.range.end)
    return replace(first, range=whole, rows=sum(one.rows for one in some), old=None)
