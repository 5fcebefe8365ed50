"""Children and their parents in little memory: 32 bytes for each pair of rows of heaps, and about 24 for a
row with a text, which lies in a temporary file.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from tranship.execution.probe.row_list import RowList
from tranship.execution.probe.row_numbers import Kind, RowNumbers, key_of
from tranship.execution.probe.spill import Spill
from tranship.model.locator import Locator
from tranship.sql.ctid import unpacked

_RUN = 1 << 16
"""Pairs that are sorted together."""
_NO_TEXT = 2**64 - 1
"""In place of a text's place."""


class Links:
    """Pairs of a child and its parent. None may be added once they are read."""

    def __init__(self, pairs: Iterable[tuple[Locator, Locator]] = ()) -> None:
        self._children, self._parents = array("Q"), array("Q")
        self._below: dict[Locator, list[Locator]] = {}
        """Children by parent where one of them is no row of a heap; ``_above``: parents by child."""
        self._above: dict[Locator, list[Locator]] = {}
        self._by_child: _Pairs | None = None
        self._by_parent: _Pairs | None = None
        for child, parent in pairs:
            self.add(child, parent)

    def add(self, child: Locator, parent: Locator) -> None:
        """Adds a pair."""
        (kind, below), (of, above) = key_of(child), key_of(parent)
        if kind is of is Kind.ROW:
            self._children.append(below)
            self._parents.append(above)
        else:
            self._below.setdefault(parent, []).append(child)
            self._above.setdefault(child, []).append(parent)

    def children(self, parent: Locator) -> Iterator[Locator]:
        """Yields the children of a row."""
        if self._by_parent is None:
            self._by_parent = _sorted(self._parents, self._children)
        return _found(self._by_parent, self._below, parent)

    def parents(self, child: Locator) -> Iterator[Locator]:
        """Yields the parents of a row."""
        if self._by_child is None:
            self._by_child = _sorted(self._children, self._parents)
        return _found(self._by_child, self._above, child)

    def all_children(self) -> RowList:
        """Returns the rows that have a parent."""
        rows = RowList(map(unpacked, self._children))
        rows.extend(self._above)
        return rows


class _Pairs(Struct, frozen=True):
    """Pairs in the order of their first rows."""

    first: array[int]
    second: array[int]


def _found(pairs: _Pairs, others: Mapping[Locator, list[Locator]], row: Locator) -> Iterator[Locator]:
    yield from others.get(row, ())
    kind, key = key_of(row)
    if kind is not Kind.ROW:
        return
    at = bisect_left(pairs.first, key)
    while at < len(pairs.first) and pairs.first[at] == key:
        yield unpacked(pairs.second[at])
        at += 1


def _sorted(first: array[int], second: array[int]) -> _Pairs:
    """Returns pairs in order. Some are sorted at a time: a list of all would take five times the memory."""
    runs = []
    for start in range(0, len(first), _RUN):
        some = sorted(zip(first[start : start + _RUN], second[start : start + _RUN], strict=True))
        runs.append(_Pairs(array("Q", (one for one, _ in some)), array("Q", (other for _, other in some))))
    made = _Pairs(array("Q"), array("Q"))
    for one, other in heapq.merge(*(zip(run.first, run.second, strict=True) for run in runs)):
        made.first.append(one)
        made.second.append(other)
    return made


class RowTexts(Mapping[Locator, str | None]):
    """Texts by row, in row order."""

    def __init__(self) -> None:
        self._places, self._spill = RowNumbers(), Spill()

    def put_all(self, texts: Mapping[Locator, str | None]) -> None:
        """Enters texts of rows that have none.

        Raises:
            Stopped: the folder for temporary files is full.
        """
        for row, text in texts.items():
            place = _NO_TEXT if text is None else self._spill.add(text.encode("utf-8", "surrogatepass"))
            self._places.put(row, place)

    def __getitem__(self, row: Locator) -> str | None:
        place = self._places.get(row)
        if place is None:
            raise KeyError(row)
        return None if place == _NO_TEXT else self._spill.read(place).decode("utf-8", "surrogatepass")

    def __contains__(self, row: object) -> bool:
        return isinstance(row, Locator) and self._places.get(row) is not None

    def __iter__(self) -> Iterator[Locator]:
        return (row for row, _ in self._places)

    def __len__(self) -> int:
        return len(self._places)
