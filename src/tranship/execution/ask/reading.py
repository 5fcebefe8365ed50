"""Rows of OLD in chunks: their ctids and the shipped texts that a question needs.

Memory: a chunk holds at most about 16 MB of text (a single larger row apart) and 20 000 rows, whatever the batch size.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

import asyncpg
from msgspec import Struct

from tranship.execution.job import Job
from tranship.execution.lookup import Lookups
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch, RowId
from tranship.sql.reading import select_texts, select_texts_of

_ROWS = 20_000
_BYTES = 16_000_000
_FIRST = 200
"""Rows fetched before anything is known about their width."""
_CHOSEN = 10_000
"""Chosen rows that one statement names by their ctids."""


class Chunk(Struct, frozen=True):
    """Some rows of one table, column by column."""

    rows: tuple[RowId, ...]
    texts: Mapping[int, tuple[str | None, ...]]
    """Per mapping position; undecodable bytes of a SQL_ASCII database are lone surrogates."""
    gaps: Mapping[int, tuple[str | None, ...]]
    """Per mapping position the value that has no entry; None: no gap."""


class Reader(Struct, frozen=True):
    """Reads one table plan's rows for asking."""

    job: Job
    plan: TablePlan
    old: asyncpg.Connection
    new: asyncpg.Connection
    lookups: Lookups

    @property
    def raw(self) -> bool:
        """OLD does not know what its text means."""
        return self.job.old.encoding == "SQL_ASCII"

    async def chunks(
        self, batches: Iterable[Batch], positions: Sequence[int], gaps: Sequence[int] = (), *, only: Sequence[str] | None = None
    ) -> AsyncIterator[Chunk]:
        """The rows of the batches; ``only`` those that meet one of these predicates."""
        before = self.job.before(self.plan)
        for batch in batches:
            if batch.rows:
                bindings = await self.lookups.bind(self.old, self.new, self.plan, batch)
                query = select_texts(self.plan, before, batch, positions, gaps, bindings, only=only, raw=self.raw)
                async for chunk in self._stream(query, batch.source, positions, gaps, first=self._first(batch.rows)):
                    yield chunk

    def _first(self, rows: int) -> int:
        """Rows to begin with, by the average size of a row on OLD's disk: compressed values may be larger when read."""
        before = self.job.before(self.plan)
        width = 4 * before.bytes / max(before.row_estimate, rows, 1.0)
        return max(1, min(_FIRST, int(_BYTES / max(width, 1.0))))

    async def chosen(self, rows: Iterable[RowId], positions: Sequence[int], gaps: Sequence[int] = ()) -> AsyncIterator[Chunk]:
        """Just these rows."""
        before = self.job.before(self.plan)
        for group in by_source(rows):
            bindings = await self.lookups.bind_rows(self.old, self.new, self.plan, group)
            query = select_texts_of(self.plan, before, group, positions, gaps, bindings, raw=self.raw)
            async for chunk in self._stream(query, group[0].source, positions, gaps, first=self._first(-1)):
                yield chunk

    async def _stream(self, query: str, source: int, positions: Sequence[int], gaps: Sequence[int], *, first: int) -> AsyncIterator[Chunk]:
        cursor = await self.old.cursor(query)
        size = first
        while records := await cursor.fetch(size):
            columns = list(zip(*records, strict=True))
            rows = tuple(RowId(source, page, offset) for page, offset in columns[0])
            values = [_decoded(c) if self.raw else c for c in columns[1:]]
            yield Chunk(rows, dict(zip(positions, values, strict=False)), dict(zip(gaps, values[len(positions) :], strict=True)))
            width = sum(len(v) for column in values for v in column if v is not None) / len(records)
            size = max(1, min(_ROWS, int(_BYTES / (width + 50)), size * 10))


def by_source(rows: Iterable[RowId]) -> list[list[RowId]]:
    """Rows in order, cut so that a group has one source and a bounded size."""
    groups: list[list[RowId]] = []
    for row in sorted(rows):
        if not groups or groups[-1][0].source != row.source or len(groups[-1]) >= _CHOSEN:
            groups.append([])
        groups[-1].append(row)
    return groups


def _decoded(column: Sequence[bytes | None]) -> tuple[str | None, ...]:
    return tuple(v.decode("utf-8", "surrogateescape") if v is not None else None for v in column)
