"""A read deadline that a slow server does not trip: a batch is given up when nothing moves and both servers say that they wait for us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from tranship.config import Config, Endpoint
from tranship.errors import ConnectError
from tranship.server.connect import connect
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql.queries import query

LOOK = 15.0
"""Seconds between two looks."""
QUIET = 60.0
"""Seconds without progress after which the servers are asked."""


class Progress:
    """Grows with every byte and every statement of a batch."""

    def __init__(self) -> None:
        self.count = 0

    def step(self, size: int = 1) -> None:
        """Something moved."""
        self.count += size


@asynccontextmanager
async def watched(
    config: Config, connections: Callable[[], tuple[asyncpg.Connection | None, asyncpg.Connection]], progress: Progress
) -> AsyncIterator[None]:
    """Ends the connections (OLD's reader, NEW's writer) of the block once they are stalled; whoever waits on them hears a lost connection."""
    watching = asyncio.create_task(_watch(config, connections, progress))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(config: Config, connections: Callable[[], tuple[asyncpg.Connection | None, asyncpg.Connection]], progress: Progress) -> None:
    seen, quiet = progress.count, 0.0
    while True:
        await asyncio.sleep(LOOK)
        quiet = quiet + LOOK if progress.count == seen else 0.0
        seen = progress.count
        if quiet < QUIET:
            continue
        old, new = connections()
        working = [await _works(config.new, new)] + ([await _works(config.old, old)] if old is not None else [])
        if not any(working) and progress.count == seen:
            for conn in filter(None, (old, new)):
                conn.terminate()
            return


async def _works(endpoint: Endpoint, conn: asyncpg.Connection) -> bool:
    """The backend behind a connection is busy; a server that cannot be asked counts as not busy."""
    try:
        asking = await connect(endpoint, application_name="tranship watch")
        try:
            return await asking.fetchval(query("backend_waits"), conn.get_server_pid(), timeout=LOOK) is not None
        finally:
            asking.terminate()
    except (*DATABASE_TROUBLE, ConnectError):
        return False
