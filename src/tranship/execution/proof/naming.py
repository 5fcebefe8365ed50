"""Which rows differ: by key and column where NEW's table has a key, else by their number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.proof.compare import Subject, in_zone
from tranship.execution.proof.expected import Expecting, copied_columns
from tranship.execution.proof.narrowed import narrowed
from tranship.execution.proof.new_rows import NewRows
from tranship.execution.proof.old_batch import OldBatch
from tranship.execution.proof.row_store import RowStore
from tranship.execution.proof.rows import Row, sums_of_rows
from tranship.execution.proof.strangers import Strangers
from tranship.model.difference import Difference, DifferenceKind
from tranship.model.digest import Sums
from tranship.model.locator import Locator
from tranship.server.journal import BatchRow
from tranship.server.snapshot import Snapshot
from tranship.sql.digest import Parts

NAMED = 1000
"""Rows of one flow that are named; the others are counted."""
NAME_ROWS = "name the rows that differ"
"""What a profile calls the time from the sums of NEW until the rows that differ are named."""


class Named(NamedTuple):
    """What differs in one batch."""

    differences: list[Difference]
    """The rows that NEW should hold and does not."""
    extra: RowStore
    """Rows that the batch wrote and that are none of those."""
    due: Sums
    """The sums over what NEW should hold of it."""
    updated: int = 0
    """Rows that it lacks since another run gave them other values, as its decisions say."""


class Naming(Struct, frozen=True):
    """Names what differs in the rows of one flow."""

    rows: NewRows
    others: int
    """Rows that others wrote since."""
    updated_by: tuple[int, ...] = ()
    """Transactions, 32 bits, in which other runs gave rows of the table other values."""

    @property
    def of(self) -> Subject:
        """What is compared."""
        return self.rows.of

    @property
    def keys(self) -> tuple[int, ...]:
        """The positions, among the copied columns, of a key of NEW; empty: it has none of these columns."""
        return self.rows.keys

    async def differences(
        self,
        snapshot: Snapshot,
        batches: Sequence[BatchRow],
        excluded: Mapping[int, Sequence[Locator]],
        strangers: Strangers,
    ) -> list[Difference]:
        """Returns every difference of these batches.

        ``snapshot`` is that of the run; ``excluded`` are the rows of each batch, by its number, that were
        not copied. Rows of ``strangers`` that belong to these batches are taken out.
        """
        of, found = self.of, Listing()
        async with self.rows.new.transaction(readonly=True):
            await in_zone(self.rows.new, of.plan)
            for batch in batches:
                gone = tuple(excluded.get(batch.batch.number, ()))
                async with snapshot.reader(of.plan.zone) as old:
                    expecting = Expecting(of.job, of.plan, of.hashing, old, self.rows.new)
                    named = await self.of_batch(
                        OldBatch(expecting, batch, gone, self.keys), strangers, found.room
                    )
                found.add(named.differences)
                found.add(self.told_left(DifferenceKind.ADDED, named.extra, found.room))
        return found.all

    async def of_batch(self, reading: OldBatch, strangers: Strangers, room: int) -> Named:
        """Compares the rows that NEW should hold of one batch with those that it holds. Rows of ``strangers``
        that are the batch's own are taken out. At most ``room`` rows are named, the others are counted.
        """
        narrow = await narrowed(reading, self.rows)
        own = await self.rows.written_by(reading.batch.xids, narrow.parts)
        found, summed, updated = Listing(room), Sums(), 0
        if narrow.parts is None or narrow.parts.chosen:
            async for rows in reading.rows(narrow.parts):
                summed += sums_of_rows(rows) if narrow.due is None else Sums()
                beside = _Beside(reading, narrow.parts, own, strangers)
                told, more = await self._of_rows(rows, beside, found.room)
                found.add(told)
                updated += more
        return Named(found.all, own, narrow.due or summed, updated)

    async def _of_rows(self, rows: Sequence[Row], beside: _Beside, room: int) -> tuple[list[Difference], int]:
        """Returns the differences of some rows of a batch, and how many of them another run updated."""
        due, own, strangers = Counter(rows), beside.own, beside.strangers
        there = own.beside(due)
        own.take(due & there)
        missing, extra = due - there, there - due
        by_others = await strangers.beside(missing)
        # Somebody may have written an equal row anew: content decides, not the transaction.
        equal = missing & by_others
        strangers.take(equal)
        missing, by_others = missing - equal, by_others - equal
        changed = self._changed(missing, extra, by_others) if self.keys else {}
        missing -= Counter(changed.values())
        updated = await self._updated(missing)
        missing -= updated
        found = await self._differences(beside, changed, {row.key for row in by_others}, room)
        own.take(_under(extra, changed))
        strangers.take(_under(by_others, changed))
        found += self.told_each(DifferenceKind.MISSING, missing, room - len(found))
        return found, updated.total()

    async def _updated(self, missing: Counter[Row]) -> Counter[Row]:
        """Returns the rows that NEW lacks since another run gave them other values."""
        if not (self.updated_by and self.keys and missing):
            return Counter()
        keys = await self.rows.keys_written_by(self.updated_by, (row.id for row in missing))
        return Counter({row: number for row, number in missing.items() if row.key in keys})

    async def _differences(
        self, beside: _Beside, changed: Mapping[str, Row], by_others: Container[str | None], room: int
    ) -> list[Difference]:
        """Returns the changed rows: the first with their columns, the others by their number."""
        first = list(changed)[: max(room, 0)]
        named = await self._columns(beside, first)
        found = [replace(one, by_others=key in by_others) for key, one in zip(first, named, strict=True)]
        rest = Counter(key in by_others for key in list(changed)[len(first) :])
        more = self.told(DifferenceKind.CHANGED, None)
        return found + [replace(more, rows=number, by_others=whose) for whose, number in rest.items()]

    async def added(self, strangers: Counter[Row], more: int = 0) -> list[Difference]:
        """Returns the rows that others added, and ``more`` that are not known."""
        told, strangers = await self._by_own_key(strangers)
        told += self.told_each(DifferenceKind.ADDED, strangers, strangers.total())
        if more:
            told.append(self.told(DifferenceKind.ADDED, None, more))
        return [replace(one, by_others=True) for one in told]

    async def _by_own_key(self, strangers: Counter[Row]) -> tuple[list[Difference], Counter[Row]]:
        """Returns the rows of others that only a key tells apart which was not copied, and the other rows.

        Where a flow took some of several equal rows as its own, nobody knows which of them others added.
        """
        if not (self.rows.own_key and strangers):
            return [], strangers
        keys = await self.rows.own_keys_of_others(row.digest for row in strangers)
        known = {row for row, number in strangers.items() if len(keys.get(row.digest, ())) == number}
        names, one = self.rows.own_key, self.told(DifferenceKind.ADDED, None)
        told = [
            replace(one, key=dict(zip(names, record_parts(key), strict=True)))
            for row in strangers
            if row in known
            for key in keys[row.digest]
        ]
        return told, Counter({row: number for row, number in strangers.items() if row not in known})

    @staticmethod
    def _changed(missing: Counter[Row], *elsewhere: Counter[Row]) -> dict[str, Row]:
        """Returns the missing rows under whose keys NEW holds other rows."""
        keys = {row.key for rows in elsewhere for row in rows}
        return {row.key: row for row in missing if row.key is not None and row.key in keys}

    async def _columns(self, beside: _Beside, keys: Sequence[str]) -> list[Difference]:
        """Returns changed rows with the columns that differ."""
        if not keys:
            return []
        names = [column.name for column in copied_columns(self.of.job, self.of.plan)]
        due = {row.key: row async for rows in beside.reading.rows(beside.parts, keys) for row in rows}
        there = await self.rows.at([*beside.own.places(keys), *beside.strangers.places(keys)], keys)
        found = []
        for key in keys:
            wrong = [n for n in range(len(names)) if due[key].values[n] != there[key].values[n]]
            one = self.told(DifferenceKind.CHANGED, key)
            columns = tuple(names[n] for n in wrong)
            expected, seen = (tuple(row.values[n] for n in wrong) for row in (due[key], there[key]))
            found.append(replace(one, columns=columns, expected=expected, found=seen))
        return found

    def told_left(self, kind: DifferenceKind, rows: RowStore, room: int = NAMED) -> list[Difference]:
        """Returns the rows that are left of some as differences of one kind, as `told_each` does."""
        first = rows.first(max(room, 0))
        told, more = self.told_each(kind, first, first.total()), rows.left - first.total()
        return [*told, self.told(kind, None, more)] if more else told

    def told_each(self, kind: DifferenceKind, rows: Counter[Row], room: int = NAMED) -> list[Difference]:
        """Returns these rows as differences of one kind: at most ``room`` of them, and the number of the
        others.
        """
        first = list(islice(rows.items(), max(room, 0)))
        told = [self.told(kind, row.key, n) for row, n in first]
        more = rows.total() - sum(n for _, n in first)
        return [*told, self.told(kind, None, more)] if more else told

    def told(self, kind: DifferenceKind, key: str | None, rows: int = 1) -> Difference:
        """Returns a row, by the text of its key, as a difference."""
        names = [copied_columns(self.of.job, self.of.plan)[n].name for n in self.keys]
        parts = dict(zip(names, record_parts(key), strict=True)) if key is not None else None
        return Difference(str(self.of.plan.new), kind, parts, rows=rows)

    def strangers(self) -> Strangers:
        """Returns the rows that others wrote since the run began, none of them read yet."""
        return Strangers(self.others, self.rows)


class _Beside(NamedTuple):
    """What some rows of a batch are compared with."""

    reading: OldBatch
    parts: Parts | None
    """Those whose rows are read; None: all."""
    own: RowStore
    """Rows that the batch wrote."""
    strangers: Strangers


def _under(rows: Counter[Row], keys: Container[str | None]) -> Counter[Row]:
    """Returns the rows with these keys."""
    return Counter({row: number for row, number in rows.items() if row.key in keys})


class Listing:
    """The differences of one flow: the first ``NAMED`` one by one, the others by their number, so that a
    table of which every row differs takes no memory.
    """

    def __init__(self, room: int | None = None) -> None:
        """``room`` is how many rows may be named, if not ``NAMED``."""
        self._most = NAMED if room is None else room
        self._named: list[Difference] = []
        self._others: dict[Difference, int] = {}

    @property
    def room(self) -> int:
        """How many rows may still be named."""
        return self._most - len(self._named)

    @property
    def all(self) -> list[Difference]:
        """All differences."""
        return [*self._named, *(replace(one, rows=number) for one, number in self._others.items())]

    def add(self, found: Iterable[Difference]) -> None:
        """Enters differences."""
        for one in found:
            if self.room > 0:
                self._named.append(one)
                continue
            alike = Difference(one.table, one.kind, by_others=one.by_others, old_changed=one.old_changed)
            self._others[alike] = self._others.get(alike, 0) + one.rows


def record_parts(text: str) -> list[str | None]:
    """Returns the texts of a record's fields, from the text of the record (PostgreSQL documentation,
    "Composite Type Output Syntax").
    """
    parts: list[str | None] = []
    for quoted, bare in _FIELD.findall(text[1:-1] + ","):
        if quoted:
            parts.append(_DOUBLED.sub(r"\1", quoted[1:-1]))
        else:
            parts.append(bare or None)
    return parts


_FIELD = re.compile(r'(?:("(?:[^"\\]|""|\\\\)*")|([^",]*)),')
"""A field of a record's text and the comma behind it: in double quotes, or bare."""
_DOUBLED = re.compile(r'(["\\])\1')
"""Inside quotes, double quotes and backslashes are doubled."""
