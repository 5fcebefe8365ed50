"""The rows that others wrote into a table of NEW since the run began, without holding more than a part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from tranship.execution.proof.expected import Row

MOST_HELD = 100_000
"""Rows of others that are held at once, about 50 MB. Where they wrote more, only those are read, batch by
batch, that may be a row which the batch lacks."""

Read = Callable[[Sequence[str] | None], Awaitable[Counter[Row]]]
"""Reads the rows of others: all, or those with one of these keys, or hashes where rows have no key."""


class Strangers:
    """Rows of others. Those that turn out to be a batch's own are taken out."""

    def __init__(self, number: int, read: Read) -> None:
        """``number`` is how many there are."""
        self._number, self._read = number, read
        self._held: Counter[Row] | None = None
        self._equal: Counter[Row] = Counter()
        self.taken = 0
        """How many were taken out."""

    @property
    def few(self) -> bool:
        """Whether all are held."""
        return self._number <= MOST_HELD

    async def beside(self, missing: Counter[Row]) -> Counter[Row]:
        """Returns the rows among which those may be that a batch lacks."""
        if self.few:
            if self._held is None:
                self._held = await self._read(None) if self._number else Counter()
            return Counter(self._held)
        if not missing:
            return Counter()
        wanted = [row.key if row.key is not None else row.digest for row in missing]
        return await self._read(wanted) - self._equal

    def take(self, rows: Counter[Row]) -> None:
        """Notes that these are a batch's own."""
        self.taken += rows.total()
        if self._held is not None:
            self._held -= rows
        # One of several equal rows without a key stands for one row of OLD only.
        self._equal += Counter({row: number for row, number in rows.items() if row.key is None})

    async def left(self) -> tuple[Counter[Row], int]:
        """Returns the others, and how many more there are that are not held."""
        if self.few:
            return await self.beside(Counter()), 0
        return Counter(), max(self._number - self.taken, 0)
