"""One exported snapshot of OLD, held by two connections, and readers on it.

An exported snapshot can be imported while the transaction that exported it is open (PostgreSQL documentation,
"Snapshot Synchronization Functions"). Two holders, each of which exports it, survive the loss of one
connection: the other one gives it to a replacement.
"""

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
from tranship.model.names import TableName
from tranship.server.connect import drop
from tranship.server.old_reader import PostgresReader
from tranship.server.session import open_session
from tranship.server.trouble import DRIVER_TROUBLE
from tranship.sql import session as statements
from tranship.sql.old import snapshot as sql_snapshot
from tranship.sql.queries import query

KEEP_ALIVE = 10.0
"""Seconds between two looks at each holder. Firewalls forget connections that are idle for minutes; this
keeps them known.
"""
COMPARABLE = 2**30
"""Transactions after which the 32 bits of a row's xmin prove nothing; half of what the server itself
allows.
"""
LOCK_SECONDS = 3
_LOCKS_SOON = statements.set_local("lock_timeout", f"{LOCK_SECONDS}s")
LOCK_TRIES = 20
"""Another session's ACCESS EXCLUSIVE lock on OLD is waited for about a minute, in short steps: while a lock
request waits, others queue behind it."""
_VACANCY_TRIES = 10
_VACANCY_SECONDS = 0.1
"""Tries, and seconds between them, until a closed connection no longer counts: the server notices its end a
moment later.
"""
_GONE = (
    *DRIVER_TROUBLE,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    ConnectError,
)


class SnapshotLost(Stopped):
    """No connection holds the snapshot any more, so its rows cannot be read again."""

    def __init__(self) -> None:
        super().__init__(SnapshotGone())


class Mark(Struct, frozen=True):
    """A snapshot's place in the history of its cluster.

    Two equal marks of one cluster that are `complete` prove that no transaction ended between them, so
    nothing was written.
    """

    text: str
    """``pg_current_snapshot()``."""
    timeline: str
    """Eight hexadecimal digits. It changes when a standby takes over or a backup is restored, because
    transaction numbers are then given out a second time."""

    @property
    def oldest(self) -> int:
        """The oldest transaction that was still open (xmin of the snapshot): all transactions before it had
        ended.
        """
        return int(self.text.partition(":")[0])

    @property
    def unseen(self) -> tuple[int, tuple[int, ...]]:
        """The first transaction that had not begun (xmax of the snapshot), and those before it that were
        open: the snapshot shows no row version of theirs.
        """
        _, first, open_ones = self.text.split(":")
        return int(first), tuple(map(int, open_ones.split(","))) if open_ones else ()

    @property
    def complete(self) -> bool:
        """Whether the text names the transactions that were open.

        A snapshot on a standby does not, so the same text may stand for before and after one of them ends.
        """
        oldest, next_one, open_ones = self.text.split(":")
        return oldest == next_one or bool(open_ones)

    def nothing_ended_since(self, then: Mark) -> bool:
        """Returns whether no transaction ended between an earlier snapshot of the cluster and this one.

        A crash of the server empties UNLOGGED tables without one.
        """
        return self == then and then.complete

    def unseen_from(self, now: Mark) -> tuple[int, tuple[int, ...]] | None:
        """Returns what `unseen` says, for row versions that a later snapshot shows; None: they cannot be told
        any more.
        """
        told = now.timeline == self.timeline and 0 <= now.oldest - self.oldest < COMPARABLE
        return self.unseen if told else None

    def __str__(self) -> str:
        """Returns the text that the journal keeps."""
        return f"{self.text} {self.timeline}"

    @classmethod
    def of(cls, kept: str) -> Mark:
        """Returns the mark of a text that the journal kept."""
        text, _, timeline = kept.partition(" ")
        return cls(text, timeline)


class Settings:
    """How sessions on OLD are pinned: DateStyle and TimeZone (`session.pin`)."""

    def __init__(self, *, datestyle: str, zone: str | None = None) -> None:
        self.datestyle = datestyle
        self.zone = zone


class _Holder:
    """A connection whose open transaction keeps the snapshot and the locks."""

    def __init__(self, conn: asyncpg.Connection, exported: str) -> None:
        self.conn = conn
        self.exported = exported
        self.lock = asyncio.Lock()

    async def alive(self) -> bool:
        """Returns whether the server still answers on the connection, within 30 seconds."""
        async with self.lock:
            try:
                await self.conn.fetchval(statements.BACKEND, timeout=30)
            except (*_GONE, TimeoutError):
                return False
        return True


class Snapshot:
    """The snapshot of OLD on which a run reads. :meth:`open` makes one, and all reads go through
    :meth:`reader`.
    """

    def __init__(self, endpoint: Endpoint, relations: Sequence[TableName], settings: Settings) -> None:
        self._endpoint = endpoint
        self._relations = tuple(relations)
        self._settings = settings
        self._holders: list[_Holder] = []
        self._idle: list[asyncpg.Connection] = []
        self._crowded = False
        """The server has too few connections, or too small a lock table, for a second holder beside the
        readers.
        """
        self.mark = Mark("", "")
        self.version = 0

    @property
    def text(self) -> str:
        """``pg_current_snapshot()`` of the snapshot."""
        return self.mark.text

    @property
    def id(self) -> str:
        """The identifier under which other sessions can import the snapshot.

        Raises:
            SnapshotLost: no connection holds it.
        """
        if not self._holders:
            raise SnapshotLost
        return self._holders[0].exported

    @property
    def exports(self) -> tuple[str, ...]:
        """The identifiers under which other sessions can import the snapshot, one of each connection that
        holds it.
        """
        return tuple(holder.exported for holder in self._holders)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        endpoint: Endpoint,
        relations: Sequence[TableName],
        *,
        datestyle: str = "ISO, MDY",
        zone: str | None = None,
    ) -> AsyncIterator[Snapshot]:
        """Locks the relations, takes the snapshot, and holds both until the end of the block.

        ``relations`` are tables of OLD; a partitioned one stands for all its leaves. The lock cannot exclude
        a change before it, so the caller reads the catalog inside the snapshot and compares it with the one
        that the plan was made from.

        Raises:
            ConnectError: OLD cannot be reached, or another session keeps a table locked.
        """
        snapshot = cls(endpoint, relations, Settings(datestyle=datestyle, zone=zone))
        keeper: asyncio.Task[None] | None = None
        try:
            # Before the watch begins: there is nothing to keep until a holder exists.
            await snapshot._take()
            keeper = asyncio.create_task(snapshot._keep())
            yield snapshot
        finally:
            if keeper is not None:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)
            await snapshot._close()

    @contextlib.asynccontextmanager
    async def reader(
        self, zone: str | None = None, *, spare: bool = False
    ) -> AsyncIterator[asyncpg.Connection]:
        """Gives a READ ONLY transaction on the snapshot, which is rolled back at the end of the block.

        ``zone`` replaces the session's time zone inside it. Idle connections are used again. ``spare``: the
        caller can do without, so that no holder gives its connection away for it.

        A session that requests an exclusive lock waits for the holders, and new readers queue behind it,
        while the holders wait for the readers to finish. No server sees this cycle as a deadlock, so the lock
        time-out breaks it.

        Raises:
            SnapshotLost: no connection holds the snapshot any more.
            ConnectError: OLD grants no further connection.
        """
        self._idle = [conn for conn in self._idle if not conn.is_closed()]
        opening = self._connect if spare else self._reading
        conn = self._idle.pop() if self._idle else await opening()
        try:
            await self._join(conn, zone)
            yield conn
            await conn.execute("ROLLBACK")
        except BaseException:
            await drop(conn)
            raise
        self._idle.append(conn)

    async def close_idle(self) -> None:
        """Closes the connections that nobody reads on, but one: where a pooler grants few of them, another
        session would wait for theirs.
        """
        self._idle, left = self._idle[:1], self._idle[1:]
        for conn in left:
            await drop(conn)

    @contextlib.asynccontextmanager
    async def reading(self, zone: str | None = None) -> AsyncIterator[PostgresReader]:
        """Gives the same transaction as an `OldReader`. Raises as :meth:`reader` does."""
        async with self.reader(zone) as conn:
            yield PostgresReader(conn)

    async def _reading(self) -> asyncpg.Connection:
        """Returns a new connection for reading. Where the server grants none (TS206), the second holder's is
        closed for it.
        """
        try:
            return await self._connect()
        except ConnectError as error:
            if error.code != TooManyConnections.code or len(self._holders) < 2:
                raise
        self._crowded = True
        # The younger holder gives way; the older one's export stays valid.
        spare = self._holders.pop()
        await spare.conn.close(timeout=10)
        for _ in range(_VACANCY_TRIES - 1):
            with contextlib.suppress(ConnectError):
                return await self._connect()
            await asyncio.sleep(_VACANCY_SECONDS)
        return await self._connect()

    async def _connect(self) -> asyncpg.Connection:
        return await open_session(
            self._endpoint, datestyle=self._settings.datestyle, zone=self._settings.zone
        )

    async def _join(self, conn: asyncpg.Connection, zone: str | None = None) -> None:
        """Begins a transaction on the snapshot, from the first holder that still exports it."""
        for holder in tuple(self._holders):
            if await begin_on(conn, holder.exported, zone):
                return
            await self._forget(holder)
        raise SnapshotLost

    async def _take(self) -> None:
        """Locks, exports and reads the mark with a first holder, then adds the second one if the server
        grants it.
        """
        conn = await self._connect()
        try:
            self.version = await conn.fetchval(statements.VERSION)
            await self._lock(conn)
            exported = await conn.fetchval(sql_snapshot.EXPORT_SNAPSHOT)
            stands = await conn.fetchrow(sql_snapshot.current_snapshot(self.version))
            self.mark = Mark(stands["text"], stands["timeline"])
        except BaseException:
            await drop(conn)
            raise
        self._holders.append(_Holder(conn, exported))
        self._crowded = not await conn.fetchval(query("locks_fit_twice"))
        if self._crowded:
            return
        # A server that grants one connection only is enough: the run then stands on one holder.
        with contextlib.suppress(ConnectError):
            await self._relay()

    async def _lock(self, conn: asyncpg.Connection) -> None:
        """Begins a transaction and locks the relations before any statement takes its snapshot.

        Otherwise a TRUNCATE between the two would show empty tables without an error (PostgreSQL
        documentation, "MVCC – Caveats").
        """
        for attempt in range(LOCK_TRIES):
            await conn.execute(f"{sql_snapshot.BEGIN_SNAPSHOT}; {_LOCKS_SOON}")
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
        """Adds a second holder on the same snapshot, with locks and an export of its own."""
        conn = await self._connect()
        try:
            await self._join(conn)
            if self._relations:
                await conn.execute(sql_snapshot.lock_shared(self._relations))
            exported = await conn.fetchval(sql_snapshot.EXPORT_SNAPSHOT)
        except BaseException:
            await drop(conn)
            raise
        self._holders.append(_Holder(conn, exported))

    async def _keep(self) -> None:
        """Notices dead holders and replaces them as long as one is left. It runs beside the reads until it is
        cancelled.
        """
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
        await drop(holder.conn)

    async def _close(self) -> None:
        for conn in (*self._idle, *(h.conn for h in self._holders)):
            await drop(conn)
        self._idle.clear()
        self._holders.clear()


async def begin_on(conn: asyncpg.Connection, exported: str, zone: str | None = None) -> bool:
    """Begins a transaction on an exported snapshot, with a time zone if one is given, and a limit for locks.

    Returns False when nobody holds the snapshot any more; then the connection is in no transaction.
    """
    begin = [sql_snapshot.BEGIN_SNAPSHOT, sql_snapshot.import_snapshot(exported), _LOCKS_SOON]
    if zone is not None:
        begin.append(statements.set_local("TimeZone", zone))
    try:
        await conn.execute("; ".join(begin))
    # So the server refuses an export whose transaction has ended: 42704 since 17, 22023 before.
    except (asyncpg.InvalidParameterValueError, asyncpg.UndefinedObjectError):
        await conn.execute("ROLLBACK")
        return False
    return True
