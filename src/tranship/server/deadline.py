"""A connection that does not wait for ever: a half-open one is found out although nothing on the network says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import asyncpg

T = TypeVar("T")
READ_TIMEOUT = 45.0
"""Seconds without an answer after which the server is asked, through another connection, what the backend does."""
LOOK_INTERVAL = 5.0
"""Seconds between two looks."""
IDLE_LOOKS = 4
"""So many times in a row the backend must not be at work before its connection is given up: a result may take its time on the network."""


class WatchedConnection(asyncpg.Connection):  # type: ignore[misc]
    """Whoever waits for the answer to a statement that no backend works on any more hears a lost connection. COPY is watched by its bytes instead."""

    is_working: Callable[[int], Awaitable[bool]] | None = None
    """Whether the backend with this process id is at work; None: the connection is not watched."""

    announced_pid: int | None = None
    """The process id that came with the connection; poolers make one up."""

    backend_pid: int | None = None
    """The process id of its server process by the server's own word, kept for when it is over: the driver forgets it then."""

    def get_server_pid(self) -> int:
        """As the driver's, of a connection that is over or goes through a pooler as well."""
        return self.backend_pid if self.backend_pid is not None else int(super().get_server_pid())

    async def execute(self, query: str, *args: object, **options: object) -> object:
        """As the driver's."""
        with self.awaited():
            return await super().execute(query, *args, **options)

    async def executemany(self, command: str, args: object, **options: object) -> object:
        """As the driver's."""
        with self.awaited():
            return await super().executemany(command, args, **options)

    async def fetch(self, query: str, *args: object, **options: object) -> object:
        """As the driver's."""
        with self.awaited():
            return await super().fetch(query, *args, **options)

    async def fetchval(self, query: str, *args: object, **options: object) -> object:
        """As the driver's."""
        with self.awaited():
            return await super().fetchval(query, *args, **options)

    async def fetchrow(self, query: str, *args: object, **options: object) -> object:
        """As the driver's."""
        with self.awaited():
            return await super().fetchrow(query, *args, **options)

    async def prepare(self, *args: object, **options: object) -> object:
        """As the driver's."""
        with self.awaited():
            return await super().prepare(*args, **options)

    async def copy_records_to_table(self, *args: object, **options: object) -> object:
        """As the driver's."""
        with self.awaited():
            return await super().copy_records_to_table(*args, **options)

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Around the wait for one answer: a timer and no more, unless it takes long."""
        if self.is_working is None:
            yield
            return
        looking: list[asyncio.Task[None]] = []
        loop = asyncio.get_running_loop()
        timer = loop.call_later(READ_TIMEOUT, lambda: looking.append(loop.create_task(self._look())))
        try:
            yield
        finally:
            timer.cancel()
            for task in looking:
                task.cancel()

    async def _look(self) -> None:
        idle = 0
        while idle < IDLE_LOOKS and self.is_working is not None:
            idle = 0 if await self.is_working(self.get_server_pid()) else idle + 1
            await asyncio.sleep(LOOK_INTERVAL if idle < IDLE_LOOKS else 0)
        self.terminate()


async def answered(conn: asyncpg.Connection, answer: Awaitable[T]) -> T:
    """What a cursor of a connection answers, which the driver fetches by itself."""
    if (
        WatchedConnection not in type(conn).__mro__
    ):  # the driver's own isinstance takes any connection for one of every class
        return await answer
    with conn.awaited():
        return await answer
