"""Cuts a large heap into batches by its pages: a count of each range of pages says how many rows it has.

A snapshot sees every row version at one place, so a range of pages means the same rows at every read. To
number the rows and to hash each of them, as :mod:`tranship.server.cut` does for small tables, takes ten times
as long as to count them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from itertools import chain
from typing import NamedTuple

import asyncpg
from msgspec import Struct

from tranship.model.flow import FlowId
from tranship.model.locator import Address, Pages, Range, Whole
from tranship.model.plan import Source, TablePlan
from tranship.model.progress import OldRows
from tranship.sql.old import cut as sql_cut
from tranship.sql.old import page_counts

LARGE = 2048
"""Pages from which a heap is cut by them; 16 MB."""
_MOST_ROWS_OF_A_PAGE = 292
"""A page of 8 kB holds no more (``MaxHeapTuplesPerPage``)."""
STEP = 32
"""Pages that are counted together. What a run has not counted begins at a multiple of it, also when another
version of this program resumes the run.
"""
AT_ONCE = 1024
"""Ranges that one statement counts: 256 MB, a tenth of a second where the pages are in memory."""
RECENT = "recent"
_READS = re.compile(r"\b(?:select|table)\b", re.IGNORECASE)
"""What may read other tables, or be computed once for each statement that asks."""


AskEach = Callable[[str, Sequence[tuple[object, ...]]], Awaitable[list[list[asyncpg.Record]]]]
"""Asks a statement with each of some arguments; returns the rows for each, in their order."""


class Counting(NamedTuple):
    """How the pages of large heaps are counted."""

    ask: AskEach | None = None
    """Counts ranges of pages in the snapshot; None: the connection that cuts does, one after the other."""
    later: AbstractSet[FlowId] = frozenset()
    """Flows of which the beginning of each large heap is counted alone."""


ALONE = Counting()
"""One connection counts all of each heap."""


def one_by_one(conn: asyncpg.Connection) -> AskEach:
    """Returns what asks on one connection."""

    async def ask(statement: str, arguments: Sequence[tuple[object, ...]]) -> list[list[asyncpg.Record]]:
        return [await conn.fetch(statement, *given) for given in arguments]

    return ask


class Counted(Struct, frozen=True):
    """The rows of a heap by ranges of pages, and what proves later that nobody wrote to it."""

    step: int
    """Pages of a range."""
    rows: tuple[int, ...]
    """Per range; the last one is open."""
    digest: str
    old: tuple[OldRows, ...] = ()
    """The old rows behind them, per range; empty: they are the same rows."""


async def count_pages(
    conn: asyncpg.Connection, ask: AskEach, source: Source, batch_rows: int, *, digest: bool
) -> Counted | None:
    """Returns the rows by ranges of pages; None: the heap is small, or a page may hold more than a batch.

    ``ask`` counts the ranges, in the snapshot of ``conn``.
    """
    counting = partial(page_counts.count_pages, source)
    found = await _counted(conn, ask, (source, batch_rows), counting, digest=digest)
    if found is None:
        return None
    step, counts, proof = found
    return Counted(step, tuple(row["rows"] for row in counts), proof)


async def count_made(
    conn: asyncpg.Connection,
    ask: AskEach,
    plan: TablePlan,
    number: int,
    batch_rows: int,
    *,
    digest: bool,
) -> Counted | None:
    """Returns the same of the rows that a flow makes of a source's old rows.

    None, too, where a range cannot be counted by itself at the cost of its own rows: an expression may read
    other tables, and parents are looked for in theirs.
    """
    shape, source = plan.shape, plan.sources[number]
    texts = (
        shape.filter.where if shape.filter is not None else "",
        *((shape.items.source, shape.items.where) if shape.items is not None else ()),
    )
    if plan.repointing is not None or shape.left_with or any(map(_READS.search, texts)):
        return None
    counting = partial(page_counts.count_made_by_pages, plan, number)
    found = await _counted(conn, ask, (source, batch_rows), counting, digest=digest)
    if found is None:
        return None
    step, counts, proof = found
    old = tuple(OldRows(int(r["old_rows"]), int(r["left_out"]), int(r["no_items"])) for r in counts)
    return Counted(step, tuple(int(row["rows"]) for row in counts), proof, old)


async def _counted(
    conn: asyncpg.Connection,
    ask: AskEach,
    cut: tuple[Source, int],
    counting: Callable[[int, int | None], str],
    *,
    digest: bool,
) -> tuple[int, list[asyncpg.Record], str] | None:
    """Returns the pages of a range, the counts of each, and the digest; ``cut``: a source, and the rows of a
    batch.
    """
    source, batch_rows = cut
    step = min(STEP, batch_rows // (2 * _MOST_ROWS_OF_A_PAGE))
    if not source.pageable or source.only is not None or step == 0:
        return None
    pages = await conn.fetchval(sql_cut.PAGES, source.oid)
    if pages < LARGE:
        return None
    oldest = await conn.fetchval(sql_cut.OLDEST) if digest else None
    statement, last = counting(step, oldest), (pages - 1) // step
    some = [(first, min(first + AT_ONCE - 1, last), last) for first in range(0, last + 1, AT_ONCE)]
    found = list(chain.from_iterable(await ask(statement, some)))
    if not digest:
        return step, found, ""
    recent = sum(int(row["recent"]) for row in found)
    heap = await conn.fetchval(sql_cut.heap_file(source))
    return step, found, f"{RECENT}:{recent}:{heap}"


def is_recent(digest: str) -> bool:
    """Returns whether a digest is that of the recent versions of a heap, not of all of them."""
    return digest.startswith(f"{RECENT}:")


async def recent_versions(conn: asyncpg.Connection, source: Source, oldest: int) -> tuple[int, str]:
    """Returns the rows of a heap, and the digest that :func:`count_pages` had in a snapshot whose oldest open
    transaction is given, unless somebody has written to the heap since.

    Whatever is written later has a later transaction: it changes the hash of the recent versions, or the
    number of rows, or the file of the heap.
    """
    row = await conn.fetchrow(sql_cut.recent_versions(source, oldest))
    return row["rows"], f"{RECENT}:{row['recent']}:{row['heap']}"


class Part(Struct, frozen=True):
    """A range of a source, with what is in it."""

    range: Range
    rows: int
    old: OldRows | None = None


def ranges(source: int, counted: Counted, most: int) -> list[Part]:
    """Returns half-open ranges of at most ``most`` rows. First and last are open."""
    firsts, rows = joined(counted.rows, most)
    behind: list[OldRows | None] = [None] * len(firsts)
    if counted.old:
        slices = zip(firsts, [*firsts[1:], None], strict=True)
        behind = [sum(counted.old[first:end], OldRows(0)) for first, end in slices]
    if len(firsts) == 1:
        there = rows[0] or (behind[0] is not None and behind[0].read)
        return [Part(Whole(source), rows[0], behind[0])] if there else []
    starts: list[Address | None] = [None, *((first * counted.step, 0) for first in firsts[1:])]
    bounds = zip(starts, [*starts[1:], None], strict=True)
    found = (Pages(source, start, end) for start, end in bounds)
    return [Part(*one) for one in zip(found, rows, behind, strict=True)]


def joined(rows: Sequence[int], most: int) -> tuple[list[int], list[int]]:
    """Returns where each batch begins among the counted ranges, and its rows."""
    firsts, joined = [0], [0]
    for number, held in enumerate(rows):
        if joined[-1] and held and joined[-1] + held > most:
            firsts.append(number)
            joined.append(0)
        joined[-1] += held
    return firsts, joined
