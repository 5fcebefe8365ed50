"""The connection to NEW for everything that is no batch: idle for hours while batches run, and made again when that was too long for somebody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import asyncpg

from tranship.config import Config
from tranship.errors import TranshipError
from tranship.execution.context import RunContext
from tranship.execution.resilience.retry import retry
from tranship.execution.resilience.stop_reasons import in_vain
from tranship.execution.resilience.writer_lock import end_backends
from tranship.model.notes import Note
from tranship.model.progress import Noted
from tranship.server.session import ISO, datestyle, open_session
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql.session import BACKEND

T = TypeVar("T")
Action = Callable[[asyncpg.Connection], Awaitable[T]]
"""Begins and ends outside of a transaction."""


class Session(Protocol):
    """Whoever does a piece of work on a connection to NEW, and again where that may help."""

    async def work(self, what: str, action: Action[T]) -> T:
        """The action's result; ``what`` it is about, for the person who watches.

        An action whose answer is lost is done again: it finds out by itself whether it was done.
        """
        ...


class PlainSession:
    """A connection whose session counts, for what it holds: when it is lost, so is the work."""

    def __init__(
        self, conn: asyncpg.Connection, tell: Callable[[Noted], None], stop: asyncio.Event | None = None
    ) -> None:
        """``stop``: a person asked to; nothing is tried again then."""
        self._conn = conn
        self._tell = tell
        self._stop = stop

    async def alive(self) -> asyncpg.Connection:
        """The connection as it is."""
        return self._conn

    async def work(self, what: str, action: Action[T]) -> T:
        """As `Session` says; not again on a connection that is over."""
        return await retry(
            lambda: action(self._conn),
            tell=self._say,
            what=what,
            stop=self._stop,
            worth=lambda: not self._conn.is_closed(),
        )

    def as_it_is(self) -> PlainSession:
        """The same connection, once more and no further: for a run that stops."""
        return PlainSession(self._conn, self._tell)

    def _say(self, note: Note) -> None:
        self._tell(Noted(note))


class ReconnectingSession(PlainSession):
    """Made again when it was lost."""

    def __init__(self, conn: asyncpg.Connection, context: RunContext) -> None:
        super().__init__(conn, context.on_event, context.stop)
        self._config = context.config
        self._job = context.job
        self.on_renewed: Callable[[asyncpg.Connection], Awaitable[None]] | None = None
        """Asked of every connection that had to be made again; what it raises ends the run."""

    async def alive(self) -> asyncpg.Connection:
        """A connection that answers.

        Raises:
            ConnectError: NEW cannot be reached, after all tries.
        """
        return await retry(self._answering, tell=self._say, what="NEW", stop=self._stop)

    async def work(self, what: str, action: Action[T]) -> T:
        """As `Session` says."""

        async def once() -> T:
            return await action(await self._answering())

        return await retry(once, tell=self._say, what=what, stop=self._stop)

    async def _answering(self) -> asyncpg.Connection:
        try:
            await self._conn.fetchval(BACKEND)
        except DATABASE_TROUBLE:
            left = self._conn.get_server_pid()
            self._conn.terminate()
            conn = await open_session(self._config.new, datestyle=datestyle(self._job.new))
            try:
                # Half-open, it may still be at work, and about to commit it.
                await end_backends(conn, [left])
                if self.on_renewed is not None:
                    await self.on_renewed(conn)
            except (*DATABASE_TROUBLE, TranshipError):
                conn.terminate()
                raise
            self._conn = conn
        return self._conn

    async def mark(self, statement: str, *values: object) -> None:
        """One statement on the connection as it is: a run that stops does not try for long."""
        await self._conn.execute(statement, *values)

    def close(self) -> None:
        """Ends it."""
        self._conn.terminate()


@asynccontextmanager
async def control(config: Config) -> AsyncIterator[asyncpg.Connection]:
    """A connection to NEW for the journal's own commands.

    Raises:
        TranshipError: in the place of what a server or the network says, which is no fault of ours to show a traceback for.
    """
    try:
        new = await open_session(config.new, datestyle=ISO)
        try:
            yield new
        finally:
            await new.close()
    except DATABASE_TROUBLE as error:
        raise in_vain(error) from error
