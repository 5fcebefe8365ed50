"""A read timeout for batches that a slow server does not trip.

A batch is given up only when nothing moves and both servers say that they wait for us: a long query on a busy
server moves nothing either, and must not be ended for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from tranship.config import Config
from tranship.server.connect import is_working

LOOK_INTERVAL = 5.0
"""Seconds between two looks at the progress."""
READ_TIMEOUT = 50.0
"""Seconds without progress after which the servers are asked, so that with the two looks a fault costs a
minute."""


class Progress:
    """Counts the bytes and statements of a batch."""

    def __init__(self) -> None:
        self.count = 0

    def step(self, size: int = 1) -> None:
        """Adds to the count."""
        self.count += size


@asynccontextmanager
async def watched(
    config: Config,
    connections: Callable[[], tuple[asyncpg.Connection | None, asyncpg.Connection]],
    progress: Progress,
) -> AsyncIterator[None]:
    """Ends the connections of the block (OLD's reader, NEW's writer) when they are stalled.

    Whoever waits on them then gets the error of a lost connection, which is transient.
    """
    watching = asyncio.create_task(_watch(config, connections, progress))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(
    config: Config,
    connections: Callable[[], tuple[asyncpg.Connection | None, asyncpg.Connection]],
    progress: Progress,
) -> None:
    seen, quiet = progress.count, 0.0
    while True:
        await asyncio.sleep(LOOK_INTERVAL)
        quiet = quiet + LOOK_INTERVAL if progress.count == seen else 0.0
        seen = progress.count
        if quiet < READ_TIMEOUT:
            continue
        # Other connections ask: those of the batch are the ones that do not answer.
        old, new = connections()
        working = [await is_working(config.new, new.get_server_pid())] + (
            [await is_working(config.old, old.get_server_pid())] if old is not None else []
        )
        if not any(working) and progress.count == seen:
            for conn in filter(None, (old, new)):
                conn.terminate()
            return
