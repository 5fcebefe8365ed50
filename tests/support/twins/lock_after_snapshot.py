"""The snapshot is taken first, the locks afterwards; the time between is long enough to be hit."""

from __future__ import annotations

import asyncio

from tranship.server import snapshot
from tranship.sql.old import snapshot as sql_snapshot

BETWEEN = 1.5
"""Seconds."""


def break_it() -> None:
    """In this process."""

    async def take(self: snapshot.Snapshot) -> None:
        conn = await self._connect()
        self.version = await conn.fetchval("SELECT pg_catalog.current_setting('server_version_num')::integer")
        await conn.execute(sql_snapshot.BEGIN_SNAPSHOT)
        exported = await conn.fetchval(sql_snapshot.EXPORT_SNAPSHOT)
        stands = await conn.fetchrow(sql_snapshot.current_snapshot(self.version))
        self.mark = snapshot.Mark(stands["text"], stands["timeline"])
        await asyncio.sleep(BETWEEN)
        await conn.execute(sql_snapshot.lock_shared(self._relations))
        self._holders.append(snapshot._Holder(conn, exported))
        await self._relay()

    snapshot.Snapshot._take = take  # type: ignore[method-assign]
