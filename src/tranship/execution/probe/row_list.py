"""Rows of OLD in little memory: eight bytes for a row of a heap, about 40 for an item, and about 200 for a
row of a query.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Collection, Iterable, Iterator, MutableSequence
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from tranship.execution.probe.row_numbers import Kind, key_of, row_of
from tranship.model.locator import Locator

_RUN = 1 << 16
"""Rows that are sorted together: a list of all would take five times the memory of the keys."""
_AT_ONCE = 20_000
"""Rows that are held as locators together."""


class RowList(Collection[Locator]):
    """Rows that are added in any order, and read in row order, each once."""

    def __init__(self, rows: Iterable[Locator] = ()) -> None:
        self._keys: dict[Kind, MutableSequence[Any]] = {}
        self._sorted = True
        self.extend(rows)

    def add(self, row: Locator) -> None:
        """Adds a row."""
        kind, key = key_of(row)
        keys = self._keys.get(kind)
        if keys is None:
            keys = self._keys[kind] = array("Q") if kind is Kind.ROW else []
        if keys:
            last = keys[-1]
            if key == last:
                return
            self._sorted = self._sorted and key > last
        keys.append(key)

    def extend(self, rows: Iterable[Locator]) -> None:
        """Adds rows."""
        for row in rows:
            self.add(row)

    def __len__(self) -> int:
        return sum(map(len, self._settled().values()))

    def __bool__(self) -> bool:
        return any(self._keys.values())

    def __iter__(self) -> Iterator[Locator]:
        """Yields the rows. None may be added meanwhile."""
        each = [map(partial(row_of, kind), keys) for kind, keys in self._settled().items()]
        return each[0] if len(each) == 1 else heapq.merge(*each)

    def __contains__(self, row: object) -> bool:
        return isinstance(row, Locator) and any(row == one for one in self)

    def parts(self) -> Iterator[list[Locator]]:
        """Yields the rows, some at a time."""
        rows = iter(self)
        while some := list(islice(rows, _AT_ONCE)):
            yield some

    def _settled(self) -> dict[Kind, MutableSequence[Any]]:
        if not self._sorted:
            self._keys = {kind: _in_order(keys) for kind, keys in self._keys.items()}
            self._sorted = True
        return self._keys


def _in_order(keys: MutableSequence[Any]) -> MutableSequence[Any]:
    """Returns keys in order, each once."""
    if not isinstance(keys, array):
        return sorted(set(keys))
    runs = [array("Q", sorted(keys[first : first + _RUN])) for first in range(0, len(keys), _RUN)]
    return array("Q", map(itemgetter(0), groupby(heapq.merge(*runs))))
