"""Reads rows of OLD in chunks: their addresses and the texts that a question needs.

Memory: a chunk holds at most about 16 MB of text (a single larger row apart) and 20 000 rows, whatever the
    batch size.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import partial

import asyncpg
from msgspec import Struct
from msgspec.json import decode
from msgspec.structs import replace

from tranship.execution.context import Job
from tranship.execution.probe.joined import joined
from tranship.execution.probe.lookups import Lookups
from tranship.execution.probe.portions import BYTES, Portions, may_differ_much
from tranship.execution.probe.questions import Failure
from tranship.model.expression import Coalesce, Constant, MapValues, NewDefault, Rule, Sql, Take
from tranship.model.locator import Locator, Whole
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.server.deadline import answered
from tranship.sql.joins import Bindings, Joins
from tranship.sql.new.probe import ANSWER, ROLL_BACK, SAVEPOINT
from tranship.sql.old.batch import in_batch
from tranship.sql.old.rows import (
    TextColumns,
    chosen_rows,
    raising_rows,
    select_texts,
    select_texts_of,
    select_together,
)
from tranship.sql.row_id import locate, locate_all, parse

_ROWS = 20_000
_FIRST = 200
"""Rows of the first fetch, before their width is known."""
RAISED = (
    asyncpg.DataError,
    asyncpg.CardinalityViolationError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.PLPGSQLError,
)
"""The errors that a person's expression may raise for a row."""
_SMALL = 5_000
"""Most rows of a batch that is read together with others."""
_TOGETHER = 50
"""Most batches that one statement reads."""
_HASHES_LISTS = 140_000
"""``server_version_num`` of the first server that looks up in a list of constants by their hash."""
_CHOSEN = 10_000
"""Most rows that one statement names by their ids."""


class Chunk(Struct, frozen=True):
    """Some rows of one table, column by column."""

    rows: tuple[Locator, ...]
    texts: Mapping[int, tuple[str | None, ...]]
    """By position of the mapping. Undecodable bytes of a SQL_ASCII database are lone surrogates."""
    gaps: Mapping[int, tuple[str | None, ...]]
    """By position of the mapping: the value that has no entry. None: it has one."""
    objects: tuple[str, ...] = ()
    """In place of texts: per row a JSON object without its opening brace, if the reader makes objects."""

    def without(self, rows: Container[Locator]) -> Chunk:
        """Returns the chunk without some rows."""
        kept = [n for n, row in enumerate(self.rows) if row not in rows]
        if len(kept) == len(self.rows):
            return self
        return Chunk(
            tuple(self.rows[n] for n in kept),
            {position: tuple(values[n] for n in kept) for position, values in self.texts.items()},
            {position: tuple(values[n] for n in kept) for position, values in self.gaps.items()},
        )


class Reader(Struct, frozen=True):
    """Reads the rows of one table plan for data checks."""

    job: Job
    plan: TablePlan
    old: asyncpg.Connection
    new: asyncpg.Connection
    lookups: Lookups
    broken: dict[Locator, Failure]
    """Rows for which an expression raised an error on OLD so far. All readers of the table share it."""
    objects: tuple[int, ...] = ()
    """Mappings whose texts OLD makes one JSON object of, under the names ``c0, c1 …``; empty: none."""

    @property
    def raw(self) -> bool:
        """Whether OLD is SQL_ASCII and does not know what its text means."""
        return self.job.old.encoding == "SQL_ASCII"

    async def chunks(
        self,
        batches: Iterable[Batch],
        positions: Sequence[int],
        gaps: Sequence[int] = (),
        *,
        only: Sequence[str] | None = None,
        presence: bool = False,
    ) -> AsyncIterator[Chunk]:
        """Yields the rows of the batches; with ``only`` those that satisfy one of these predicates.

        Rows for which an expression raises on OLD are left out and entered in ``broken``. ``presence``: of
        what lookups find nobody asks more than whether it is there, or is NULL.
        """
        needed = (*positions, *gaps)
        raises = self.may_raise(needed)
        if not raises and await self.lookups.same_for_all(self.new, self.plan.with_lookups(needed)):
            batches = joined(batches)
        for some in bundles(batches, alone=raises or not self._reads_one_row):
            if len(some) > 1:
                async for chunk in self._together(some, positions, gaps, only):
                    yield chunk
                continue
            (batch,) = some
            bindings = await self._bindings(batch, needed, presence=presence)
            read = self._tried if raises else self._batch
            async for chunk in read(batch, positions, gaps, bindings, only):
                yield chunk

    async def _tried(
        self,
        batch: Batch,
        positions: Sequence[int],
        gaps: Sequence[int],
        bindings: Bindings,
        only: Sequence[str] | None,
    ) -> AsyncIterator[Chunk]:
        """Yields the rows of a batch, again without those that raise where one does."""
        seen: list[Locator] = []
        await self.old.execute(SAVEPOINT)
        try:
            async for chunk in self._batch(batch, positions, gaps, bindings, only):
                yield chunk
                seen += chunk.rows
            await self.old.execute(ROLL_BACK)
        except RAISED:
            await self.old.execute(ROLL_BACK)
            needed = (*positions, *gaps)
            raising = sorted({*positions, *self.plan.with_lookups(needed).keyed_by_sql})
            await self._find_broken(batch.source, in_batch(self.plan, batch), raising, bindings)
            async for chunk in self._batch(batch, positions, gaps, bindings, only, seen):
                yield chunk

    @property
    def _reads_one_row(self) -> bool:
        """Whether every value comes from the old row alone."""
        alone = Take | Constant | NewDefault | MapValues | Coalesce
        return all(isinstance(mapping.expression, alone) for mapping in self.plan.columns)

    async def _together(
        self,
        batches: Sequence[Batch],
        positions: Sequence[int],
        gaps: Sequence[int],
        only: Sequence[str] | None,
    ) -> AsyncIterator[Chunk]:
        """Yields the rows of several small batches, which one statement reads."""
        before, texts = self.job.before(self.plan), self._texts(positions, gaps, ())

        def query(wanted: TextColumns) -> str:
            return select_together(
                [(one.source, select_texts(self.plan, before, one, wanted, only=only)) for one in batches]
            )

        portions = await self._portions(query, texts, sum(batch.rows for batch in batches))
        async for chunk in self._stream(query(texts), None, positions, gaps, portions):
            yield chunk

    async def _bindings(self, batch: Batch, positions: Sequence[int], *, presence: bool) -> Bindings:
        """Returns what NEW holds for a batch; rows whose keys OLD cannot compute are entered in
        ``broken``.
        """
        plan = self.plan.with_lookups(positions)
        keyed = plan.keyed_by_sql
        if not keyed:
            bound = await self.lookups.bind(self.old, self.new, plan, batch)
            hashed = presence and self.job.old.server_version >= _HASHES_LISTS
            return tuple(replace(one, presence=hashed and one.searched is not None) for one in bound)
        await self.old.execute(SAVEPOINT)
        try:
            bindings = await self.lookups.bind(self.old, self.new, plan, batch, self._broken_in(batch))
        except RAISED:
            await self.old.execute(ROLL_BACK)
            await self._find_broken(batch.source, in_batch(self.plan, batch), keyed, ())
            return await self.lookups.bind(self.old, self.new, plan, batch, self._broken_in(batch))
        await self.old.execute(ROLL_BACK)
        return bindings

    def _broken_in(self, batch: Batch) -> list[Locator]:
        return [row for row in self.broken if row.source == batch.source]

    async def _batch(
        self,
        batch: Batch,
        positions: Sequence[int],
        gaps: Sequence[int],
        bindings: Bindings,
        only: Sequence[str] | None,
        seen: Sequence[Locator] = (),
    ) -> AsyncIterator[Chunk]:
        before = self.job.before(self.plan)
        excluded = [*self._broken_in(batch), *seen]
        texts = self._texts(positions, gaps, bindings)
        plan = self.plan.with_lookups((*positions, *gaps))

        def query(wanted: TextColumns) -> str:
            return select_texts(plan, before, batch, wanted, only=only, excluded=excluded)

        portions = await self._portions(query, texts, batch.rows)
        async for chunk in self._stream(query(texts), batch.source, positions, gaps, portions):
            yield chunk

    def _texts(self, positions: Sequence[int], gaps: Sequence[int], bindings: Bindings) -> TextColumns:
        return TextColumns(positions, gaps, bindings, self.raw, self.objects)

    def may_raise(self, positions: Sequence[int]) -> bool:
        """Returns whether computing one of these mappings may raise an error on OLD."""
        before = self.job.before(self.plan)
        expressions = [self.plan.columns[n].expression for n in positions]
        takes = [
            e.of if isinstance(e, Coalesce) else e for e in expressions if isinstance(e, Take | Coalesce)
        ]
        computed = any(
            (column := before.column(take.column)) is not None and column.computed_when_read for take in takes
        )
        return (
            computed
            or bool(self.plan.with_lookups(positions).keyed_by_sql)
            or any(isinstance(e, Sql) for e in expressions)
            or any(take.conversion.rule is Rule.ZONE for take in takes)
        )

    async def _find_broken(
        self, source: int, read: str, positions: Sequence[int], bindings: Bindings
    ) -> None:
        """Enters rows of one source for which a mapping raises in ``broken``; ``read`` is FROM and WHERE of
        those that are tried.
        """
        await self.old.execute(SAVEPOINT)
        joins = Joins(self.plan, self.job.before(self.plan), bindings)
        await self.old.execute(raising_rows(joins, source, read, positions))
        answers = decode(await self.old.fetchval(ANSWER), type=list[tuple[str, int, str, str]])
        await self.old.execute(ROLL_BACK)
        for row, position, sqlstate, message in answers:
            failure = Failure(sqlstate, message, column=self.plan.columns[position].column)
            self.broken[parse(source, row)] = failure

    async def _portions(self, query: Callable[[TextColumns], str], texts: TextColumns, rows: int) -> Portions:
        """Returns how many of the rows of a query are fetched together: by their lengths, or at first by the
        average size of a row on OLD's disk, where compressed values may be larger when read.
        """
        before = self.job.before(self.plan)
        width = 4 * before.bytes / max(before.row_estimate, rows, 1.0)
        first = max(1, min(_FIRST, int(BYTES / max(width, 1.0))))
        if not may_differ_much(before):
            return Portions(first, self.old)
        lengths = self.old.cursor(query(replace(texts, lengths=True)))
        return Portions(first, self.old, await answered(self.old, lengths))

    async def chosen(
        self, rows: Iterable[Locator], positions: Sequence[int], gaps: Sequence[int] = ()
    ) -> AsyncIterator[Chunk]:
        """Yields just these rows, without those for which an expression raises."""
        for group in by_source(row for row in rows if row not in self.broken):
            seen: set[Locator] = set()
            if not self.may_raise((*positions, *gaps)):
                async for chunk in self._group(group, positions, gaps):
                    yield chunk
                continue
            await self.old.execute(SAVEPOINT)
            try:
                async for chunk in self._group(group, positions, gaps):
                    yield chunk
                    seen.update(chunk.rows)
                await self.old.execute(ROLL_BACK)
            except RAISED:
                await self.old.execute(ROLL_BACK)
                unread = [row for row in group if row not in seen]
                left = await self._computable(unread, positions, gaps)
                async for chunk in self._group(left, positions, gaps):
                    yield chunk

    async def _group(
        self, rows: Sequence[Locator], positions: Sequence[int], gaps: Sequence[int]
    ) -> AsyncIterator[Chunk]:
        """Yields chosen rows of one source."""
        if not rows:
            return
        before, plan = self.job.before(self.plan), self.plan.with_lookups((*positions, *gaps))
        bindings = await self.lookups.bind_rows(self.old, self.new, plan, rows)
        texts = self._texts(positions, gaps, bindings)
        query = partial(select_texts_of, plan, before, rows)
        portions = await self._portions(query, texts, -1)
        async for chunk in self._stream(query(texts), rows[0].source, positions, gaps, portions):
            yield chunk

    async def _computable(
        self, rows: Sequence[Locator], positions: Sequence[int], gaps: Sequence[int]
    ) -> list[Locator]:
        """Returns the rows of one source for which no mapping raises, and enters the others in ``broken``."""
        plan = self.plan.with_lookups((*positions, *gaps))
        for some, bound in ((plan.keyed_by_sql, False), (positions, True)):
            left = [row for row in rows if row not in self.broken]
            if left and some:
                source = left[0].source
                given = await self.lookups.bind_rows(self.old, self.new, plan, left) if bound else ()
                await self._find_broken(source, chosen_rows(self.plan, left), some, given)
        return [row for row in rows if row not in self.broken]

    async def _stream(
        self,
        query: str,
        source: int | None,
        positions: Sequence[int],
        gaps: Sequence[int],
        portions: Portions,
    ) -> AsyncIterator[Chunk]:
        """Yields what a query reads of one source; None: its first column says of which."""
        cursor = await answered(self.old, self.old.cursor(query))
        while records := await answered(self.old, cursor.fetch(await portions.size())):
            columns = list(zip(*records, strict=True))
            if source is not None:
                rows = locate_all(source, columns[0])
            else:
                rows = tuple(map(locate, columns.pop(0), columns[0]))
            if self.objects:
                yield Chunk(rows, {}, {}, columns[1])
                portions.follow(sum(map(len, columns[1])) / len(records))
                continue
            values = [_decoded(c) if self.raw else c for c in columns[1:]]
            yield Chunk(
                rows,
                dict(zip(positions, values, strict=False)),
                dict(zip(gaps, values[len(positions) :], strict=True)),
            )
            width = sum(len(v) for column in values for v in column if v is not None) / len(records)
            portions.follow(width)


def bundles(batches: Iterable[Batch], *, alone: bool) -> Iterator[list[Batch]]:
    """Yields the batches that may have rows, in order: small ones of whole sources together, unless
    ``alone``.
    """
    some: list[Batch] = []
    for batch in filter(_rows, batches):
        # -1 rows: nobody has counted them.
        if alone or not isinstance(batch.range, Whole) or not 0 < batch.rows <= _SMALL:
            yield from ([some, [batch]] if some else [[batch]])
            some = []
            continue
        if len(some) >= _TOGETHER or sum(map(_rows, some)) + batch.rows > _ROWS:
            yield some
            some = []
        some.append(batch)
    if some:
        yield some


def _rows(batch: Batch) -> int:
    return batch.rows


def by_source(rows: Iterable[Locator]) -> list[list[Locator]]:
    """Returns rows in order, in groups of one source and a bounded size."""
    groups: list[list[Locator]] = []
    for row in sorted(rows):
        if not groups or groups[-1][0].source != row.source or len(groups[-1]) >= _CHOSEN:
            groups.append([])
        groups[-1].append(row)
    return groups


def _decoded(column: Sequence[bytes | None]) -> tuple[str | None, ...]:
    return tuple(v.decode("utf-8", "surrogateescape") if v is not None else None for v in column)
