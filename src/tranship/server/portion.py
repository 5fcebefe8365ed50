"""Cuts a heap into batches portion by portion, so that the first are copied before the last are counted."""

from __future__ import annotations

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.model.locator import Address, Pages, Range, Whole
from tranship.model.plan import Source, TablePlan
from tranship.model.progress import Batch
from tranship.server import pages
from tranship.server.batch_bounds import most_rows
from tranship.server.pages import Part
from tranship.sql.old import cut as sql_cut
from tranship.sql.old import page_counts


class Portion(Struct, frozen=True):
    """Consecutive ranges of the pages of a heap, counted."""

    first: int
    """The page at which they begin."""
    rows: tuple[int, ...]
    """Per range; the last one is open where ``end`` is None."""
    end: int | None
    """The page behind them. None: the heap has no more."""
    pages: int
    """Of the whole heap."""
    recent: int
    heap: str
    """The file of the heap."""

    @property
    def digest(self) -> str:
        """The digest of the whole heap, if this is all of it."""
        return f"{pages.RECENT}:{self.recent}:{self.heap}"

    def digest_after(self, before: str) -> str:
        """Returns the digest of these ranges and those before them, whose digest is given."""
        _, recent, _ = before.split(":")
        return f"{pages.RECENT}:{int(recent) + self.recent}:{self.heap}"


FIRST_RANGES = 64
"""Ranges (16 MB) of a heap that are counted before the first row, where the others are counted later: then as
many as were counted before, so that the copy of those does not wait for too long.
"""


async def count_portion(conn: asyncpg.Connection, source: Source, first: int, ranges: int) -> Portion:
    """Returns the rows of so many ranges of pages, from the page ``first`` on."""
    size, oldest = await conn.fetchval(sql_cut.PAGES, source.oid), await conn.fetchval(sql_cut.OLDEST)
    begin = first // pages.STEP
    # A heap that was shortened since the run began holds nothing there.
    last = max((size - 1) // pages.STEP, begin)
    until = min(begin + ranges - 1, last)
    found = await conn.fetch(page_counts.count_pages(source, pages.STEP, oldest), begin, until, last)
    heap = await conn.fetchval(sql_cut.heap_file(source))
    return Portion(
        begin * pages.STEP,
        tuple(row["rows"] for row in found),
        (until + 1) * pages.STEP if until < last else None,
        size,
        sum(int(row["recent"]) for row in found),
        heap,
    )


def _ranges(source: int, portion: Portion, most: int) -> list[Part]:
    """Returns the ranges of a portion that hold rows, of about ``most`` rows each."""
    firsts, rows = pages.joined(portion.rows, most)
    starts: list[Address] = [(portion.first + first * pages.STEP, 0) for first in firsts]
    end = (portion.end, 0) if portion.end is not None else None
    found = zip(starts, [*starts[1:], end], rows, strict=True)
    return [Part(_range(source, start, end), held) for start, end, held in found if held]


def _range(source: int, start: Address, end: Address | None) -> Range:
    """Returns the range of the rows from a place on, as the journal reads it back."""
    if start == (0, 0) and end is None:
        return Whole(source)
    return Pages(source, start if start != (0, 0) else None, end)


async def beginning(
    conn: asyncpg.Connection, plan: TablePlan, number: int, batch_rows: int
) -> tuple[list[Part], str, list[Part]]:
    """Returns the first ranges of a source with the digest of their rows, and what is left of it."""
    source = plan.sources[number]
    portion = await count_portion(conn, source, 0, FIRST_RANGES)
    parts = await _of_portion(conn, plan, number, portion, batch_rows)
    if portion.end is None:
        return parts, portion.digest, []
    dense = await conn.fetchval(sql_cut.ROWS_OF_PAGE, source.oid)
    # All rows of these pages may have been deleted, where the server's statistics know of the others.
    left = int(portion.pages * dense) - sum(portion.rows) if dense is not None else 0
    return parts, portion.digest, [Part(Pages(number, (portion.end, 0), None), _behind(portion, left))]


def _behind(portion: Portion, estimate: int) -> int:
    """Returns an estimate of the rows behind a portion: the one that is given, or as many to a page as the
    portion has where nothing of it is left.
    """
    if portion.end is None or estimate > 0:
        return max(estimate, 0)
    return (portion.pages - portion.end) * sum(portion.rows) // (portion.end - portion.first)


async def _of_portion(
    conn: asyncpg.Connection, plan: TablePlan, number: int, portion: Portion, batch_rows: int
) -> list[Part]:
    """Returns the ranges of a portion of a source."""
    size = await conn.fetchval(sql_cut.bytes_of(plan.sources[number]))
    behind = portion.end if portion.end is not None else portion.pages
    share = size * max(behind - portion.first, 0) // max(portion.pages, 1)
    return _ranges(number, portion, most_rows(batch_rows, sum(portion.rows), share))


class Advance(Struct, frozen=True):
    """What was counted of a range that was not counted before."""

    parts: tuple[Part, ...]
    """Its first ranges, with their rows."""
    left: Batch | None
    """What is not counted yet, under the number of the range; None: nothing."""
    digest: str
    """Of all sources, as far as they are counted."""


async def advance(
    conn: asyncpg.Connection, plan: TablePlan, uncounted: Batch, digest: str, at_most: tuple[int, int]
) -> Advance:
    """Counts the next pages of a range that is not counted.

    Args:
        digest: of what is counted.
        at_most: rows of a batch, and ranges of pages that are counted.
    """
    batch_rows, most = at_most
    number = uncounted.source
    first = uncounted.range.start[0] if uncounted.range.start else 0
    ranges = min(max(int(first) // pages.STEP, FIRST_RANGES), most)
    portion = await count_portion(conn, plan.sources[number], int(first), ranges)
    parts = await _of_portion(conn, plan, number, portion, batch_rows)
    digests = digest.split(" ")
    digests[number] = portion.digest_after(digests[number])
    left = None
    if portion.end is not None:
        rest = _behind(portion, uncounted.rows - sum(portion.rows))
        left = replace(uncounted, range=Pages(number, (portion.end, 0), None), rows=rest)
    return Advance(tuple(parts), left, " ".join(digests))
