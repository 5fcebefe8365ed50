"""Cuts a large heap into batches by its pages: a count of each range of pages says how many rows it has.

A snapshot sees every row version at one place, so a range of pages means the same rows at every read. To
number the rows and to hash each of them, as :mod:`tranship.server.cut` does for small tables, takes ten times
as long as to count them.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from msgspec import Struct

from tranship.model.locator import Address, Pages, Range, Whole
from tranship.model.plan import Source
from tranship.sql.old import cut as sql_cut

LARGE = 2048
"""Pages from which a heap is cut by them; 16 MB."""
_MOST_ROWS_OF_A_PAGE = 292
"""A page of 8 kB holds no more (``MaxHeapTuplesPerPage``)."""
_STEP = 32
"""Pages that are counted together."""
_AT_ONCE = 4096
"""Ranges that one statement counts."""
_RECENT = "recent"


class Counted(Struct, frozen=True):
    """The rows of a heap by ranges of pages, and what proves later that nobody wrote to it."""

    step: int
    """Pages of a range."""
    rows: tuple[int, ...]
    """Per range; the last one is open."""
    digest: str


async def count_pages(
    conn: asyncpg.Connection, source: Source, batch_rows: int, *, digest: bool
) -> Counted | None:
    """Returns the rows by ranges of pages; None: the heap is small, or a page may hold more than a batch."""
    step = min(_STEP, batch_rows // (2 * _MOST_ROWS_OF_A_PAGE))
    if not source.pageable or source.only is not None or step == 0:
        return None
    pages = await conn.fetchval(sql_cut.PAGES, source.oid)
    if pages < LARGE:
        return None
    oldest = await conn.fetchval(sql_cut.OLDEST) if digest else None
    statement, last = sql_cut.count_pages(source, step, oldest), (pages - 1) // step
    rows, recent = list[int](), 0
    for first in range(0, last + 1, _AT_ONCE):
        found = await conn.fetch(statement, first, min(first + _AT_ONCE - 1, last), last)
        rows += [row["rows"] for row in found]
        recent += sum(int(row["recent"]) for row in found)
    heap = await conn.fetchval(sql_cut.heap_file(source)) if digest else ""
    return Counted(step, tuple(rows), f"{_RECENT}:{recent}:{heap}" if digest else "")


def is_recent(digest: str) -> bool:
    """Returns whether a digest is that of the recent versions of a heap, not of all of them."""
    return digest.startswith(f"{_RECENT}:")


async def recent_versions(conn: asyncpg.Connection, source: Source, oldest: int) -> tuple[int, str]:
    """Returns the rows of a heap, and the digest that :func:`count_pages` had in a snapshot whose oldest open
    transaction is given, unless somebody has written to the heap since.

    Whatever is written later has a later transaction: it changes the hash of the recent versions, or the
    number of rows, or the file of the heap.
    """
    row = await conn.fetchrow(sql_cut.recent_versions(source, oldest))
    return row["rows"], f"{_RECENT}:{row['recent']}:{row['heap']}"


def ranges(source: int, counted: Counted, most: int) -> list[tuple[Range, int]]:
    """Returns half-open ranges of at most ``most`` rows, each with its rows. First and last are open."""
    firsts, rows = _joined(counted.rows, most)
    if len(firsts) == 1:
        return [(Whole(source), rows[0])] if rows[0] else []
    starts: list[Address | None] = [None, *((first * counted.step, 0) for first in firsts[1:])]
    ends = [*starts[1:], None]
    return [(Pages(source, start, end), held) for start, end, held in zip(starts, ends, rows, strict=True)]


def _joined(rows: Sequence[int], most: int) -> tuple[list[int], list[int]]:
    """Returns where each batch begins among the counted ranges, and its rows."""
    firsts, joined = [0], [0]
    for number, held in enumerate(rows):
        if joined[-1] and held and joined[-1] + held > most:
            firsts.append(number)
            joined.append(0)
        joined[-1] += held
    return firsts, joined
