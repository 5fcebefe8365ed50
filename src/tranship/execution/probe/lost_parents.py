"""By key the rows of OLD that are parents and do not arrive under it; what is found here only words reasons.

Memory: about 40 bytes per row; the keys lie in a temporary file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec
from msgspec import Struct

from tranship.execution.probe.derived import Derived
from tranship.execution.probe.missing_parents import Fate
from tranship.execution.probe.parent_flows import is_led
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.row_list import RowList
from tranship.execution.probe.row_numbers import Leaves, RowNumbers
from tranship.execution.probe.spill import Spill
from tranship.model.catalog import ForeignKey
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.verdict import Reject

_NOWHERE = 2**64 - 1
"""In place of a place: there is no further entry."""
_FIRST = (Fate.REJECTED, Fate.MERGED, Fate.ELSEWHERE)
"""Of several rows with one key, the first of these fates counts."""


class _Entry(Struct, frozen=True, array_like=True, gc=False):
    """A row with its key, as the file has it."""

    key: bytes
    source: int
    address: tuple[int | str, ...]
    item: int
    before: int
    """The place of an entry whose key has the same hash."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Entry)


class KeyRows:
    """Rows by their keys, of which several may have the same."""

    def __init__(self) -> None:
        self._spill = Spill()
        self._places = Leaves(listed=False)
        """Of the last entry by hash."""

    def add(self, key: str, row: Locator) -> None:
        """Enters a row.

        Raises:
            Stopped: the folder for temporary files is full.
        """
        written = _bytes(key)
        hashed = _hash(written)
        before = self._places.get(hashed)
        entry = _Entry(written, row.source, row.address, row.item, _NOWHERE if before is None else before)
        place = self._spill.add(_ENCODER.encode(entry))
        if before is None:
            self._places.put(hashed, place)
        else:
            self._places.replace(hashed, place)

    def rows(self, key: str) -> Iterator[Locator]:
        """Yields the rows with a key."""
        written = _bytes(key)
        found = self._places.get(_hash(written))
        place = _NOWHERE if found is None else found
        while place != _NOWHERE:
            entry = _DECODER.decode(self._spill.read(place))
            if entry.key == written:
                yield Locator(entry.source, entry.address, entry.item)
            place = entry.before


def _bytes(key: str) -> bytes:
    # Bytes of a SQL_ASCII database stand as lone surrogates.
    return key.encode("utf-8", "surrogatepass")


def _hash(key: bytes) -> int:
    return hash(key) & _NOWHERE


class LostRows(Struct, frozen=True):
    """Rows of one flow that do not arrive under their keys."""

    keys: KeyRows
    rejected: Mapping[Locator, Reject]
    merged: AbstractSet[Locator]
    apart: AbstractSet[Locator]
    """NEW held their rows before the run, under other keys."""

    def fates(self, key: str) -> Iterator[Fate]:
        """Yields what became of the rows with a key."""
        for row in self.keys.rows(key):
            if row in self.rejected:
                yield Fate.REJECTED
            elif row in self.merged:
                yield Fate.MERGED
            elif row in self.apart:
                yield Fate.ELSEWHERE


class Lost:
    """Says what became of the parent with a key."""

    def __init__(self, flows: Sequence[LostRows]) -> None:
        self._flows = flows
        self._fates: dict[str, Fate] = {}

    def fate(self, key: str | None) -> Fate:
        """Returns what became of the parent with a key. One that is rejected counts before others."""
        if key is None:
            return Fate.NONE
        known = self._fates.get(key)
        if known is None:
            found = {fate for rows in self._flows for fate in rows.fates(key)}
            known = next((fate for fate in _FIRST if fate in found), Fate.NONE)
            self._fates[key] = known
        return known

    def fate_of_lost(self, key: str | None) -> Fate:
        """Returns what became of a parent that is known to be lost, even if its key is not known."""
        fate = self.fate(key)
        if fate is not Fate.NONE:
            return fate
        if any(rows.apart for rows in self._flows):
            return Fate.ELSEWHERE
        only_merged = not any(rows.rejected for rows in self._flows) and any(
            rows.merged for rows in self._flows
        )
        return Fate.MERGED if only_merged else Fate.REJECTED


class LostParents:
    """Knows the keys of rows that do not arrive under them. Each is rendered once."""

    def __init__(self, derived: Derived, book: Book) -> None:
        self._derived, self._book = derived, book
        self._keys: dict[tuple[FlowId, tuple[str, ...]], KeyRows] = {}
        self._known: dict[tuple[FlowId, tuple[str, ...]], RowNumbers] = {}
        """The rows of which the keys are, or that have none."""
        self._counts: dict[tuple[FlowId, tuple[str, ...], bool], int] = {}
        """The rows that had not arrived at the last look: they only become more."""

    async def of(self, plan: TablePlan, key: ForeignKey, flows: Sequence[TablePlan]) -> Lost:
        """Returns the parents of some flows that do not arrive under a key, as is known by now.

        Raises:
            Stopped: the folder for temporary files is full.
        """
        return Lost([await self._lost(plan, key, parent) for parent in flows])

    async def _lost(self, plan: TablePlan, key: ForeignKey, parent: TablePlan) -> LostRows:
        columns = key.target_columns
        place, led = (parent.flow, columns), is_led(plan, key, parent.flow)
        absent = self._book.absent(parent.flow, columns, led=led)
        if self._counts.get((*place, led)) != len(absent):
            self._counts[*place, led] = len(absent)
            await self._enter(parent, columns, absent)
        rejected = self._book.rejected(parent.flow)
        apart = self._book.apart(parent.flow, columns) & absent
        return LostRows(self._keys[place], rejected, self._book.merged(parent.flow), apart - rejected.keys())

    async def _enter(self, parent: TablePlan, columns: tuple[str, ...], absent: AbstractSet[Locator]) -> None:
        keys = self._keys.setdefault((parent.flow, columns), KeyRows())
        known = self._known.setdefault((parent.flow, columns), RowNumbers())
        for some in RowList(row for row in absent if known.get(row) is None).parts():
            for row in some:
                known.put(row, 0)
            try:
                texts = await self._derived.keys_of(parent, columns, some)
            except NotAskable:
                continue
            for row, text in texts.items():
                keys.add(text, row)
