"""Sessions on NEW for everything that is no batch: the journal, switches, foreign keys, sequences.

Such a session is idle for hours while batches run, and firewalls and servers end idle connections.
`ReconnectingSession` therefore opens a new one. `PlainSession` does not, because its transaction or its lock
would be gone with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import asyncpg

from tranship.config import Config
from tranship.errors import TranshipError
from tranship.execution.context import RunContext
from tranship.execution.resilience.retry import retry
from tranship.execution.resilience.stop_reasons import not_begun
from tranship.execution.resilience.writer_lock import end_backends
from tranship.model.notes import Note
from tranship.model.progress import Noted
from tranship.server.session import ISO, datestyle, open_session
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql.session import BACKEND

T = TypeVar("T")
_FRESH = 1.0
"""Seconds after its last work for which a connection is taken to be alive without being asked."""
Action = Callable[[asyncpg.Connection], Awaitable[T]]
"""Work on a connection that is in no transaction before and after."""


class Session(Protocol):
    """Does work on a connection to NEW and retries it after a transient error."""

    async def work(self, what: str, action: Action[T]) -> T:
        """Returns the action's result. ``what`` names the work in messages about retries.

        An action is called again when its answer was lost, so it has to find out whether it was done already.
        """
        ...


class PlainSession:
    """A session on one connection, whose loss ends the work: its transaction or its lock is lost with it."""

    def __init__(
        self, conn: asyncpg.Connection, tell: Callable[[Noted], None], stop: asyncio.Event | None = None
    ) -> None:
        """``stop``: once set, nothing is retried."""
        self._conn = conn
        self._tell = tell
        self._stop = stop

    async def alive(self) -> asyncpg.Connection:
        """Returns the connection, which may be broken."""
        return self._conn

    async def work(self, what: str, action: Action[T]) -> T:
        """Returns the action's result, as `Session` says; a closed connection is not tried again."""
        return await retry(
            lambda: action(self._conn),
            tell=self._say,
            what=what,
            stop=self._stop,
            worth=lambda: not self._conn.is_closed(),
        )

    def as_it_is(self) -> PlainSession:
        """Returns a session on the same connection that never reconnects, for a run that stops."""
        return PlainSession(self._conn, self._tell)

    def _say(self, note: Note) -> None:
        self._tell(Noted(note))


class ReconnectingSession(PlainSession):
    """A session that opens a new connection when the old one is lost."""

    def __init__(self, conn: asyncpg.Connection, context: RunContext) -> None:
        super().__init__(conn, context.on_event, context.stop)
        self._config = context.config
        self._job = context.job
        self._answered = -_FRESH
        """When the connection last did its work, on the monotonic clock."""
        self.on_renewed: Callable[[asyncpg.Connection], Awaitable[None]] | None = None
        """Called with each new connection; what it raises ends the run."""

    async def alive(self) -> asyncpg.Connection:
        """Returns a connection that answers.

        Raises:
            ConnectError: NEW could not be reached in all tries.
        """
        return await retry(self._answering, tell=self._say, what="NEW", stop=self._stop)

    async def work(self, what: str, action: Action[T]) -> T:
        """Returns the action's result, as `Session` says."""

        async def once() -> T:
            fresh = time.monotonic() - self._answered < _FRESH
            # Work that fails on it is tried again, and then the connection is asked first.
            self._answered = -_FRESH
            done = await action(self._conn if fresh else await self._answering())
            self._answered = time.monotonic()
            return done

        return await retry(once, tell=self._say, what=what, stop=self._stop)

    async def _answering(self) -> asyncpg.Connection:
        try:
            await self._conn.fetchval(BACKEND)
        except DATABASE_TROUBLE:
            left = self._conn.get_server_pid()
            self._conn.terminate()
            conn = await open_session(self._config.new, datestyle=datestyle(self._job.new))
            try:
                # The old backend may not have noticed: it could still commit the work that is now repeated.
                await end_backends(conn, [left])
                if self.on_renewed is not None:
                    await self.on_renewed(conn)
            except (*DATABASE_TROUBLE, TranshipError):
                conn.terminate()
                raise
            self._conn = conn
        return self._conn

    async def mark(self, statement: str, *values: object) -> None:
        """Runs one statement without a retry, because a run that stops must not wait for a server."""
        await self._conn.execute(statement, *values)

    def close(self) -> None:
        """Ends the connection at once."""
        self._conn.terminate()


@asynccontextmanager
async def control(config: Config) -> AsyncIterator[asyncpg.Connection]:
    """Opens a connection to NEW for commands that concern the journal alone.

    Raises:
        TranshipError: the server or the network failed; it replaces the driver's error.
    """
    try:
        new = await open_session(config.new, datestyle=ISO)
        try:
            yield new
        finally:
            await new.close()
    except DATABASE_TROUBLE as error:
        raise not_begun(error) from error
