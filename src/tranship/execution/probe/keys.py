"""Keys of a table's rows in little memory: a 64-bit hash and the packed row, 16 bytes a row;
items and rows of a query take more.

The few rows whose hashes are equal are compared afterwards.
"""

from __future__ import annotations

from array import array
from itertools import pairwise

from tranship.model.locator import Locator
from tranship.sql.ctid import MOST_SOURCES, packable, packed, unpacked

LIMIT = 5_000_000
"""Most rows per index: 80 MB while they are collected, a few hundred MB while duplicates are looked for."""

LIMIT_LISTED = 1_000_000
"""Most rows per index where rows do not fit 64 bits (items, rows of a query): about 250 MB."""


class KeyStore:
    """The hashes of one index's keys over one table plan."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._packed = array("Q")
        self._listed: list[Locator] = []
        """The rows that do not fit 64 bits; one flow has rows of one kind."""
        self.overflowed = False

    def add(self, row: Locator, hashed: int) -> None:
        """Keeps a row's hash. Beyond the limit all are dropped."""
        if self.overflowed:
            return
        fits = packable(row)
        if len(self._hashes) >= (LIMIT if fits else LIMIT_LISTED) or row.source >= MOST_SOURCES:
            self._hashes, self._packed, self._listed = array("q"), array("Q"), []
            self.overflowed = True
            return
        self._hashes.append(hashed)
        if fits:
            self._packed.append(packed(row))
        else:
            self._listed.append(row)

    def shared(self, others: list[KeyStore]) -> list[Locator]:
        """Returns the rows whose hash occurs more than once in this and the other stores together."""
        twice = repeated([self, *others])
        if not twice:
            return []
        rows = self._listed or map(unpacked, self._packed)
        return [row for hashed, row in zip(self._hashes, rows, strict=True) if hashed in twice]

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
