"""The connection to NEW for everything that is no batch: idle for hours while batches run, and made again when that was too long for somebody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg

from tranship.config import Config
from tranship.errors import TranshipError
from tranship.execution.job import Job
from tranship.execution.retry import retry
from tranship.execution.task import datestyle
from tranship.model.names import Side
from tranship.model.progress import Event, Noted
from tranship.server.connect import connect
from tranship.server.session import pin
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql.statements import BACKEND


class Control:
    """Asked for its connection before each piece of work, never inside a transaction."""

    def __init__(self, conn: asyncpg.Connection, config: Config, job: Job, tell: Callable[[Event], None], *, healing: bool = True) -> None:
        """``healing`` False: the connection's own transaction is what counts, as in a rehearsal."""
        self._conn = conn
        self._config = config
        self._job = job
        self._tell = tell
        self._healing = healing
        self.on_renewed: Callable[[asyncpg.Connection], Awaitable[None]] | None = None
        """Asked of every connection that had to be made again; what it raises ends the run."""

    async def alive(self) -> asyncpg.Connection:
        """A connection that answers.

        Raises:
            ConnectError: NEW cannot be reached, after all tries.
        """
        if not self._healing:
            return self._conn
        return await retry(self._once, tell=lambda message: self._tell(Noted(message)), what="NEW")

    async def _once(self) -> asyncpg.Connection:
        try:
            await self._conn.fetchval(BACKEND)
        except DATABASE_TROUBLE:
            self._conn.terminate()
            conn = await connect(self._config.new, application_name="tranship")
            try:
                await pin(conn, Side.NEW, datestyle=datestyle(self._job.new), search_path="")
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
