"""One exported snapshot of OLD, held by two connections that relay it, and readers on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import asyncpg
from msgspec import Struct

from tranship.config import Endpoint
from tranship.errors import ConnectError, Stopped
from tranship.errors.codes.connection import OldTableLocked, TooManyConnections
from tranship.errors.codes.stops import SnapshotGone
from tranship.model.names import Side, TableName
from tranship.server.connect import connect
from tranship.server.session import pin
from tranship.server.trouble import DRIVER_TROUBLE
from tranship.sql import session as statements
from tranship.sql.old import snapshot as sql_snapshot

KEEP_ALIVE = 10.0
"""Seconds between two questions to each holder."""
LOCK_SECONDS = 3
LOCK_TRIES = 20
"""An ACCESS EXCLUSIVE lock of someone else on OLD is waited for about a minute, in steps that queue nobody behind us for long."""
_VACANCY_TRIES = 10
_VACANCY_SECONDS = 0.1
"""A server counts a connection for a moment after it was closed."""
_GONE = (
    *DRIVER_TROUBLE,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    ConnectError,
)


class SnapshotLost(Stopped):
    """No connection holds the snapshot any more."""

    def __init__(self) -> None:
        super().__init__(SnapshotGone())


class Mark(Struct, frozen=True):
    """Where a snapshot stands in the history of its cluster; equal marks of one cluster that are `complete`: nothing was written in between."""

    text: str
    """``pg_current_snapshot()``."""
    timeline: str
    """Changes when a standby takes over or a backup is restored: transaction numbers are given out a second time."""

    @property
    def oldest(self) -> int:
        """Every transaction before it had ended."""
        return int(self.text.partition(":")[0])

    @property
    def complete(self) -> bool:
        """It says which transactions were open: a standby does not, and shows their writes under the same text once they end."""
        oldest, next_one, open_ones = self.text.split(":")
        return oldest == next_one or bool(open_ones)

    def __str__(self) -> str:
        """As the journal keeps it."""
        return f"{self.text} {self.timeline}"

    @classmethod
    def of(cls, kept: str) -> Mark:
        """Back from the journal."""
        text, _, timeline = kept.partition(" ")
        return cls(text, timeline)


class Settings:
    """How sessions on OLD are pinned."""

    def __init__(self, *, datestyle: str, zone: str = "UTC") -> None:
        self.datestyle = datestyle
        self.zone = zone


class _Holder:
    """A connection whose open transaction keeps the snapshot and the locks."""

    def __init__(self, conn: asyncpg.Connection, exported: str) -> None:
        self.conn = conn
        self.exported = exported
        self.lock = asyncio.Lock()

    async def alive(self) -> bool:
        async with self.lock:
            try:
                await self.conn.fetchval(statements.BACKEND, timeout=30)
            except (*_GONE, TimeoutError):
                return False
        return True


class Snapshot:
    """All reads of OLD go through :meth:`reader`. Made by :meth:`open`."""

    def __init__(self, endpoint: Endpoint, relations: Sequence[TableName], settings: Settings) -> None:
        self._endpoint = endpoint
        self._relations = tuple(relations)
        self._settings = settings
        self._holders: list[_Holder] = []
        self._idle: list[asyncpg.Connection] = []
        self._crowded = False
        """The role's connections do not suffice for a second holder beside a reader."""
        self.mark = Mark("", "")
        self.version = 0

    @property
    def text(self) -> str:
        """``pg_current_snapshot()`` of the snapshot."""
        return self.mark.text

    @property
    def id(self) -> str:
        """An exported identifier that other sessions can import.

        Raises:
            SnapshotLost: nobody holds it.
        """
        if not self._holders:
            raise SnapshotLost
        return self._holders[0].exported

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        endpoint: Endpoint,
        relations: Sequence[TableName],
        *,
        datestyle: str = "ISO, MDY",
        zone: str = "UTC",
    ) -> AsyncIterator[Snapshot]:
        """Lock the relations, then take the snapshot and hold both until the end of the block.

        ``relations`` are tables of OLD (a partitioned one stands for all its leaves). The caller compares the catalog, read inside
        the snapshot, with what it planned on.
        """
        snapshot = cls(endpoint, relations, Settings(datestyle=datestyle, zone=zone))
        keeper: asyncio.Task[None] | None = None
        try:
            await snapshot._take()
            keeper = asyncio.create_task(snapshot._keep())
            yield snapshot
        finally:
            if keeper is not None:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)
            await snapshot._close()

    @contextlib.asynccontextmanager
    async def reader(self, zone: str | None = None) -> AsyncIterator[asyncpg.Connection]:
        """A READ ONLY transaction on the snapshot, rolled back at the end; ``zone`` replaces the session's time zone inside it.

        Someone who waits for an exclusive lock waits for our holders, and every new reader queues behind him: the lock time-out breaks the circle,
        which no server can see.

        Raises:
            SnapshotLost: nobody holds it any more.
        """
        self._idle = [conn for conn in self._idle if not conn.is_closed()]
        conn = self._idle.pop() if self._idle else await self._reading()
        try:
            await self._join(conn)
            await conn.execute(statements.set_local("lock_timeout", f"{LOCK_SECONDS}s"))
            if zone is not None:
                await conn.execute(statements.set_local("TimeZone", zone))
            yield conn
            await conn.execute("ROLLBACK")
        except BaseException:
            await _drop(conn)
            raise
        self._idle.append(conn)

    async def _reading(self) -> asyncpg.Connection:
        """A connection for reading; where the server grants no more, the second holder gives way."""
        try:
            return await self._connect()
        except ConnectError as error:
            if error.code != TooManyConnections.code or len(self._holders) < 2:
                raise
        self._crowded = True
        spare = self._holders.pop()
        await spare.conn.close(timeout=10)
        for _ in range(_VACANCY_TRIES - 1):
            with contextlib.suppress(ConnectError):
                return await self._connect()
            await asyncio.sleep(_VACANCY_SECONDS)
        return await self._connect()

    async def _connect(self) -> asyncpg.Connection:
        conn = await connect(self._endpoint, application_name="tranship")
        try:
            await pin(
                conn, Side.OLD, datestyle=self._settings.datestyle, zone=self._settings.zone, search_path=""
            )
        except BaseException:
            await _drop(conn)
            raise
        return conn

    async def _join(self, conn: asyncpg.Connection) -> None:
        for holder in tuple(self._holders):
            await conn.execute(sql_snapshot.BEGIN_SNAPSHOT)
            try:
                await conn.execute(sql_snapshot.import_snapshot(holder.exported))
            except (asyncpg.InvalidParameterValueError, asyncpg.UndefinedObjectError):
                await conn.execute("ROLLBACK")
                await self._forget(holder)
            else:
                return
        raise SnapshotLost

    async def _take(self) -> None:
        conn = await self._connect()
        try:
            self.version = await conn.fetchval(
                "SELECT pg_catalog.current_setting('server_version_num')::integer"
            )
            await self._lock(conn)
            exported = await conn.fetchval(sql_snapshot.EXPORT_SNAPSHOT)
            stands = await conn.fetchrow(sql_snapshot.current_snapshot(self.version))
            self.mark = Mark(stands["text"], stands["timeline"])
        except BaseException:
            await _drop(conn)
            raise
        self._holders.append(_Holder(conn, exported))
        with contextlib.suppress(ConnectError):
            await self._relay()

    async def _lock(self, conn: asyncpg.Connection) -> None:
        """Begin, and lock before anything takes a snapshot: a TRUNCATE between the two would show empty tables without an error."""
        for attempt in range(LOCK_TRIES):
            await conn.execute(sql_snapshot.BEGIN_SNAPSHOT)
            await conn.execute(statements.set_local("lock_timeout", f"{LOCK_SECONDS}s"))
            try:
                if self._relations:
                    await conn.execute(sql_snapshot.lock_shared(self._relations))
            except asyncpg.LockNotAvailableError as error:
                await conn.execute("ROLLBACK")
                if attempt == LOCK_TRIES - 1:
                    raise ConnectError(OldTableLocked(str(error))) from error
                await asyncio.sleep(0.2)
            else:
                return

    async def _relay(self) -> None:
        """A second holder on the same snapshot, with locks and an export of its own."""
        conn = await self._connect()
        try:
            await self._join(conn)
            await conn.execute(statements.set_local("lock_timeout", f"{LOCK_SECONDS}s"))
            if self._relations:
                await conn.execute(sql_snapshot.lock_shared(self._relations))
            exported = await conn.fetchval(sql_snapshot.EXPORT_SNAPSHOT)
        except BaseException:
            await _drop(conn)
            raise
        self._holders.append(_Holder(conn, exported))

    async def _keep(self) -> None:
        """Notice dead holders and replace them while one is left."""
        while self._holders:
            await asyncio.sleep(KEEP_ALIVE)
            for holder in tuple(self._holders):
                if not await holder.alive():
                    await self._forget(holder)
            if len(self._holders) == 1 and not self._crowded:
                with contextlib.suppress(*_GONE, asyncpg.PostgresError, SnapshotLost):
                    await self._relay()

    async def _forget(self, holder: _Holder) -> None:
        if holder in self._holders:
            self._holders.remove(holder)
        await _drop(holder.conn)

    async def _close(self) -> None:
        for conn in (*self._idle, *(h.conn for h in self._holders)):
            await _drop(conn)
        self._idle.clear()
        self._holders.clear()


async def _drop(conn: asyncpg.Connection) -> None:
    """Closes without asking: the transaction is read-only."""
    conn.terminate()
    await asyncio.sleep(0)
