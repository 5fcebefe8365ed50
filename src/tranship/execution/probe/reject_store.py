"""Rejects in little memory: a row takes about 20 bytes, and why it is rejected lies in a file."""

from __future__ import annotations

import contextlib
import heapq
import tempfile
from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from functools import partial
from typing import IO, TypeVar

import msgspec
from msgspec import Struct

from tranship.errors import Stopped
from tranship.errors.codes.stops import TemporaryFolderFull
from tranship.execution.probe.row_numbers import RowNumbers
from tranship.model.locator import Locator
from tranship.model.reasons import from_journal, journalled
from tranship.model.verdict import Reject

_Any = TypeVar("_Any")

_IN_MEMORY = 4 * 1024 * 1024
"""Bytes that need no file."""
_BLOCK = 64 * 1024
"""Bytes that are written together."""
_LENGTH = 4
"""Bytes in which the length of an entry stands before it."""
_ALIKE = 1000
"""Entries that are remembered because further rows may be rejected for the same reason."""

_temporary_file = partial(tempfile.SpooledTemporaryFile, max_size=_IN_MEMORY)
"""Has no name and goes with what holds it."""


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
        self._file: IO[bytes] | None = None
        self._written = 0
        self._block = bytearray()
        """What follows on the written bytes."""
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
            place = self._places[ground] = self._written + len(self._block)
            self._block += len(ground).to_bytes(_LENGTH, "big") + ground
            if len(self._block) >= _BLOCK:
                self._write()
        return place

    def reject(self, row: Locator, place: int) -> Reject:
        """Returns the reject of a row whose ground has a place."""
        known = self._found.get(place)
        if known is None:
            if len(self._found) >= _ALIKE:
                self._found.clear()
            why = _DECODER.decode(self._read(place))
            reason = from_journal(why.reason)
            known = self._found[place] = Reject(
                row, why.sqlstate, reason, why.column, why.constraint, why.rank
            )
        return Reject(row, known.sqlstate, known.reason, known.column, known.constraint, known.rank)

    def _write(self) -> None:
        with _room():
            if self._file is None:
                self._file = _temporary_file()
            self._file.seek(self._written)
            self._file.write(self._block)
            self._file.flush()
        self._written += len(self._block)
        self._block.clear()

    def _read(self, place: int) -> bytes:
        if self._file is None or place >= self._written:
            at = place - self._written
            length = int.from_bytes(self._block[at : at + _LENGTH], "big")
            return bytes(self._block[at + _LENGTH : at + _LENGTH + length])
        self._file.seek(place)
        return self._file.read(int.from_bytes(self._file.read(_LENGTH), "big"))


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


@contextlib.contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Stopped(TemporaryFolderFull(str(error))) from error
