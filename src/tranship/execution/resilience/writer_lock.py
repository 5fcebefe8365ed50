"""One writer at a time: the lock, its heartbeat, and the fence against a run that was overtaken."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence

import asyncpg

from tranship.config import Config
from tranship.errors import ConnectError, Refused, Stopped
from tranship.errors.codes.runs import LockHeld, LockHeldSilently
from tranship.errors.codes.stops import SessionStays, TakenOver
from tranship.model.options import command_line
from tranship.server.identity import Identity, read_identities
from tranship.server.journal import Journal, Run, RunStatus, find_journal
from tranship.server.session import ISO, open_session
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql.queries import query
from tranship.sql.session import AS_DEFAULT_ROLE, AS_LOGIN_ROLE, TRY_LOCK, set_local

HEARTBEAT = 5.0
"""Seconds between two heartbeats: twelve may be missed before the run counts as silent."""
SILENT = 60.0
"""Seconds without a heartbeat after which a living lock session counts as hung."""
PATIENCE = 1.5
"""Seconds in which the lock session of a killed client notices its end and releases the lock."""
PAUSE = 0.25
"""Seconds between two tries."""


def lock_key(old: Identity, new: Identity) -> int:
    """Returns the number of the advisory lock for a pair of databases."""
    return lock_number(old.key, new.key)


def lock_number(old: str, new: str) -> int:
    """Returns the same number from the identities as the journal holds them."""
    # An advisory lock is a signed number of 64 bits; the shift keeps it positive, as pg_locks shows it.
    digest = hashlib.sha256(f"tranship {old} {new}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


async def at_work(new: asyncpg.Connection, run: Run) -> bool:
    """Returns whether somebody holds the writer lock of a run's two databases.

    The lock is not tried, because a run that begins at this moment would find it taken.
    """
    return (
        await new.fetchrow(query("advisory_holder"), lock_number(run.old_identity, run.new_identity))
        is not None
    )


class WriterLock:
    """The lock of a run, on a session of its own, which also writes the heartbeat."""

    def __init__(self, config: Config, key: int, invocation: str) -> None:
        self._config = config
        self._key = key
        self._status = command_line(invocation, "status", *config.words)
        self._conn: asyncpg.Connection | None = None
        self.lost: Stopped | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def hold(
        cls,
        config: Config,
        key: int,
        old_identity: str,
        *,
        take_over: bool,
        invocation: str = "tranship",
    ) -> AsyncIterator[WriterLock]:
        """Takes the lock for the block. ``invocation``: how the program was called, for hints.

        Raises:
            Refused: another run has the lock; the message names its host, pid and start.
        """
        lock = cls(config, key, invocation)
        lock._conn = await lock._connect()
        try:
            await lock._acquire(old_identity, take_over=take_over)
            yield lock
        finally:
            lock._conn.terminate()

    @classmethod
    async def refuse_second(
        cls,
        config: Config,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        *,
        invocation: str,
    ) -> None:
        """Refuses a second run early, before the schemas are compared, which takes long for large ones.

        Raises:
            Refused: another run has the lock; the message names its host, pid and start.
        """
        mine, theirs = await read_identities(old, new)
        await cls.refuse_held(config, new, lock_key(mine, theirs), mine.key, invocation=invocation)

    @classmethod
    async def refuse_held(
        cls,
        config: Config,
        new: asyncpg.Connection,
        key: int,
        old_identity: str,
        *,
        invocation: str = "tranship",
    ) -> None:
        """Refuses what needs the lock while somebody has it, without taking it.

        Raises:
            Refused: another run has the lock; the message names its host, pid and start.
        """
        lock = cls(config, key, invocation)
        holder = None
        for _ in range(int(PATIENCE / PAUSE)):
            holder = await new.fetchrow(query("advisory_holder"), lock._key)
            if holder is None:
                return
            await asyncio.sleep(PAUSE)
        raise await lock._refusal(new, old_identity, holder)

    async def _connect(self) -> asyncpg.Connection:
        return await open_session(self._config.new, datestyle=ISO, application_name="tranship lock")

    async def _acquire(self, old_identity: str, *, take_over: bool) -> None:
        conn = self._conn
        assert conn is not None
        holder = None
        for _ in range(int(PATIENCE / PAUSE)):
            if await conn.fetchval(TRY_LOCK, self._key):
                return
            # The holder may end between the try and this look, so the last one seen is remembered.
            holder = await conn.fetchrow(query("advisory_holder"), self._key) or holder
            if take_over and holder is not None:
                await _end(conn, "terminate_backends", [holder["pid"]])
            await asyncio.sleep(PAUSE)
        raise await self._refusal(conn, old_identity, holder)

    async def _other(self, conn: asyncpg.Connection, old_identity: str) -> Run | None:
        journal = await find_journal(conn, self._config.journal_schema)
        if journal is None:
            return None
        return next(
            (r for r in reversed(await journal.runs(conn, old_identity)) if r.state == RunStatus.RUNNING),
            None,
        )

    async def _refusal(
        self, conn: asyncpg.Connection, old_identity: str, holder: asyncpg.Record | None
    ) -> Refused:
        other = await self._other(conn, old_identity)
        who = f"backend {holder['pid']} of {holder['role']}" if holder else "a backend"
        # Most roles do not see when a backend of another role began.
        if holder and holder["backend_start"] is not None:
            who += f", connected since {holder['backend_start']:%Y-%m-%d %H:%M:%S %Z}"
        kind: type[LockHeld] = LockHeld
        if other is not None:
            who = f"host {other.host}, pid {other.pid}, since {other.started:%Y-%m-%d %H:%M:%S %Z} ({who})"
            if other.silent_seconds >= SILENT:
                who += f", silent for {other.silent_seconds:.0f} s"
                kind = LockHeldSilently
        return Refused(kind(who, self._status))

    async def beat(
        self, journal: Journal, run: str, epoch: int, backends: Callable[[], list[int]], stop: asyncio.Event
    ) -> None:
        """Writes the heartbeat until it is cancelled.

        A lock session that died is replaced. The run is asked to stop when another one has the lock or has
        raised the epoch.
        """
        while True:
            await asyncio.sleep(HEARTBEAT)
            try:
                assert self._conn is not None
                if await self._conn.fetchval(journal.sql("beat"), run, backends(), epoch, timeout=30) is None:
                    self._give_up(stop)
            except (*DATABASE_TROUBLE, TimeoutError):
                await self._reconnect(stop)

    async def _reconnect(self, stop: asyncio.Event) -> None:
        assert self._conn is not None
        # Half-open, it would hold the lock until the server notices, and the new session could not take it.
        self._conn.terminate()
        try:
            self._conn = await self._connect()
            mine = await self._conn.fetchval(TRY_LOCK, self._key)
        except (*DATABASE_TROUBLE, ConnectError):
            return
        if not mine:
            self._give_up(stop)

    def _give_up(self, stop: asyncio.Event) -> None:
        self.lost = taken_over(self._status)
        stop.set()


def taken_over(command: str = "tranship status") -> Stopped:
    """Returns the stop of a run that another one has overtaken."""
    return Stopped(TakenOver(command))


async def hold_epoch(
    new: asyncpg.Connection, journal: Journal, run: str, epoch: int, *, command: str = "tranship status"
) -> None:
    """Locks the run's epoch until the end of the transaction, so that no other run can take over meanwhile.

    This fence is the first statement of every transaction that writes for a run.

    Raises:
        Stopped: another run took over; a process that slept through it can write nothing any more.
    """
    if await new.fetchval(journal.sql("fence"), run, epoch) is None:
        raise taken_over(command)


async def end_backends(new: asyncpg.Connection, backends: Sequence[int]) -> None:
    """Ends backends of this role and waits up to two seconds until they are gone.

    What they committed by then is visible. A backend that is stuck for longer fails at its fence, or holds
    locks that the next step waits for.
    """
    for _ in range(20):
        if not await _end(new, "terminate_backends", list(backends)):
            return
        await asyncio.sleep(0.1)


async def shut_out(new: asyncpg.Connection, journal: Journal, run: Run) -> int:
    """Ends the backends of a dead or hung process of a run and raises the epoch. Returns the new epoch.

    Whatever is left of that process fails at its fence. The caller holds the writer lock.

    Raises:
        Stopped: a backend keeps the epoch locked and cannot be ended.
    """
    await end_backends(new, run.backends)
    for _ in range(20):
        try:
            async with new.transaction():
                await new.execute(set_local("lock_timeout", "1s"))
                return int(await new.fetchval(journal.sql("raise_epoch"), run.id))
        except asyncpg.LockNotAvailableError:
            await _end(new, "fence_holders", journal.schema)
    raise Stopped(SessionStays(run.id))


async def _end(new: asyncpg.Connection, which: str, wanted: object) -> int:
    """Ends the backends that a query names. Returns how many there were.

    They belong to the role that logged in, which is another one where ``ALTER ROLE … SET role`` applies.
    """
    await new.execute(AS_LOGIN_ROLE)
    try:
        return len(await new.fetch(query(which), wanted))
    finally:
        await new.execute(AS_DEFAULT_ROLE)
