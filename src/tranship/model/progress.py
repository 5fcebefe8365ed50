"""Batches, and the events of a run. A run's outcome is a fold over its events."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from tranship.model.flow import FlowId
from tranship.model.locator import Address, Locator, Range, contains, divided
from tranship.model.notes import Note
from tranship.model.reasons import Reason


class OldRows(Struct, frozen=True):
    """The driving old rows behind the rows of a flow that does not make one row of each."""

    read: int
    left_out: int = 0
    """Rows that the flow does not take."""
    without_items: int = 0
    """Rows that are taken and make no row."""
    with_parent: int = 0
    """Those of ``left_out`` whose parent is left out; the filter does not select the others."""

    @property
    def used(self) -> int:
        """The rows that the flow takes."""
        return self.read - self.left_out

    def __add__(self, other: OldRows) -> OldRows:
        return OldRows(
            self.read + other.read,
            self.left_out + other.left_out,
            self.without_items + other.without_items,
            self.with_parent + other.with_parent,
        )


class Batch(Struct, frozen=True):
    """One committed unit: the rows of one range of one flow."""

    number: int
    """Counts through one flow of the run, from 0."""
    flow: FlowId
    range: Range
    rows: int
    """Rows the flow makes in the range, counted when it was cut; the batch must read exactly these."""
    old: OldRows | None = None
    """The old rows in the range. None: they are its rows."""

    @property
    def source(self) -> int:
        """The position in ``TablePlan.sources`` of the heap that the range lies in."""
        return self.range.source

    def __contains__(self, row: Locator) -> bool:
        return contains(self.range, row)

    def among(self, rows: Sequence[Locator]) -> tuple[Locator, ...]:
        """Returns those of some rows of its source that are in the batch; they are sorted."""
        first, end = bisect_left(rows, _start(self), key=_address), self.range.end
        last = bisect_left(rows, end, key=_address) if end is not None else len(rows)
        return tuple(rows[first:last])

    def divided(
        self,
        at: Address,
        rows: int,
        number: int,
        old: tuple[OldRows | None, OldRows | None] = (None, None),
    ) -> tuple[Batch, Batch]:
        """Returns two batches: ``rows`` rows before ``at`` under the same number, the others under
        ``number``. ``old``: the old rows of each.
        """
        first, second = divided(self.range, at)
        return (
            Batch(self.number, self.flow, first, rows, old[0]),
            Batch(number, self.flow, second, self.rows - rows, old[1]),
        )


class Region:
    """The rows of some batches of one flow. Batches do not overlap, so a row is found by its place among the
    starts.
    """

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._by_source: dict[int, list[Batch]] = {}
        for batch in batches:
            self._by_source.setdefault(batch.source, []).append(batch)
        for some in self._by_source.values():
            some.sort(key=_start)

    def __contains__(self, row: Locator) -> bool:
        some = self._by_source.get(row.source, [])
        at = bisect_right(some, row.address, key=_start)
        return at > 0 and row in some[at - 1]

    def not_full(self, rows: Iterable[Locator]) -> list[Batch]:
        """Returns the batches that have other rows than these, in order."""
        addresses: dict[int, list[Address]] = {}
        for row in rows:
            addresses.setdefault(row.source, []).append(row.address)
        for mine in addresses.values():
            mine.sort()
        some = [batch for batches in self._by_source.values() for batch in batches]
        return [batch for batch in some if _between(addresses.get(batch.source, []), batch) != batch.rows]


def _between(addresses: Sequence[Address], batch: Batch) -> int:
    """Returns how many of the addresses, which are sorted, lie in a batch."""
    end = batch.range.end
    last = bisect_left(addresses, end) if end is not None else len(addresses)
    return last - bisect_left(addresses, _start(batch))


def _address(row: Locator) -> Address:
    return row.address


def _start(batch: Batch) -> Address:
    # An open start is before every address.
    return batch.range.start or ()


class Phase(StrEnum):
    """The named parts of a live run that follow its preparation, in order.

    The journal holds the one that a run is in, and a resumed run begins with that. Preparing (data checks,
    batches) ends with the run's entry in the journal, so that no entry says it.
    """

    COPY = "copy"
    """Group after group: switches off, batches, foreign keys proven, switches on."""
    PROVE = "prove"
    """NEW still holds every batch and every table that was seen committed."""
    VERIFY = "verify"
    """NEW holds what OLD's rows become, row by row."""
    END = "end"
    """Sequences, and the mark that the run is finished."""


BEFORE_WRITING = ("", "compare the databases", "before the start", "take the snapshot", "prepare")
"""Phases of a live run in which no batch is committed, as `Began` names them."""


class PlannedTable(Struct, frozen=True):
    """One table of a run, for the person who watches."""

    flow: FlowId
    old_columns: int
    """Columns that OLD has and that NEW has, mapped or not."""
    new_columns: int


class RunStarted(Struct, frozen=True, tag=True):
    """The plan stands and the run begins: the first event. Tables in plan order."""

    tables: tuple[PlannedTable, ...]


class TableStarted(Struct, frozen=True, tag=True):
    """A table's rows are counted and its batches cut. It is told again whenever more rows are counted beside
    the copy.
    """

    flow: FlowId
    rows: int
    batches: int


class BatchDone(Struct, frozen=True, tag=True):
    """A batch is committed in NEW (or was simulated)."""

    flow: FlowId
    number: int
    read: int
    written: int
    rejected: int
    bytes: int


class RowRejected(Struct, frozen=True, tag=True):
    """One of the first rejected rows of a table, for the terminal."""

    flow: FlowId
    key: str
    """OLD's key as a JSON object, or what becomes a key of NEW; empty where there is neither."""
    place: str
    """Where OLD holds the row, as a server writes a row's address; empty in a dry run."""
    column: str | None
    sqlstate: str
    constraint: str | None
    reason: Reason | None
    """The whole reason, which may hold row values; None unless the run was asked to show them."""
    what: str = "ServerSaid"
    """The kind of the reason, which holds no value of the row."""
    table: str | None = None
    """The lookup table or the table of the parents, where the reason is about one."""


class TableDone(Struct, frozen=True, tag=True):
    """A table is complete and its row-count invariant holds:

    read = written + rejected + already there + kept + updated + merged.
    """

    flow: FlowId
    read: int
    """Rows that the flow makes."""
    written: int
    rejected: int
    already_there: int = 0
    """Rows that NEW held before the run, equal in every column."""
    kept: int = 0
    """Rows for which NEW's own row stays."""
    updated: int = 0
    """Rows whose values replaced those of NEW's row."""
    merged: int = 0
    """Rows that were merged into others."""
    already_migrated: bool = False
    """An earlier finished run copied it, so nothing was done now."""
    old: OldRows | None = None
    """The old rows behind ``read``. None: they are the same rows."""
    tolerated: tuple[tuple[str, int], ...] = ()
    """Of those written, by constraint of NEW: rows that break it and are kept by decision."""


class Began(Struct, frozen=True, tag=True):
    """A phase of a command begins, or inside of it one question."""

    phase: str
    question: str = ""
    """What is asked or done now; empty: the phase itself begins."""


class Noted(Struct, frozen=True, tag=True):
    """A message for the person who watches: a retry, a wait, a warning."""

    what: Note


Event = RunStarted | TableStarted | BatchDone | RowRejected | TableDone | Began | Noted
