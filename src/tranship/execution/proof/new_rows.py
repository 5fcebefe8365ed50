"""The rows that NEW holds of a batch, and those of others, one by one and without reading the whole table."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.proof.compare import LOW, Subject
from tranship.execution.proof.expected import copied_columns, held_values, sums_of
from tranship.execution.proof.row_store import RowStore
from tranship.execution.proof.rows import AT_ONCE, Place, Row
from tranship.model.catalog import Table
from tranship.model.digest import HashForm, Sums
from tranship.sql.digest import Parts, RowValues, Value
from tranship.sql.new.counting import WRAP
from tranship.sql.new.digest import (
    at_places,
    by_others,
    first_of,
    one_of,
    part_sums,
    rows_of_digests,
    rows_where,
    written_within,
)
from tranship.sql.new.existing import at_places as found_at
from tranship.sql.new.transactions import Extent, extents
from tranship.sql.quote import ident


class Runs(Struct, frozen=True):
    """The transactions of all runs that filled a table."""

    mine: frozenset[int]
    """All of them, 32 bits."""
    oldest: int
    """The first one that is of interest, 64 bits."""

    def by_others(self, xid: int) -> bool:
        """Returns whether a transaction, 32 bits, is that of somebody else, and not before the oldest."""
        # Those below 3 stand for rows that were frozen when the server was made or upgraded.
        later = xid > 2 and (xid - self.oldest) & LOW < WRAP
        return later and xid not in self.mine


class Extents:
    """Between which places of a table of NEW the rows of each transaction lie.

    A COPY writes its rows one behind the other, so the rows of a batch are read without the others. The
    table is read once for it, when a batch differs, which takes a fifth of the time of its sums.
    """

    def __init__(self, new: asyncpg.Connection, table: Table, runs: Runs, wanted: Iterable[int]) -> None:
        """``wanted`` are the transactions, of those of the runs, whose rows are of interest."""
        self._new, self._table, self._runs = new, table, runs
        self._apart = runs.mine - {xid & LOW for xid in wanted}
        self._found: dict[int | None, Extent] | None = None

    async def of(self, xids: Iterable[int]) -> Extent | None:
        """Returns where the rows of these transactions lie; None: there are none."""
        there = await self._all()
        return _around([there[xid] for xid in {xid & LOW for xid in xids} if xid in there])

    async def of_others(self) -> Extent | None:
        """Returns where the rows of all other transactions lie, none of them before the oldest."""
        return (await self._all()).get(None)

    async def _all(self) -> dict[int | None, Extent]:
        if self._found is None:
            query = extents(self._table, sorted(self._runs.mine), sorted(self._apart))
            found = await self._new.fetch(query, self._runs.oldest & LOW)
            self._found = {row["xid"]: Extent(row["first"], row["last"], row["rows"]) for row in found}
        return self._found


def _around(some: Sequence[Extent]) -> Extent | None:
    """Returns the extent around several."""
    if not some:
        return None
    first, last = min(one.first for one in some), max(one.last for one in some)
    return Extent(first, last, sum(one.rows for one in some))


class NewRows(Struct, frozen=True):
    """Reads rows of one table of NEW as one flow fills it."""

    of: Subject
    new: asyncpg.Connection
    """In a transaction."""
    runs: Runs
    extents: Extents

    @property
    def keys(self) -> tuple[int, ...]:
        """The positions, among the copied columns, of a key of NEW; empty: it has none of these columns."""
        names = [column.name for column in copied_columns(self.of.job, self.of.plan)]
        key = self.table.order_key
        return tuple(names.index(name) for name in key) if set(key) <= set(names) else ()

    @property
    def own_key(self) -> tuple[str, ...]:
        """The columns of a key of NEW that the run did not copy: NEW gave its values. OLD does not know them,
        so rows are shown by it and not compared. Empty where `keys` tells rows apart, and without a key.
        """
        return () if self.keys else self.table.order_key

    @property
    def table(self) -> Table:
        """NEW's table."""
        return self.of.job.after(self.of.plan)

    def texts(self, parts: Parts | None = None, *, wanted: bool = False) -> RowValues:
        """Returns what is read of single rows."""
        return RowValues(held_values(self.of.job, self.of.plan, "t"), self.keys, wanted, parts)

    async def part_sums(self, xids: Sequence[int], number: int) -> dict[int, Sums]:
        """Returns the sums over the rows that these transactions wrote, by parts."""
        extent = await self.extents.of(xids)
        if extent is None:
            return {}
        conditions = written_within(xids, extent)
        query = part_sums(self.table, self.texts(), self._form, number, conditions)
        return {row["part"]: sums_of(row) for row in await self.new.fetch(query)}

    async def written_by(self, xids: Sequence[int], parts: Parts | None = None) -> RowStore:
        """Returns the rows of these parts, or of all, that these transactions wrote."""
        extent = await self.extents.of(xids)
        if extent is None or (parts is not None and not parts.chosen):
            return await self._stored(None)
        return await self._stored(
            rows_where(self.table, self.texts(parts), self._form, written_within(xids, extent))
        )

    async def keys_written_by(self, xids: Sequence[int], among: Iterable[str]) -> frozenset[str | None]:
        """Returns those of these keys under which these transactions wrote rows."""
        texts = self.texts()
        conditions = (*written_within(xids), one_of(texts.key, 1))
        found = await self.new.fetch(rows_where(self.table, texts, self._form, conditions), list(among))
        return frozenset(row["k"] for row in found)

    async def at(self, places: Sequence[Place], keys: Sequence[str]) -> dict[str | None, Row]:
        """Returns the rows with these keys at these places, by key, with all values."""
        texts = self.texts(wanted=True)
        # Of a partitioned table, other partitions have rows at the same places.
        conditions = (at_places(1), one_of(texts.key, 2))
        query = rows_where(self.table, texts, self._form, conditions)
        found = await self.new.fetch(query, places, keys)
        return {row["k"]: Row(row["k"], row["digest"], tuple(row["v"])) for row in found}

    async def at_places(self, places: Iterable[str]) -> Counter[Row]:
        """Returns the rows at these places (relation and ctid as one text)."""
        query = rows_where(self.table, self.texts(), self._form, (found_at("t", 1),))
        return Counter([_row(record)[0] for record in await self.new.fetch(query, list(places))])

    async def others(self) -> RowStore:
        """Returns all rows that others wrote."""
        extent = await self.extents.of_others()
        if extent is None:
            return await self._stored(None)
        query = rows_where(self.table, self.texts(), self._form, by_others(sorted(self.runs.mine), extent))
        return await self._stored(query, self.runs.oldest & LOW)

    async def others_beside(self, rows: Iterable[Row]) -> RowStore:
        """Returns the rows of others under the keys of these; where rows have no key, the equal ones."""
        extent = await self.extents.of_others()
        if extent is None:
            return await self._stored(None)
        texts, conditions = self.texts(), by_others(sorted(self.runs.mine), extent)
        if self.keys:
            query = rows_where(self.table, texts, self._form, (*conditions, one_of(texts.key, 2)))
        else:
            query = rows_of_digests(rows_where(self.table, texts, self._form, conditions), 2)
        return await self._stored(query, self.runs.oldest & LOW, [row.id for row in rows])

    async def first_others(self, most: int) -> list[Row]:
        """Returns some of the rows of others."""
        extent = await self.extents.of_others()
        if extent is None:
            return []
        query = rows_where(self.table, self.texts(), self._form, by_others(sorted(self.runs.mine), extent))
        return [_row(r)[0] for r in await self.new.fetch(first_of(query, most), self.runs.oldest & LOW)]

    async def own_keys_of_others(self, digests: Iterable[str]) -> dict[str, list[str]]:
        """Returns the texts of `own_key` of the rows of others, by their hashes."""
        extent, key = await self.extents.of_others(), set(self.own_key)
        if extent is None or not key:
            return {}
        columns = {one.name: one.type for one in self.table.columns if one.name in key}
        shown = tuple(Value(f"t.{ident(name)}", columns[name], columns[name]) for name in self.own_key)
        texts, conditions = replace(self.texts(), shown=shown), by_others(sorted(self.runs.mine), extent)
        query = rows_of_digests(rows_where(self.table, texts, self._form, conditions), 2)
        found: dict[str, list[str]] = {}
        for row in await self.new.fetch(query, self.runs.oldest & LOW, list(digests)):
            found.setdefault(row["digest"], []).append(row["k"])
        return found

    @property
    def _form(self) -> HashForm:
        return self.of.hashing.form(self.of.job.new)

    async def _stored(self, query: str | None, *arguments: object) -> RowStore:
        """Returns the rows that a query reads; None: there are none."""
        store = RowStore(keyed=bool(self.keys))
        if query is not None:
            async for some in self._read(query, *arguments):
                store.add(some)
        # In a thread: a run whose heartbeat stops for a minute may be taken over.
        await asyncio.to_thread(store.sort)
        return store

    async def _read(self, query: str, *arguments: object) -> AsyncIterator[list[tuple[Row, Place]]]:
        cursor = await self.new.cursor(query, *arguments)
        while records := await cursor.fetch(AT_ONCE):
            yield [_row(record) for record in records]


def _row(record: asyncpg.Record) -> tuple[Row, Place]:
    key, digest, place = record
    return Row(key, digest), place
