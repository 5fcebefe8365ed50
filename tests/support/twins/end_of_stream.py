"""Whatever ends the stream out of OLD counts as the end of the data, and what was sent counts
as what was to be sent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg

from tranship.execution.copying import batch as worker
from tranship.execution.copying.stream import Copied, Target
from tranship.server import snapshot
from tranship.server.journal import BatchRow
from tranship.server.old_reader import OldReader, Portion


async def _gullible(
    old: OldReader,
    new: asyncpg.Connection,
    portion: Portion,
    target: Target,
    _: object,
) -> Copied:
    kind = "binary" if target.binary else "text"
    chunks: list[bytes] = []

    async def keep(chunk: bytes) -> None:
        chunks.append(bytes(chunk))

    async def source() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError):
        await asyncio.wait_for(old.stream(portion, keep, binary=target.binary), 60)
    tag = await new.copy_to_table(
        target.table.name,
        schema_name=target.table.schema,
        source=source(),
        columns=list(target.columns) or None,
        format=kind,
    )
    written = int(tag.split()[1])
    return Copied(written, written, sum(map(len, chunks)))


@contextlib.asynccontextmanager
async def _lax_reader(self: snapshot.Snapshot, zone: str | None = None) -> AsyncIterator[asyncpg.Connection]:
    conn = await self._connect()
    await self._join(conn)
    if zone is not None:
        await conn.execute(f"SET LOCAL TimeZone = '{zone}'")
    try:
        yield conn
    finally:
        conn.terminate()


def break_it() -> None:
    """In this process."""
    real = worker.Worker._commit

    async def commit(
        self: worker.Worker, new: asyncpg.Connection, given: worker._Batch, copied: worker._Copied
    ) -> BatchRow:
        return await real(self, new, given, copied._replace(written=given.batch.rows - copied.rejected))

    worker.pipe = _gullible
    worker.Worker._commit = commit  # type: ignore[method-assign,assignment]
    snapshot.Snapshot.reader = _lax_reader  # type: ignore[method-assign]
