"""A connection that does not wait for ever: a half-open one is noticed although nothing on the network shows
it.

A time limit for statements would end slow ones. So after a while the server itself is asked, through another
connection, whether the backend still works; only when it repeatedly does not, although no answer came, is the
connection given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import asyncpg

T = TypeVar("T")
READ_TIMEOUT = 45.0
"""Seconds without an answer after which the server is asked. It is longer than most statements of a batch
take, so that a healthy run opens no further connections."""
LOOK_INTERVAL = 5.0
"""Seconds between two looks at the backend, and the time limit of one look."""
IDLE_LOOKS = 4
"""Looks in a row that must find the backend idle before its connection is given up: a large result may still
be on the network.
"""


class WatchedConnection(asyncpg.Connection):  # type: ignore[misc]
    """A driver connection that is terminated while a caller waits for an answer on which no backend works any
    more.

    The caller then gets the driver's error for a lost connection. COPY is watched by the bytes that move
    (``execution/resilience/stall.py``) and not here.
    """

    is_working: Callable[[int], Awaitable[bool]] | None = None
    """Returns whether the backend of this process id works on something; None: the connection is not
    watched.
    """

    announced_pid: int | None = None
    """The process id that was announced when the connection began; a pooler invents one."""

    backend_pid: int | None = None
    """The process id as ``pg_backend_pid()`` gave it. It is kept because the driver forgets its own when the
    connection ends.
    """

    def get_server_pid(self) -> int:
        """Returns the backend's process id, also of a connection that has ended or goes through a pooler."""
        return self.backend_pid if self.backend_pid is not None else int(super().get_server_pid())

    async def execute(self, query: str, *args: object, **options: object) -> object:
        """Does what the driver's method does, watched."""
        with self.awaited():
            return await super().execute(query, *args, **options)

    async def executemany(self, command: str, args: object, **options: object) -> object:
        """Does what the driver's method does, watched."""
        with self.awaited():
            return await super().executemany(command, args, **options)

    async def fetch(self, query: str, *args: object, **options: object) -> object:
        """Does what the driver's method does, watched."""
        with self.awaited():
            return await super().fetch(query, *args, **options)

    async def fetchval(self, query: str, *args: object, **options: object) -> object:
        """Does what the driver's method does, watched."""
        with self.awaited():
            return await super().fetchval(query, *args, **options)

    async def fetchrow(self, query: str, *args: object, **options: object) -> object:
        """Does what the driver's method does, watched."""
        with self.awaited():
            return await super().fetchrow(query, *args, **options)

    async def prepare(self, *args: object, **options: object) -> object:
        """Does what the driver's method does, watched."""
        with self.awaited():
            return await super().prepare(*args, **options)

    async def copy_records_to_table(self, *args: object, **options: object) -> object:
        """Does what the driver's method does, watched."""
        with self.awaited():
            return await super().copy_records_to_table(*args, **options)

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Watches the wait for one answer. Until :data:`READ_TIMEOUT` it costs one timer and no task."""
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
    """Awaits an answer that a cursor of the connection fetches without the methods above, watched, and
    returns it.
    """
    # asyncpg's metaclass makes isinstance() true for any connection, hence the look at the classes.
    if WatchedConnection not in type(conn).__mro__:
        return await answer
    with conn.awaited():
        return await answer
