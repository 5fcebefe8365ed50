"""Which row of NEW each row of OLD finds by the key of the action ``existing``, and whether the two differ.

Most rows travel once: OLD writes them as JSON, NEW says of all of them together which found a row and whether
they differ from it, and only what has to be told about one row comes back for it.

Memory: about 200 bytes per row of OLD that NEW held.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing

from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from tranship.errors import Refused
from tranship.errors.codes.start import AmbiguousExistingKey
from tranship.execution.probe.questions import Answer, re_encodes
from tranship.execution.probe.reading import Chunk, Reader
from tranship.execution.probe.typed_rows import ask, ask_objects, json_rows, typed
from tranship.model.expression import (
    Coalesce,
    Constant,
    Followed,
    Lookup,
    MapValues,
    NewDefault,
    Rekeyed,
    Sql,
    Take,
)
from tranship.model.locator import Locator
from tranship.model.progress import Batch
from tranship.model.shape import Existing, ExistingRows
from tranship.planning.plan.found import FoundBy
from tranship.sql.canonical import computed_on_old, key_text
from tranship.sql.expression import shipped
from tranship.sql.new.existing import Matching, compared_part, found_part, keys_held, matched_part
from tranship.sql.new.given_rows import held_rows, rows_query
from tranship.sql.new.matched_key import matched_key
from tranship.sql.old.rows import holders
from tranship.sql.quote import ident
from tranship.sql.row_id import locate
from tranship.sql.types.values import canonical

_FEW = 20_000
"""Most rows of NEW whose keys are looked for in OLD; against more, every row of OLD is asked about."""
_SHOWN = 5
"""Rows of NEW that a message names."""

_OTHER_VALUES = Decoder(dict[str, tuple[bool, str | None]])


class Match(Struct, frozen=True, gc=False):
    """The row of NEW that a row of OLD found."""

    place: str
    shown: str = ""
    """Its key for people; empty: it has not been asked."""
    key: tuple[tuple[str, str | None], ...] = ()
    """Columns by which other tables refer to it, where its values are not those of the old row."""
    differs: bool | None = None
    """Whether its values are others than those of the old row; None: they were not compared."""
    told: tuple[str, ...] = ()
    """The columns in which they are, where one of them is not to be changed."""


class Matcher:
    """Asks NEW about the rows of one flow."""

    def __init__(self, reader: Reader, existing: Existing, by: FoundBy) -> None:
        self._reader, self._plan, self._by = reader, reader.plan, by
        self._after = reader.job.after(reader.plan)
        self._rows = existing.rows
        self._compares = existing.rows in (ExistingRows.SAME, ExistingRows.UPDATE) and self._compared_at_once
        primary = self._after.primary_key
        updates = existing.rows is ExistingRows.UPDATE
        self._matching = Matching(
            key=matched_key(self._after, by.key),
            own=matched_key(self._after, by.own),
            shown=primary.columns if primary is not None else by.key,
            compared=by.compared if self._compares else (),
            told=tuple(name for name in by.compared if not (updates and name in by.settable))
            if self._compares
            else (),
        )

    @property
    def _compared_at_once(self) -> bool:
        """Whether what a row will be does not depend on which rows of NEW other rows find."""
        alone = Take | Constant | NewDefault | MapValues | Coalesce | Sql
        filled = self._reader.job.filled
        return self._plan.repointing is None and all(
            isinstance(e, alone) or (isinstance(e, Lookup) and (not e.reads_new or e.table not in filled))
            for e in (mapping.expression for mapping in self._plan.columns)
        )

    async def find(self, batches: Sequence[Batch]) -> dict[Locator, Match]:
        """Returns the rows of OLD that find a row of NEW, with that row.

        Raises:
            NotAskable: NEW cannot be asked.
            Refused: NEW has several rows under one key.
        """
        if self._rows is ExistingRows.REJECT or self._reader.raw or re_encodes(self._reader.job.new):
            return await self._details(await self._chunks(self._reader, batches, self._key_positions))
        found: dict[Locator, Match] = {}
        again: list[Locator] = []
        question = typed(self._reader.job, self._plan, {*self._asked, *self._matching.compared})
        query = rows_query(question.rows, [matched_part(question.rows, self._matching)])
        reader = replace(self._reader, objects=question.positions)
        async with aclosing(self._read(reader, batches, question.positions)) as chunks:
            async for chunk in chunks:
                for answer in await ask_objects(reader, query, chunk):
                    if answer.kind == "error":
                        again.append(chunk.rows[answer.row])
                    for n, match in self._matches(answer):
                        row = chunk.rows[n]
                        if row in found:
                            again.append(row)
                        found[row] = match
        # The key of a row that NEW does not read as a whole, and what several rows of NEW are.
        return {**found, **await self.details(again)}

    async def details(self, rows: Sequence[Locator]) -> dict[Locator, Match]:
        """Returns the same for chosen rows, with all that is said of a row of NEW to people.

        Raises:
            Refused: NEW has several rows under one key.
        """
        if not rows:
            return {}
        return await self._details(self._reader.chosen(sorted(rows), self._key_positions))

    async def differing(self, rows: Sequence[Locator]) -> AsyncIterator[tuple[Locator, tuple[str, ...]]]:
        """Yields the columns in which chosen rows differ from the row of NEW that they found. A row that NEW
        cannot read has none.
        """
        question = typed(self._reader.job, self._plan, {*self._by.compared, *self._by.key})
        part = compared_part(question.rows, self._matching.key, self._by.compared)
        query = rows_query(question.rows, [part])
        async for chunk in self._reader.chosen(sorted(rows), question.positions):
            given = json_rows(chunk, question.positions, range(len(chunk.rows)))
            for answer in await ask(self._reader, query, given):
                if answer.kind == "compared" and isinstance(answer.detail, list):
                    yield chunk.rows[answer.row], self._columns(answer.detail[0])

    @property
    def _asked(self) -> set[str]:
        return {*self._by.key, *self._by.own}

    @property
    def _key_positions(self) -> tuple[int, ...]:
        return typed(self._reader.job, self._plan, self._asked).positions

    async def _details(self, chunks: AsyncIterator[Chunk]) -> dict[Locator, Match]:
        question = typed(self._reader.job, self._plan, self._asked)
        by, found, several = self._matching, dict[Locator, Match](), list[str]()
        query = rows_query(question.rows, [found_part(question.rows, by.key, by.own, by.shown)])
        async for chunk in chunks:
            given = json_rows(chunk, question.positions, range(len(chunk.rows)))
            for answer in await ask(self._reader, query, given):
                if answer.kind != "found" or not isinstance(answer.detail, list):
                    continue
                place, held, own = (str(text) for text in answer.detail)
                if int(answer.which) > 1:
                    several.append(held)
                found[chunk.rows[answer.row]] = Match(place, held, _other_values(own))
        if several:
            examples = tuple(sorted(several)[:_SHOWN])
            raise Refused(AmbiguousExistingKey(self._plan.flow, self._plan.new, self._by.key, examples))
        return found

    def _matches(self, answer: Answer) -> Iterator[tuple[int, Match]]:
        """Yields the rows of an answer by their numbers in the chunk."""
        if not isinstance(answer.detail, list):
            return
        differs = bool(answer.which) if self._compares else None
        if answer.kind == "matched":
            numbers, places = (str(text) for text in answer.detail)
            for n, place in zip(numbers.split(","), places.split(" "), strict=True):
                yield int(n), Match(place, differs=differs)
        elif answer.kind == "apart":
            place, shown, own, columns = (str(text) for text in answer.detail)
            yield answer.row, Match(place, shown, _other_values(own), differs, self._columns(columns))

    def _columns(self, positions: object) -> tuple[str, ...]:
        texts = positions.split(",") if isinstance(positions, str) and positions else ()
        return tuple(self._by.compared[int(n)] for n in texts)

    async def _read(
        self, reader: Reader, batches: Sequence[Batch], positions: Sequence[int]
    ) -> AsyncGenerator[Chunk, None]:
        """Yields the rows that may be found, and reads on meanwhile where that takes OLD alone."""
        chunks = await self._chunks(reader, batches, positions)
        asks_new = any(isinstance(m.expression, Lookup | Rekeyed | Followed) for m in self._plan.columns)
        if asks_new:
            async for chunk in chunks:
                yield chunk
            return
        following = asyncio.ensure_future(anext(chunks, None))
        try:
            while (read := await following) is not None:
                following = asyncio.ensure_future(anext(chunks, None))
                yield read
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _chunks(
        self, reader: Reader, batches: Sequence[Batch], positions: Sequence[int]
    ) -> AsyncIterator[Chunk]:
        """Returns the rows that may be found: where NEW holds few, those that OLD finds by their keys."""
        every = shipped(self._plan)
        on_old = self._key_on_old()
        # A column whose expression raises on OLD for a row is found out while all rows are read.
        if on_old is None or reader.may_raise(every):
            return reader.chunks(batches, every if reader.may_raise(every) else positions)
        theirs, mine = on_old
        if await reader.new.fetchval(held_rows(self._after, _FEW + 1)) > _FEW:
            return reader.chunks(batches, positions)
        held = [record[0] for record in await reader.new.fetch(keys_held(self._after, theirs))]
        records = await reader.old.fetch(holders(self._plan, key_text(mine)), held)
        return reader.chosen((locate(source, ctid) for _, source, ctid in records), positions)

    def _key_on_old(self) -> tuple[list[str], list[str]] | None:
        """Returns the canonical texts of the key as NEW and as OLD compute them. None: OLD cannot."""
        before = self._reader.job.before(self._plan)
        theirs, mine = [], []
        for name in self._by.key:
            column = self._after.column(name)
            text = canonical(ident(name), column.type, column.collation) if column is not None else None
            computed = computed_on_old(self._plan, name, before)
            if text is None or computed is None:
                return None
            theirs.append(text)
            mine.append(computed)
        return theirs, mine


def _other_values(own: str) -> tuple[tuple[str, str | None], ...]:
    """Returns the columns in which NEW's row has another value than the old row would have had."""
    columns = _OTHER_VALUES.decode(own)
    return tuple((name, text) for name, (differs, text) in columns.items() if differs)
