"""The rows of one batch as NEW should hold them, one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import asyncpg
from msgspec import Struct

from tranship.execution.probe.within import lookups_of
from tranship.execution.proof.expected import OLD_CANNOT, Expecting, sums_of
from tranship.execution.proof.rows import AT_ONCE, Row
from tranship.model.digest import HashForm, Sums
from tranship.model.locator import Locator
from tranship.server.journal import BatchRow
from tranship.sql.digest import Parts, RowValues
from tranship.sql.old.digest import BatchRead, batch_part_sums, batch_rows
from tranship.sql.session import RELEASE, SAVEPOINT, TO_SAVEPOINT


class OldBatch(Struct, frozen=True):
    """The rows of one batch as OLD gives them."""

    expecting: Expecting
    batch: BatchRow
    excluded: tuple[Locator, ...]
    """Those that were not copied."""
    keys: tuple[int, ...]
    """The positions, among the copied columns, of a key of NEW; empty: it has none of these columns."""
    only: tuple[str, ...] = ()
    """SQL of further conditions on the old rows."""

    async def part_sums(self, number: int) -> dict[int, Sums] | None:
        """Returns the sums over the rows of each of so many parts. None: only NEW knows what it will print,
        so that every row would have to travel.
        """
        values = self.expecting.values
        if values is None:
            return None
        named = RowValues(values, self.keys)
        found = await self.expecting.asked(batch_part_sums(await self._read(), named, self._form, number))
        return None if found is None else {row["part"]: sums_of(row) for row in found}

    async def rows(
        self, parts: Parts | None = None, wanted: Sequence[str] | None = None
    ) -> AsyncIterator[list[Row]]:
        """Yields the rows of these parts, or of all: those of the ``wanted`` keys with all values, or every
        one without values.
        """
        first, cursor = await self._asked(parts, wanted)
        if cursor is None:
            async for rows in self._printed_by_new(wanted):
                yield rows
            return
        records = first
        while records:
            yield list(map(_row, records))
            records = await cursor.fetch(AT_ONCE)
        await self.expecting.old.execute(RELEASE)

    async def _asked(
        self, parts: Parts | None, wanted: Sequence[str] | None
    ) -> tuple[list[asyncpg.Record], asyncpg.cursor.Cursor | None]:
        """Returns the first rows, and a cursor for the others, inside a savepoint. No cursor: NEW has to
        print them.
        """
        values, old = self.expecting.values, self.expecting.old
        if values is None:
            return [], None
        named = RowValues(values, self.keys, wanted is not None, parts)
        statement = batch_rows(await self._read(), named, self._form)
        arguments = [[one.encode() for one in wanted]] if wanted is not None else []
        await old.execute(SAVEPOINT)
        try:
            cursor = await old.cursor(statement, *arguments)
            # A batch of which more is read was summed up by parts before, so that OLD can print all of it.
            return list(await cursor.fetch(AT_ONCE)), cursor
        except OLD_CANNOT:
            if parts is not None:
                raise
            await old.execute(TO_SAVEPOINT)
        await old.execute(RELEASE)
        return [], None

    async def _printed_by_new(self, wanted: Sequence[str] | None) -> AsyncIterator[list[Row]]:
        some: list[Row] = []
        found = self.expecting.rendered(
            self.batch.batch, self.excluded, keys=self.keys, values=wanted is not None, only=self.only
        )
        chosen = frozenset(wanted) if wanted is not None else None
        async for row in found:
            if chosen is None or row.key in chosen:
                some.append(row)
            if len(some) >= AT_ONCE:
                yield some
                some = []
        if some:
            yield some

    async def _read(self) -> BatchRead:
        of, batch = self.expecting, self.batch.batch
        bindings = await lookups_of(of.job).bind(of.old, of.new, of.plan, batch, self.excluded)
        raw = of.job.old.encoding == "SQL_ASCII"
        return BatchRead(of.plan, of.job.before(of.plan), batch, self.excluded, bindings, self.only, raw)

    @property
    def _form(self) -> HashForm:
        return self.expecting.hashing.form(self.expecting.job.old)


def _row(record: asyncpg.Record) -> Row:
    key, digest, *values = record
    return Row(_text(key), digest, tuple(map(_text, values[0])) if values else ())


def _text(sent: bytes | None) -> str | None:
    """Returns a text that OLD sent as bytes; those that are no UTF-8 are written out, as ``\\\\xe9``."""
    return None if sent is None else sent.decode(errors="backslashreplace")
