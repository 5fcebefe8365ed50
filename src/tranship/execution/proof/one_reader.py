"""One reader of OLD for comparisons that follow each other: beginning one takes longer than a small table."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import asyncpg

from tranship.server.snapshot import Snapshot


class OneReader:
    """Gives a transaction on the snapshot, the same one as long as its time zone is asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._stack = AsyncExitStack()
        self._open: tuple[str | None, asyncpg.Connection] | None = None

    async def on(self, zone: str | None) -> asyncpg.Connection:
        """Returns the transaction, in a time zone. Raises as `Snapshot.reader` does."""
        if self._open is None or self._open[0] != zone:
            await self.close()
            self._open = zone, await self._stack.enter_async_context(self._snapshot.reader(zone))
        return self._open[1]

    async def close(self) -> None:
        """Ends the transaction, also one that an error has ended on the server."""
        self._open = None
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, trace)
