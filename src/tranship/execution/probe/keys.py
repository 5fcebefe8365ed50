"""Keys of a table's rows in little memory: a 64-bit hash and the packed row, 16 bytes a row.

The few rows whose hashes are equal are compared afterwards.
"""

from __future__ import annotations

from array import array
from itertools import pairwise

from tranship.model.locator import Locator
from tranship.sql.ctid import MOST_SOURCES, packed, unpacked

LIMIT = 5_000_000
"""Most rows per index: 80 MB while they are collected, a few hundred MB while duplicates are looked for."""


class KeyStore:
    """The hashes of one index's keys over one table plan."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._rows = array("Q")
        self.overflowed = False

    def add(self, row: Locator, hashed: int) -> None:
        """Keeps a row's hash. Beyond the limit all are dropped."""
        if self.overflowed:
            return
        if len(self._hashes) >= LIMIT or row.source >= MOST_SOURCES:
            self._hashes, self._rows, self.overflowed = array("q"), array("Q"), True
            return
        self._hashes.append(hashed)
        self._rows.append(packed(row))

    def shared(self, others: list[KeyStore]) -> list[Locator]:
        """Returns the rows whose hash occurs more than once in this and the other stores together."""
        twice = repeated([self, *others])
        if not twice:
            return []
        return [
            unpacked(number)
            for hashed, number in zip(self._hashes, self._rows, strict=True)
            if hashed in twice
        ]

    @property
    def hashes(self) -> array[int]:
        """Returns all hashes in the order in which they came."""
        return self._hashes


def repeated(stores: list[KeyStore]) -> set[int]:
    """Returns the hashes that occur more than once."""
    every = array("q")
    for store in stores:
        every.extend(store.hashes)
    if len(set(every)) == len(every):
        return set()
    ordered = sorted(every)
    return {one for one, two in pairwise(ordered) if one == two}
