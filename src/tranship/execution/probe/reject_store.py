"""Rejects in little memory: a row takes about 20 bytes, and why it is rejected lies in a file."""

from __future__ import annotations

import heapq
from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from typing import TypeVar

import msgspec
from msgspec import Struct

from tranship.execution.probe.row_numbers import RowNumbers
from tranship.execution.probe.spill import Spill
from tranship.model.locator import Locator
from tranship.model.reasons import from_journal, journalled
from tranship.model.verdict import Reject

_Any = TypeVar("_Any")

_ALIKE = 1000
"""Entries that are remembered because further rows may be rejected for the same reason."""


class _Why(Struct, frozen=True, array_like=True, gc=False):
    """A reject without its row, as the file has it."""

    sqlstate: str
    reason: bytes
    column: str | None
    constraint: str | None
    rank: int


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Why)


class Grounds:
    """Why rows are rejected, each ground once or a few times, by its place in a temporary file."""

    def __init__(self) -> None:
        self._spill = Spill()
        self._places: dict[bytes, int] = {}
        """Of the grounds that came last."""
        self._found: dict[int, Reject] = {}
        """By place the grounds that were read last, of any row."""

    def add(self, reject: Reject) -> int:
        """Returns the place of a reject's ground, which is written where it is not known.

        Raises:
            Stopped: the folder for temporary files is full.
        """
        ground = _ENCODER.encode(
            _Why(reject.sqlstate, journalled(reject.reason), reject.column, reject.constraint, reject.rank)
        )
        place = self._places.get(ground)
        if place is None:
            if len(self._places) >= _ALIKE:
                self._places.clear()
            place = self._places[ground] = self._spill.add(ground)
        return place

    def reject(self, row: Locator, place: int) -> Reject:
        """Returns the reject of a row whose ground has a place."""
        known = self._found.get(place)
        if known is None:
            if len(self._found) >= _ALIKE:
                self._found.clear()
            why = _DECODER.decode(self._spill.read(place))
            reason = from_journal(why.reason)
            known = self._found[place] = Reject(
                row, why.sqlstate, reason, why.column, why.constraint, why.rank
            )
        return Reject(row, known.sqlstate, known.reason, known.column, known.constraint, known.rank)


class Rejects(Mapping[Locator, Reject]):
    """The rejects of one flow in row order. The first reject of a row stands."""

    def __init__(self, grounds: Grounds, places: RowNumbers | None = None) -> None:
        self._grounds = grounds
        self._places = places if places is not None else RowNumbers()

    def add(self, reject: Reject) -> bool:
        """Enters a reject. Returns False where the row has one.

        Raises:
            Stopped: the folder for temporary files is full.
        """
        if self._places.get(reject.row) is not None:
            return False
        self._places.put(reject.row, self._grounds.add(reject))
        return True

    def copy(self) -> Rejects:
        """Returns the same rejects, which later ones of this do not reach."""
        return Rejects(self._grounds, self._places.copy())

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, row: object) -> bool:
        return isinstance(row, Locator) and self._places.get(row) is not None

    def __getitem__(self, row: Locator) -> Reject:
        place = self._places.get(row)
        if place is None:
            raise KeyError(row)
        return self._grounds.reject(row, place)

    def __iter__(self) -> Iterator[Locator]:
        return (row for row, _ in self._places)

    def each(self) -> Iterator[Reject]:
        """Yields the rejects in row order. None may be entered meanwhile."""
        return (self._grounds.reject(row, place) for row, place in self._places)

    def items(self) -> ItemsView[Locator, Reject]:
        """Returns the rows with their rejects, without a search for each."""
        return _Items(self)

    def values(self) -> ValuesView[Reject]:
        """Returns the rejects, without a search for each."""
        return _Values(self)


class _Items(ItemsView[Locator, Reject]):
    _mapping: Rejects

    def __iter__(self) -> Iterator[tuple[Locator, Reject]]:
        return ((reject.row, reject) for reject in self._mapping.each())


class _Values(ValuesView[Reject]):
    _mapping: Rejects

    def __iter__(self) -> Iterator[Reject]:
        return self._mapping.each()


class RowSet(AbstractSet[Locator]):
    """Rejected rows and some others, without a set of them all."""

    def __init__(self, rejects: Rejects, others: AbstractSet[Locator] = frozenset()) -> None:
        self._rejects, self._others = rejects, others

    def __contains__(self, row: object) -> bool:
        return row in self._others or row in self._rejects

    def __iter__(self) -> Iterator[Locator]:
        """Yields the rows in order."""
        others = sorted(row for row in self._others if row not in self._rejects)
        return heapq.merge(self._rejects, others) if others else iter(self._rejects)

    def __len__(self) -> int:
        return len(self._rejects) + sum(row not in self._rejects for row in self._others)

    def __bool__(self) -> bool:
        return bool(self._others) or len(self._rejects) > 0

    @classmethod
    def _from_iterable(cls, it: Iterable[_Any]) -> AbstractSet[_Any]:
        """Returns what a union, a difference or the like of two sets holds."""
        return frozenset(it)
