"""Counts many small heaps with few statements: a table or partition of which one batch holds all rows need
not be cut, and a conversation about each of thousands takes longer than their rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from msgspec import Struct

from tranship.model.plan import Source
from tranship.sql.old import cut as sql_cut

_MOST_ROWS_OF_A_PAGE = 292
"""A page of 8 kB holds no more (``MaxHeapTuplesPerPage``)."""
_MOST_PAGES = 128
"""Pages of a small heap."""
_MOST_BYTES = 16 * 1024 * 1024
"""Bytes of a small heap with its TOAST table."""
_AT_ONCE = 100
"""Heaps that one statement counts."""


class Few(Struct, frozen=True):
    """The rows of a small heap."""

    rows: int
    digest: str
    """As :func:`tranship.server.cut.versions` has it; empty where it is not wanted."""


class Small(Struct, frozen=True):
    """The small ones among some heaps, by their OIDs."""

    rows: dict[int, Few]
    digest: bool
    """Whether digests are wanted."""

    def of(self, source: Source) -> Few | None:
        """Returns the rows of a heap; None: it is not known to be small."""
        return self.rows.get(source.oid) if source.pageable and source.only is None else None


async def count_small(
    conn: asyncpg.Connection, sources: Sequence[Source], batch_rows: int, *, digest: bool
) -> Small:
    """Returns the rows of the small ones among several heaps: one batch takes all rows of each."""
    heaps = {source.oid: source for source in sources if source.pageable and source.only is None}
    found: dict[int, Few] = {}
    if len(heaps) > 1:
        most = min(_MOST_PAGES, batch_rows // _MOST_ROWS_OF_A_PAGE)
        small = [row["oid"] for row in await conn.fetch(sql_cut.SMALL, list(heaps), most, _MOST_BYTES)]
        for first in range(0, len(small), _AT_ONCE):
            some = [heaps[oid] for oid in small[first : first + _AT_ONCE]]
            for row in await conn.fetch(sql_cut.count_each(some, digest=digest)):
                found[row["oid"]] = Few(row["rows"], row["digest"] if digest else "")
    return Small(found, digest)
