"""A connection that does not wait for ever: a half-open one is noticed although nothing on the network shows
it.

A time limit for statements would end slow ones. So after a while the server itself is asked, through another
connection, whether the backend still works; only when it repeatedly does not, although no answer came, is the
connection given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, TypeVar

import asyncpg
from asyncpg.transaction import Transaction

from tranship.server import lock_waits
from tranship.server.delayed import after
from tranship.server.trouble import DATABASE_TROUBLE, UnknownVersion
from tranship.sql.session import hide_path

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


_LENGTHS = 500
"""Rows whose lengths are asked for together."""


class Announced(Protocol):
    """What a server announced, as attributes, and the types that the driver knows of it."""

    def register_data_types(self, types: Sequence[Mapping[str, object]]) -> None:
        """Makes types known to the driver."""
        ...


class Announcing(Protocol):
    """The driver's protocol, as far as it is asked here."""

    def get_settings(self) -> Announced:
        """Returns what the server announced."""
        ...


class _Transaction(Transaction):  # type: ignore[misc]
    """A transaction of the driver whose end does not hide the error that ended its block."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Does what the driver's method does. Where the connection is gone, so that nothing can be rolled
        back, the error of the block remains: it holds the server's reason.

        Raises:
            InterfaceError: the block ended without an error, and its connection before it.
        """
        try:
            await super().__aexit__(kind, error, trace)
        except DATABASE_TROUBLE:
            if error is None or not self._connection.is_closed():
                raise


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

    blockers: lock_waits.Blockers | None = None
    """Asks for whom the backend waits; None: nobody is told."""

    announced_pid: int | None = None
    """The process id that was announced when the connection began; a pooler invents one."""

    backend_pid: int | None = None
    """The process id as ``pg_backend_pid()`` gave it. It is kept because the driver forgets its own when the
    connection ends.
    """

    def __init__(
        self, protocol: Announcing, transport: asyncio.Transport, *more: object, **named: object
    ) -> None:
        """Makes the driver's connection, which needs the version that the server announces.

        Raises:
            UnknownVersion: it announces none that can be read; the connection is ended.
        """
        said = getattr(protocol.get_settings(), "server_version", None)
        try:
            super().__init__(protocol, transport, *more, **named)
        except (AttributeError, ValueError) as error:
            transport.abort()
            raise UnknownVersion(said) from error

    def get_server_pid(self) -> int:
        """Returns the backend's process id, also of a connection that has ended or goes through a pooler."""
        return self.backend_pid if self.backend_pid is not None else int(super().get_server_pid())

    def transaction(
        self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False
    ) -> Transaction:
        """Does what the driver's method does; the end of a lost transaction hides no error."""
        self._check_open()
        return _Transaction(self, isolation, readonly, deferrable)

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

    async def copy_to_table(self, *args: object, **options: object) -> object:
        """Does what the driver's method does, whose end by somebody else is the loss of the connection."""
        with self._copying():
            return await super().copy_to_table(*args, **options)

    async def copy_from_query(self, *args: object, **options: object) -> object:
        """Does what the driver's method does, whose end by somebody else is the loss of the connection."""
        with self._copying():
            return await super().copy_from_query(*args, **options)

    async def _introspect_types(self, typeoids: object, timeout: float | None) -> object:
        """Does what the driver's method does, under an empty search_path.

        The driver's query names operators and functions without their schema. In a session that has the
        database's own path, whoever may create some there would have them run with the rights of this role.
        """
        hide, show = hide_path(local=self.is_in_transaction())
        await super().execute(hide)
        found = await super()._introspect_types(typeoids, timeout)
        await super().execute(show)
        return found

    @contextmanager
    def _ended_by_others(self) -> Iterator[None]:
        """Turns what the driver raises on a connection that was terminated beneath it into a lost connection.

        asyncpg then writes to a transport that it has dropped already, which raises an AttributeError.

        Raises:
            ConnectionDoesNotExistError: the connection was terminated while the block used it.
        """
        try:
            yield
        except AttributeError as error:
            if not self.is_closed():
                raise
            raise asyncpg.ConnectionDoesNotExistError("the connection was ended meanwhile") from error

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Watches the wait for one answer. Until :data:`READ_TIMEOUT` it costs one timer and no task."""
        with self._copying(), self._watched():
            yield

    @contextmanager
    def _copying(self) -> Iterator[None]:
        """Names whoever holds the lock for which the block waits."""
        with self._ended_by_others(), lock_waits.watched(self.blockers, self.get_server_pid):
            yield

    @contextmanager
    def _watched(self) -> Iterator[None]:
        if self.is_working is None:
            yield
            return
        with after(READ_TIMEOUT, self._look):
            yield

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


async def each_row(
    conn: asyncpg.Connection, query: str, *values: object, at_once: int
) -> AsyncIterator[asyncpg.Record]:
    """Yields the rows of a query inside the connection's transaction, of which the server holds most back;
    ``at_once`` are fetched together, watched.
    """
    cursor = await answered(conn, conn.cursor(query, *values))
    while some := await answered(conn, cursor.fetch(at_once)):
        for row in some:
            yield row


async def each_large_row(
    conn: asyncpg.Connection, queries: tuple[str, str], *values: object, most: int
) -> AsyncIterator[asyncpg.Record]:
    """Yields the rows of a query inside the connection's transaction, of which so many bytes are fetched
    together, and a larger row alone. ``queries``: the query, and one for the bytes of each of its rows, in
    the same order.
    """
    cursor, lengths = [await answered(conn, conn.cursor(query, *values)) for query in queries]
    while sizes := [row[0] for row in await answered(conn, lengths.fetch(_LENGTHS))]:
        while sizes:
            fetched, held = 0, 0
            while sizes and (not fetched or held + sizes[0] <= most):
                held += sizes.pop(0)
                fetched += 1
            some = await answered(conn, cursor.fetch(fetched))
            while some:
                # Whoever is given the row holds it alone.
                yield some.pop(0)
