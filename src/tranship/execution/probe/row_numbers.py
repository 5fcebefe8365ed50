"""Numbers by row, in row order and in little memory: 16 to 24 bytes for a row of a heap, about 55 for an
item, and about 200 for a row of a query.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, MutableSequence
from enum import Enum
from operator import itemgetter
from typing import Any

from tranship.model.locator import Locator
from tranship.sql.ctid import MOST_SOURCES, packed, unpacked

_LEAF = 2048
"""Rows that stand in one leaf at most. A row that comes between others moves those of its leaf only, and a
leaf that is full becomes two.
"""


_MOST_ITEMS = 1 << 32
"""Items of one old row that a key tells apart."""


class Kind(Enum):
    """What a key is made of."""

    ROW = "row"
    """The ctid in 64 bits."""
    ITEM = "item"
    """That and the item."""
    OTHER = "other"
    """The locator itself."""


class Leaves:
    """Keys of one kind in their order, each with a number."""

    def __init__(self, *, listed: bool) -> None:
        """``listed``: the keys are objects; else they are numbers of 64 bits."""
        self._listed = listed
        self._first: list[Any] = []
        """The first key of each leaf."""
        self._keys: list[MutableSequence[Any]] = []
        self._numbers: list[array[int]] = []

    def get(self, key: object) -> int | None:
        """Returns the number of a key; None: it is not there."""
        leaf = bisect_right(self._first, key) - 1
        if leaf < 0:
            return None
        keys = self._keys[leaf]
        at = bisect_left(keys, key)
        return self._numbers[leaf][at] if at < len(keys) and keys[at] == key else None

    def put(self, key: object, number: int) -> None:
        """Enters a key that is not there."""
        leaf = bisect_right(self._first, key) - 1
        if leaf < 0 and self._first:
            # It comes before all others.
            leaf, self._first[0] = 0, key
        full = leaf >= 0 and len(self._keys[leaf]) >= _LEAF
        if (full and key > self._keys[leaf][-1]) or leaf < 0:
            # Rows come in order mostly: their leaves stay full.
            self._insert(leaf + 1, self._made([key]), array("Q", [number]))
            return
        if full:
            self._divide(leaf)
            leaf += key >= self._first[leaf + 1]
        at = bisect_left(self._keys[leaf], key)
        self._keys[leaf].insert(at, key)
        self._numbers[leaf].insert(at, number)

    def replace(self, key: object, number: int) -> None:
        """Gives a key that is there another number."""
        leaf = bisect_right(self._first, key) - 1
        self._numbers[leaf][bisect_left(self._keys[leaf], key)] = number

    def copy(self) -> Leaves:
        """Returns the same keys, which later ones of this do not reach."""
        other = Leaves(listed=self._listed)
        other._first = list(self._first)
        other._keys = [keys[:] for keys in self._keys]
        other._numbers = [numbers[:] for numbers in self._numbers]
        return other

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        for keys, numbers in zip(self._keys, self._numbers, strict=True):
            yield from zip(keys, numbers, strict=True)

    def __len__(self) -> int:
        return sum(map(len, self._keys))

    def _made(self, keys: list[Any]) -> MutableSequence[Any]:
        return keys if self._listed else array("Q", keys)

    def _divide(self, leaf: int) -> None:
        keys, numbers, middle = self._keys[leaf], self._numbers[leaf], _LEAF // 2
        self._insert(leaf + 1, keys[middle:], numbers[middle:])
        del keys[middle:], numbers[middle:]

    def _insert(self, leaf: int, keys: MutableSequence[Any], numbers: array[int]) -> None:
        self._first.insert(leaf, keys[0])
        self._keys.insert(leaf, keys)
        self._numbers.insert(leaf, numbers)


class RowNumbers:
    """A number of 64 bits for each of some rows."""

    def __init__(self) -> None:
        self._leaves = {kind: Leaves(listed=kind is not Kind.ROW) for kind in Kind}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, row: Locator) -> int | None:
        """Returns the number of a row; None: it has none."""
        if not self._count:
            return None
        kind, key = key_of(row)
        return self._leaves[kind].get(key)

    def put(self, row: Locator, number: int) -> None:
        """Enters the number of a row that has none."""
        kind, key = key_of(row)
        self._leaves[kind].put(key, number)
        self._count += 1

    def copy(self) -> RowNumbers:
        """Returns the same numbers, which later ones of this do not reach."""
        other = RowNumbers()
        other._leaves = {kind: leaves.copy() for kind, leaves in self._leaves.items()}
        other._count = self._count
        return other

    def __iter__(self) -> Iterator[tuple[Locator, int]]:
        """Yields the rows in order, with their numbers.

        Raises:
            RuntimeError: a row was entered meanwhile.
        """
        # A flow has rows of one kind, but for old rows that cannot be taken apart among their items.
        each = [_rows(kind, leaves) for kind, leaves in self._leaves.items() if len(leaves)]
        count = self._count
        for row_and_number in each[0] if len(each) == 1 else heapq.merge(*each, key=itemgetter(0)):
            yield row_and_number
            if self._count != count:
                raise RuntimeError("rows were entered while they were read")


def key_of(row: Locator) -> tuple[Kind, Any]:
    """Returns the kind of a row, and a key that sorts among those of its kind as the row does."""
    if row.source >= MOST_SOURCES or isinstance(row.address[0], str) or row.item >= _MOST_ITEMS:
        return Kind.OTHER, row
    if row.item:
        return Kind.ITEM, packed(row) * _MOST_ITEMS + row.item
    return Kind.ROW, packed(row)


def _rows(kind: Kind, leaves: Leaves) -> Iterator[tuple[Locator, int]]:
    return ((row_of(kind, key), number) for key, number in leaves)


def row_of(kind: Kind, key: int | Locator) -> Locator:
    """Returns the row of which :func:`key_of` made a key of this kind."""
    if isinstance(key, Locator):
        return key
    return unpacked(key) if kind is Kind.ROW else _item(*divmod(key, _MOST_ITEMS))


def _item(place: int, item: int) -> Locator:
    row = unpacked(place)
    return Locator(row.source, row.address, item)
