"""A batch that NEW refuses: copied again in pieces under savepoints until exactly the refused rows are known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import asyncpg
from msgspec import Struct

from tranship.execution.copying.stream import write_lines
from tranship.execution.resilience.server_errors import failing_line, is_rows_fault, reject_of
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.verdict import Reject
from tranship.sql.session import CONSTRAINTS_NOW, RELEASE, SAVEPOINT, TO_SAVEPOINT

SAVEPOINTS = 32
"""Kept savepoints of one transaction; beyond some 64 subtransactions every snapshot of the server becomes slow."""
SMALLEST = 32
"""Rows of the segment after a refused row."""

Marker = Callable[[], Awaitable[int]]


class Line(Struct, frozen=True):
    """One row as text COPY sends it, and which old row it is."""

    row: Locator
    text: bytes


class Isolated(Struct):
    """How far a batch got in one transaction."""

    written: int = 0
    taken: int = 0
    """Lines settled, from the first: written or rejected."""
    rejects: list[Reject] = []
    xids: list[int] = []
    """Transaction ids of the savepoints that hold rows."""


class Isolation:
    """Writes lines into one table inside the batch's open transaction; ``mark`` returns the savepoint's transaction id."""

    def __init__(
        self, new: asyncpg.Connection, table: TableName, columns: Sequence[str], mark: Marker
    ) -> None:
        self._new = new
        self._table = table
        self._columns = columns
        self._mark = mark
        self._result = Isolated(rejects=[], xids=[])

    async def run(self, lines: Sequence[Line], *, may_stop: bool) -> Isolated:
        """Write what NEW takes. ``may_stop``: leave the rest to another transaction once too many savepoints are kept."""
        result, size = self._result, len(lines)
        while result.taken < len(lines):
            if may_stop and len(result.xids) >= SAVEPOINTS:
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
        """Settles what the error tells; the size of the next segment."""
        line = failing_line(error, self._table)
        if line is None or not 1 <= line <= len(segment):
            if len(segment) > 1:
                return len(segment) // 2
            line = 1
        if line > 1:
            again = await self._write(segment[: line - 1])
            if again is not None:
                return max(1, (line - 1) // 2)
        self._result.rejects.append(reject_of(segment[line - 1].row, error, self._table, self._columns))
        self._result.taken += 1
        return max(SMALLEST, line - 1)

    async def _write(self, segment: Sequence[Line]) -> asyncpg.PostgresError | None:
        """All of them or none; what NEW said against them."""
        await self._new.execute(SAVEPOINT)
        try:
            written = await write_lines(self._new, self._table, self._columns, [s.text for s in segment])
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
