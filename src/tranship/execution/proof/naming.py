"""Which rows differ: by key and column where NEW's table has a key, else by their number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.context import Job
from tranship.execution.proof.compare import LOW, Subject, in_zone
from tranship.execution.proof.expected import Expecting, Hashing, Row, copied_columns, held_values
from tranship.execution.proof.strangers import Strangers
from tranship.model.catalog import Table
from tranship.model.difference import Difference, DifferenceKind
from tranship.model.digest import HashForm
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.server.journal import BatchRow
from tranship.server.snapshot import Snapshot
from tranship.sql.digest import RowValues
from tranship.sql.new.digest import rows_of_keys, rows_of_others, rows_written

NAMED = 1000
"""Rows of one flow that are named; the others are counted."""
NAME_ROWS = "name the rows that differ"
"""What a profile calls the time from the sums of NEW until the rows that differ are named."""


class OldBatch(Struct, frozen=True):
    """The rows of one batch as OLD gives them."""

    expecting: Expecting
    batch: BatchRow
    excluded: tuple[Locator, ...]
    """Those that were not copied."""
    only: tuple[str, ...] = ()
    """SQL of further conditions on the old rows."""

    async def rows(self, keys: tuple[int, ...], wanted: Sequence[str] | None = None) -> list[Row]:
        """Returns them as NEW should hold them (`Expecting.rows`)."""
        return await self.expecting.rows(self.batch.batch, self.excluded, keys, wanted, self.only)


class Named(NamedTuple):
    """What differs in one batch."""

    differences: list[Difference]
    """The rows that NEW should hold and does not."""
    extra: Counter[Row]
    """Rows that the batch wrote and that are none of those."""
    updated: int = 0
    """Rows that it lacks since another run gave them other values, as its decisions say."""


class Naming(Struct, frozen=True):
    """Names what differs in the rows of one flow."""

    of: Subject
    new: asyncpg.Connection
    oldest: int
    """The first transaction of the runs that filled the table, 64 bits."""
    mine: frozenset[int]
    """All their transactions, 32 bits."""
    others: int
    """Rows that others wrote since."""
    updated_by: tuple[int, ...] = ()
    """Transactions, 32 bits, in which other runs gave rows of the table other values."""

    @property
    def job(self) -> Job:
        """The job of the flow's run."""
        return self.of.job

    @property
    def plan(self) -> TablePlan:
        """The flow's plan."""
        return self.of.plan

    @property
    def hashing(self) -> Hashing:
        """How its rows are hashed."""
        return self.of.hashing

    async def differences(
        self, snapshot: Snapshot, batches: Sequence[BatchRow], excluded: Mapping[int, Sequence[Locator]]
    ) -> list[Difference]:
        """Returns every difference of these batches, and the rows that others added since the run began.

        ``snapshot`` is that of the run; ``excluded`` are the rows of each batch, by its number, that were
        not copied.
        """
        found = Listing()
        async with self.new.transaction(readonly=True):
            await in_zone(self.new, self.plan)
            strangers = self.strangers()
            for batch in batches:
                gone = tuple(excluded.get(batch.batch.number, ()))
                async with snapshot.reader(self.plan.zone) as old:
                    expecting = Expecting(self.job, self.plan, self.hashing, old, self.new)
                    reading = OldBatch(expecting, batch, gone)
                    rows = await reading.rows(self.keys)
                    named = await self.of_batch(reading, rows, strangers, found.room)
                found.add(named.differences)
                found.add(self.told_each(DifferenceKind.ADDED, named.extra, found.room))
            found.add(self.added(*await strangers.left(), found.room))
        return found.all

    async def of_batch(
        self, reading: OldBatch, rows: Sequence[Row], strangers: Strangers, room: int
    ) -> Named:
        """Compares the rows that NEW should hold of one batch with those that it holds. Rows of ``strangers``
        that are the batch's own are taken out. At most ``room`` rows are named, the others are counted.
        """
        due = Counter(rows)
        there = await self.written_in(reading.batch.xids)
        missing, extra = due - there, there - due
        beside = await strangers.beside(missing)
        # Somebody may have written an equal row anew: content decides, not the transaction.
        equal = missing & beside
        strangers.take(equal)
        missing, beside = missing - equal, beside - equal
        changed = self._changed(missing, extra, beside) if self.keys else {}
        missing -= Counter(changed.values())
        instead = Counter({row: number for row, number in beside.items() if row.key in changed})
        strangers.take(instead)
        for other in [other for other in extra if other.key in changed]:
            del extra[other]
        updated = await self._updated(missing)
        missing -= updated
        found = await self._differences(reading, changed, {row.key for row in instead}, room)
        found += self.told_each(DifferenceKind.MISSING, missing, room - len(found))
        return Named(found, extra, updated.total())

    async def _updated(self, missing: Counter[Row]) -> Counter[Row]:
        """Returns the rows that NEW lacks since another run gave them other values."""
        if not (self.updated_by and self.keys and missing):
            return Counter()
        query = rows_written(self._after, self.texts(), self._form, self.updated_by, among=True)
        there = await self._fetch(query, [row.key for row in missing])
        keys = {row.key for row in there}
        return Counter({row: number for row, number in missing.items() if row.key in keys})

    async def _differences(
        self, reading: OldBatch, changed: Mapping[str, Row], by_others: Container[str | None], room: int
    ) -> list[Difference]:
        """Returns the changed rows: the first with their columns, the others by their number."""
        first = list(changed)[: max(room, 0)]
        named = await self._columns(reading, first)
        found = [replace(one, by_others=key in by_others) for key, one in zip(first, named, strict=True)]
        rest = Counter(key in by_others for key in list(changed)[len(first) :])
        more = self.told(DifferenceKind.CHANGED, None)
        return found + [replace(more, rows=number, by_others=whose) for whose, number in rest.items()]

    def added(self, strangers: Counter[Row], more: int = 0, room: int = NAMED) -> list[Difference]:
        """Returns the rows that others added, and ``more`` that are not known."""
        told = self.told_each(DifferenceKind.ADDED, strangers, room)
        if more:
            told.append(self.told(DifferenceKind.ADDED, None, more))
        return [replace(one, by_others=True) for one in told]

    @staticmethod
    def _changed(missing: Counter[Row], *elsewhere: Counter[Row]) -> dict[str, Row]:
        """Returns the missing rows under whose keys NEW holds other rows."""
        keys = {row.key for rows in elsewhere for row in rows}
        return {row.key: row for row in missing if row.key is not None and row.key in keys}

    async def _columns(self, reading: OldBatch, keys: Sequence[str]) -> list[Difference]:
        """Returns changed rows with the columns that differ."""
        asked = list(keys)
        if not asked:
            return []
        names = [column.name for column in copied_columns(self.job, self.plan)]
        due = {row.key: row.values for row in await reading.rows(self.keys, asked)}
        query = rows_of_keys(self._after, self.texts(wanted=True), self._form)
        there = {row.key: row.values for row in await self._fetch(query, asked)}
        found = []
        for key in asked:
            wrong = [n for n in range(len(names)) if due[key][n] != there[key][n]]
            one = self.told(DifferenceKind.CHANGED, key)
            columns = tuple(names[n] for n in wrong)
            expected, seen = (tuple(values[n] for n in wrong) for values in (due[key], there[key]))
            found.append(replace(one, columns=columns, expected=expected, found=seen))
        return found

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
        names = [copied_columns(self.job, self.plan)[n].name for n in self.keys]
        parts = dict(zip(names, record_parts(key), strict=True)) if key is not None else None
        return Difference(str(self.plan.new), kind, parts, rows=rows)

    def strangers(self) -> Strangers:
        """Returns the rows that others wrote since the run began, none of them read yet."""
        return Strangers(self.others, self._read_strangers)

    async def first_strangers(self, most: int) -> Counter[Row]:
        """Returns some of them."""
        query = rows_of_others(self._after, self.texts(), self._form, sorted(self.mine), most)
        return await self._fetch(query, self.oldest & LOW)

    async def _read_strangers(self, among: Sequence[str] | None) -> Counter[Row]:
        query = rows_of_others(
            self._after, self.texts(), self._form, sorted(self.mine), among=among is not None
        )
        return await self._fetch(query, self.oldest & LOW, *([among] if among is not None else []))

    async def written_in(self, xids: Sequence[int]) -> Counter[Row]:
        """Returns the rows that these transactions wrote."""
        return await self._fetch(rows_written(self._after, self.texts(), self._form, xids))

    @property
    def _after(self) -> Table:
        return self.job.after(self.plan)

    @property
    def keys(self) -> tuple[int, ...]:
        """The positions, among the copied columns, of a key of NEW; empty: it has none of these columns."""
        names = [column.name for column in copied_columns(self.job, self.plan)]
        key = self._after.order_key
        return tuple(names.index(name) for name in key) if set(key) <= set(names) else ()

    def texts(self, *, wanted: bool = False) -> RowValues:
        """Returns what is read of single rows of NEW."""
        return RowValues(held_values(self.job, self.plan, "t"), self.keys, wanted)

    @property
    def _form(self) -> HashForm:
        return self.hashing.form(self.job.new)

    async def _fetch(self, query: str, *arguments: object) -> Counter[Row]:
        rows = await self.new.fetch(query, *arguments)
        return Counter(Row(r["k"], r["digest"], tuple(r["v"])) for r in rows)


class Listing:
    """The differences of one flow: the first ``NAMED`` one by one, the others by their number, so that a
    table of which every row differs takes no memory.
    """

    def __init__(self) -> None:
        self._named: list[Difference] = []
        self._others: dict[Difference, int] = {}

    @property
    def room(self) -> int:
        """How many rows may still be named."""
        return NAMED - len(self._named)

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
