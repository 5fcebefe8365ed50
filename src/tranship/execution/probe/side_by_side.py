"""Asks OLD one statement for many ranges of a table, on several connections at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence

import asyncpg

from tranship.errors import ConnectError
from tranship.server.pages import AskEach
from tranship.server.snapshot import Snapshot


def side_by_side(old: asyncpg.Connection, snapshot: Snapshot, streams: int) -> AskEach:
    """Returns what asks on ``old``, which reads the snapshot, and on further connections beside it.

    OLD need not grant these, and a pooler may let them wait: then fewer do the work.
    """

    async def ask(statement: str, arguments: Sequence[tuple[object, ...]]) -> list[list[asyncpg.Record]]:
        left = deque(enumerate(arguments))
        found: dict[int, list[asyncpg.Record]] = {}

        async def stream(conn: asyncpg.Connection) -> None:
            try:
                while left:
                    number, given = left.popleft()
                    found[number] = await conn.fetch(statement, *given)
            except BaseException:
                # The others ask nothing more.
                left.clear()
                raise

        async def further() -> None:
            with contextlib.suppress(ConnectError):
                async with snapshot.reader(spare=True) as conn:
                    connecting.discard(asyncio.current_task())
                    await stream(conn)

        asking = [asyncio.create_task(further()) for _ in range(min(streams, len(arguments)) - 1)]
        connecting: set[asyncio.Task[None] | None] = {*asking}
        try:
            await stream(old)
            await asyncio.gather(*(task for task in asking if task not in connecting))
        finally:
            # After an error no connection is left in the middle of a statement.
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        return [found[number] for number in range(len(arguments))]

    return ask
