"""Which rows differ: by key and column where NEW's table has a key, else by their number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.context import Job
from tranship.execution.proof.compare import LOW, Subject, in_zone
from tranship.execution.proof.expected import Expecting, Hashing, Row, copied_columns
from tranship.model.catalog import Table
from tranship.model.difference import Difference, DifferenceKind
from tranship.model.digest import HashForm
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.server.journal import BatchRow
from tranship.server.snapshot import Snapshot
from tranship.sql.digest import RowTexts
from tranship.sql.new.digest import column_texts, rows_of_keys, rows_of_others, rows_written

NAMED = 1000
"""Rows of one flow that are named; the others are counted."""


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


class Naming(Struct, frozen=True):
    """Names what differs in the rows of one flow."""

    of: Subject
    new: asyncpg.Connection
    oldest: int
    """The first transaction of the runs that filled the table, 64 bits."""
    mine: frozenset[int]
    """All their transactions, 32 bits."""

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
        found: list[Difference] = []
        async with self.new.transaction(readonly=True):
            await in_zone(self.new, self.plan)
            strangers = await self.strangers()
            for batch in batches:
                gone = tuple(excluded.get(batch.batch.number, ()))
                async with snapshot.reader(self.plan.zone) as old:
                    expecting = Expecting(self.job, self.plan, self.hashing, old, self.new)
                    reading = OldBatch(expecting, batch, gone)
                    named = await self.of_batch(reading, await reading.rows(self.keys), strangers)
                found += [*named.differences, *self.told_each(DifferenceKind.ADDED, named.extra)]
            found += self.added(strangers)
        return found

    async def of_batch(self, reading: OldBatch, rows: Sequence[Row], strangers: Counter[Row]) -> Named:
        """Compares the rows that NEW should hold of one batch with those that it holds. Rows of ``strangers``
        that are the batch's own are taken out.
        """
        due = Counter(rows)
        there = await self.written_in(reading.batch.xids)
        missing, extra = due - there, there - due
        # Somebody may have written an equal row anew: content decides, not the transaction.
        missing -= _taken(missing, strangers)
        changed = self._changed(missing, extra, strangers) if self.keys else {}
        by_others = {row.key for row in strangers}
        for row in changed.values():
            del missing[row]
        for elsewhere in (extra, strangers):
            for other in [other for other in elsewhere if other.key in changed]:
                del elsewhere[other]
        named = await self._columns(reading, list(changed))
        found = [replace(one, by_others=key in by_others) for key, one in zip(changed, named, strict=True)]
        return Named([*found, *self.told_each(DifferenceKind.MISSING, missing)], extra)

    def added(self, strangers: Counter[Row]) -> list[Difference]:
        """Returns the rows that others added."""
        told = self.told_each(DifferenceKind.ADDED, strangers)
        return [replace(one, by_others=True) for one in told]

    @staticmethod
    def _changed(missing: Counter[Row], *elsewhere: Counter[Row]) -> dict[str, Row]:
        """Returns the missing rows under whose keys NEW holds other rows."""
        keys = {row.key for rows in elsewhere for row in rows}
        return {row.key: row for row in missing if row.key is not None and row.key in keys}

    async def _columns(self, reading: OldBatch, keys: Sequence[str]) -> list[Difference]:
        """Returns the changed rows with the columns that differ; beyond a bound, without them."""
        asked = list(keys[:NAMED])
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
        return found + [self.told(DifferenceKind.CHANGED, key) for key in keys[NAMED:]]

    def told_each(self, kind: DifferenceKind, rows: Counter[Row]) -> list[Difference]:
        """Returns these rows as differences of one kind."""
        return [self.told(kind, row.key, n) for row, n in rows.items()]

    def told(self, kind: DifferenceKind, key: str | None, rows: int = 1) -> Difference:
        """Returns a row, by the text of its key, as a difference."""
        names = [copied_columns(self.job, self.plan)[n].name for n in self.keys]
        parts = dict(zip(names, record_parts(key), strict=True)) if key is not None else None
        return Difference(str(self.plan.new), kind, parts, rows=rows)

    async def strangers(self, most: int | None = None) -> Counter[Row]:
        """Returns the rows that others wrote since the run began, at most so many."""
        query = rows_of_others(self._after, self.texts(), self._form, sorted(self.mine), most)
        return await self._fetch(query, self.oldest & LOW)

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

    def texts(self, *, wanted: bool = False) -> RowTexts:
        """Returns what is read of single rows of NEW."""
        columns = copied_columns(self.job, self.plan)
        return RowTexts(column_texts(columns, "t"), self.keys, wanted)

    @property
    def _form(self) -> HashForm:
        return self.hashing.form(self.job.new)

    async def _fetch(self, query: str, *arguments: object) -> Counter[Row]:
        rows = await self.new.fetch(query, *arguments)
        return Counter(Row(r["k"], r["digest"], tuple(r["v"])) for r in rows)


def _taken(missing: Counter[Row], strangers: Counter[Row]) -> Counter[Row]:
    """Returns the rows that are in both, and takes them out of the second."""
    both = missing & strangers
    strangers -= both
    return both


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
