"""How many rows of OLD to fetch together, so that a few large values among many small ones need no memory.

A table whose values fit into a chunk all together needs no care, and the width of the rows before tells how
many to fetch next. Otherwise OLD says first how many bytes each row has: for a text it looks at no more than
the value's length (``octet_length``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import asyncpg

from tranship.model.catalog import Table
from tranship.server.deadline import answered

T = TypeVar("T")
BYTES = 16_000_000
"""Text that is fetched together; a single larger row comes alone."""
_ROWS = 20_000
_PAGE = 8192
"""Bytes of a page, unless the server was built with another size."""


def may_differ_much(table: Table) -> bool:
    """Returns whether the values outside of a table's pages (TOAST) are more than a chunk holds."""
    return table.bytes - table.pages * _PAGE > BYTES // 4


class Portions:
    """Says how many of the next rows to fetch together."""

    def __init__(
        self, first: int, old: asyncpg.Connection, lengths: asyncpg.cursor.Cursor | None = None
    ) -> None:
        """``first``: rows to begin with; ``lengths``: a cursor of the connection ``old`` over the bytes of
        each row, in the order in which the rows are fetched.
        """
        self._size = first
        self._old = old
        self._cursor = lengths
        self._lengths: deque[int] = deque()

    async def size(self) -> int:
        """Returns how many rows to fetch now."""
        if self._cursor is None:
            return self._size
        if not self._lengths:
            # The last column: several small batches are read with the position of their source.
            self._lengths.extend(row[-1] for row in await answered(self._old, self._cursor.fetch(_ROWS)))
        return _fitting(self._lengths)

    def follow(self, width: float) -> None:
        """Takes the average characters of the rows that were fetched last."""
        self._size = max(1, min(_ROWS, int(BYTES / (width + 50)), self._size * 10))


def _fitting(lengths: deque[int]) -> int:
    """Takes the next lengths as far as they fit together, at least one, and returns how many they are."""
    taken = total = 0
    while lengths and (not taken or total + lengths[0] <= BYTES):
        total += lengths.popleft()
        taken += 1
    return max(1, taken)


def in_portions(things: Sequence[T], lengths: Iterable[int], most: int) -> Iterator[Sequence[T]]:
    """Yields things in portions of at most so many bytes; a single larger one comes alone."""
    begin = total = 0
    for at, length in enumerate(lengths):
        if at > begin and total + length > most:
            yield things[begin:at]
            begin, total = at, 0
        total += length
    yield things[begin:]
