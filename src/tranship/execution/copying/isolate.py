"""Copies a batch that NEW refuses again in pieces under savepoints, until the refused rows are known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import asyncpg
from msgspec import Struct

from tranship.execution.copying.stream import write_lines
from tranship.execution.resilience.server_errors import failing_line, is_rows_fault, reject_of
from tranship.model.catalog import ForeignKey
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.verdict import Reject
from tranship.sql.session import CONSTRAINTS_NOW, RELEASE, SAVEPOINT, TO_SAVEPOINT

SAVEPOINTS = 32
"""Savepoints that a transaction keeps. Beyond 64 subtransactions a backend overflows its cache of them, and
every snapshot of the server becomes slow (PostgreSQL documentation, "Subtransactions").
"""
SMALLEST = 32
"""Least rows of the segment after a refused row: refused rows often come in groups."""

Marker = Callable[[], Awaitable[int]]


class Line(Struct, frozen=True):
    """One row as text COPY sends it, and which old row it is."""

    row: Locator
    text: bytes


class Isolated(Struct):
    """The part of a batch that one transaction copied."""

    written: int = 0
    taken: int = 0
    """Lines written or rejected, from the first on."""
    rejects: list[Reject] = []
    xids: list[int] = []
    """Transaction ids of the savepoints that hold rows."""


class Isolation:
    """Writes lines into one table inside the batch's open transaction.

    ``mark`` returns the transaction id of the innermost savepoint, ``keys`` are the table's foreign keys.
    """

    def __init__(
        self,
        new: asyncpg.Connection,
        table: TableName,
        columns: Sequence[str],
        mark: Marker,
        keys: Sequence[ForeignKey] = (),
    ) -> None:
        self._new = new
        self._table = table
        self._columns = columns
        self._mark = mark
        self._keys = keys
        self._result = Isolated(rejects=[], xids=[])

    async def run(self, lines: Sequence[Line], *, may_stop: bool) -> Isolated:
        """Writes what NEW takes and rejects the rest.

        ``may_stop``: leaves the remaining lines to another transaction once too many savepoints are kept.
        All rows made of one old row stay in one transaction.
        """
        result, size = self._result, len(lines)
        while result.taken < len(lines):
            if may_stop and len(result.xids) >= SAVEPOINTS:
                size = min(size, _of_same_row(lines, result.taken))
                if not size:
                    break
            size = min(size, len(lines) - result.taken)
            segment = lines[result.taken : result.taken + size]
            error = await self._write(segment)
            if error is None:
                size *= 2
                continue
            size = await self._narrow(segment, error)
        return result

    async def _narrow(self, segment: Sequence[Line], error: asyncpg.PostgresError) -> int:
        """Writes and rejects what the error tells. Returns the size of the next segment in lines."""
        line = failing_line(error, self._table)
        if line is None or not 1 <= line <= len(segment):
            if len(segment) > 1:
                return len(segment) // 2
            line = 1
        if line > 1:
            again = await self._write(segment[: line - 1])
            if again is not None:
                return max(1, (line - 1) // 2)
        row = segment[line - 1].row
        self._result.rejects.append(reject_of(row, error, self._table, self._columns, self._keys))
        self._result.taken += 1
        return max(SMALLEST, line - 1)

    async def _write(self, segment: Sequence[Line]) -> asyncpg.PostgresError | None:
        """Writes all lines of a segment or none. Returns the error for which NEW refused them."""
        await self._new.execute(SAVEPOINT)
        try:
            written = await write_lines(self._new, self._table, self._columns, [s.text for s in segment])
            # Deferred constraints would fail at COMMIT only, where no savepoint can be rolled back any more.
            await self._new.execute(CONSTRAINTS_NOW)
        except asyncpg.PostgresError as error:
            if not is_rows_fault(error, self._table):
                raise
            await self._new.execute(TO_SAVEPOINT)
            await self._new.execute(RELEASE)
            return error
        xid = await self._mark()
        await self._new.execute(RELEASE)
        self._result.xids.append(xid)
        self._result.written += written
        self._result.taken += len(segment)
        return None


def _of_same_row(lines: Sequence[Line], at: int) -> int:
    """Returns how many lines from ``at`` on are made of the same old row as the line before."""
    here = lines[at - 1].row.address
    end = at
    while end < len(lines) and lines[end].row.address == here:
        end += 1
    return end - at
