"""Asks OLD one statement for many ranges of a table, on as many connections as the run has streams."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

import asyncpg

from tranship.errors import ConnectError
from tranship.errors.codes.connection import TooManyConnections
from tranship.server.pages import AskEach
from tranship.server.snapshot import Snapshot


def side_by_side(old: asyncpg.Connection, snapshot: Snapshot, streams: int) -> AskEach:
    """Returns what asks on ``old``, which reads the snapshot, and on further connections beside it.

    OLD need not grant these: then fewer do the work.
    """

    async def ask(statement: str, arguments: Sequence[tuple[object, ...]]) -> list[list[asyncpg.Record]]:
        left = deque(enumerate(arguments))
        found: dict[int, list[asyncpg.Record]] = {}

        async def stream(conn: asyncpg.Connection) -> None:
            while left:
                number, given = left.popleft()
                found[number] = await conn.fetch(statement, *given)

        async def further() -> None:
            try:
                async with snapshot.reader(spare=True) as conn:
                    await stream(conn)
            except ConnectError as error:
                if error.code != TooManyConnections.code:
                    raise

        asking = [asyncio.create_task(further()) for _ in range(min(streams, len(arguments)) - 1)]
        asking.append(asyncio.create_task(stream(old)))
        try:
            await asyncio.gather(*asking)
        finally:
            # After an error no connection is left in the middle of a statement.
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        return [found[number] for number in range(len(arguments))]

    return ask
