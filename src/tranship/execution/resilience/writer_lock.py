"""One writer: the lock, its heartbeat, and what to do with the run before."""

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
from tranship.server.identity import Identity, read_identity
from tranship.server.journal import Journal, Run, RunStatus, find_journal
from tranship.server.session import ISO, open_session
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql.queries import query
from tranship.sql.session import AS_DEFAULT_ROLE, AS_LOGIN_ROLE, TRY_LOCK, set_local

HEARTBEAT = 5.0
SILENT = 60.0
"""Seconds without a heartbeat after which a living lock session counts as hung."""
PATIENCE = 1.5
"""Seconds for a killed client's lock session, which is idle nearly always, to notice and let go."""
PAUSE = 0.25


def lock_key(old: Identity, new: Identity) -> int:
    """The advisory lock's number for one pair of databases."""
    return lock_number(old.key, new.key)


def lock_number(old: str, new: str) -> int:
    """The same from the identities as the journal holds them."""
    digest = hashlib.sha256(f"tranship {old} {new}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


async def at_work(new: asyncpg.Connection, run: Run) -> bool:
    """Somebody holds the writer lock of a run's two databases; looks without taking it, which a run could need in that moment."""
    return (
        await new.fetchrow(query("advisory_holder"), lock_number(run.old_identity, run.new_identity))
        is not None
    )


class WriterLock:
    """Held by a session of its own, which also beats."""

    def __init__(self, config: Config, key: int, invocation: str) -> None:
        self._config = config
        self._key = key
        self._status = command_line(invocation, "status", config.path)
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
        """Take the lock for the block. ``invocation``: how the program was called, for hints.

        Raises:
            Refused: another run has it; names host, pid and since when.
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
        """Looks, before anything is compared, whether another run has the lock: that takes no longer on a large schema.

        Raises:
            Refused: it has; names host, pid and since when.
        """
        mine, theirs = await read_identity(old), await read_identity(new)
        lock = cls(config, lock_key(mine, theirs), invocation)
        holder = None
        for _ in range(int(PATIENCE / PAUSE)):
            holder = await new.fetchrow(query("advisory_holder"), lock._key)
            if holder is None:
                return
            await asyncio.sleep(PAUSE)
        raise await lock._refusal(new, mine.key, holder)

    async def _connect(self) -> asyncpg.Connection:
        return await open_session(self._config.new, datestyle=ISO, application_name="tranship lock")

    async def _acquire(self, old_identity: str, *, take_over: bool) -> None:
        conn = self._conn
        assert conn is not None
        holder = None
        for _ in range(int(PATIENCE / PAUSE)):
            if await conn.fetchval(TRY_LOCK, self._key):
                return
            # Who had it a moment ago may be gone when we say so: the last one seen is named.
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
        if holder and holder["backend_start"] is not None:  # that of another role is hidden from most
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
        """Beat until cancelled; a lock session that died is replaced, or the run is told to stop, as when another took it over."""
        while True:
            await asyncio.sleep(HEARTBEAT)
            try:
                assert self._conn is not None
                if await self._conn.fetchval(journal.sql("beat"), run, backends(), epoch, timeout=30) is None:
                    self._give_up(stop)
            except (*DATABASE_TROUBLE, TimeoutError):
                await self._again(stop)

    async def _again(self, stop: asyncio.Event) -> None:
        assert self._conn is not None
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
    """What a run raises that finds itself overtaken."""
    return Stopped(TakenOver(command))


async def hold_epoch(
    new: asyncpg.Connection, journal: Journal, run: str, epoch: int, *, command: str = "tranship status"
) -> None:
    """The fence. First in every transaction that writes for a run, and held to its end: no other run can take over meanwhile.

    Raises:
        Stopped: another run has; a process that slept through it can do nothing any more.
    """
    if await new.fetchval(journal.sql("fence"), run, epoch) is None:
        raise taken_over(command)


async def end_backends(new: asyncpg.Connection, backends: Sequence[int]) -> None:
    """Ends backends of ours that somebody else may have left at work, and waits until they are gone, two seconds at most: what they committed
    by then is there. One that is stuck for longer fails at its fence, or holds locks that whoever comes next meets."""
    for _ in range(20):
        if not await _end(new, "terminate_backends", list(backends)):
            return
        await asyncio.sleep(0.1)


async def shut_out(new: asyncpg.Connection, journal: Journal, run: Run) -> int:
    """Ends what a dead or hung process of a run left working in NEW, and raises the epoch: whatever is left of it fails at its fence.

    ``new`` holds the writer lock's place: nobody else works on the run. Returns the new epoch.
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
    """Ends backends, by a query that says which: as the role that logged in, whose they are, where that takes on another role by default.

    Returns how many there were.
    """
    await new.execute(AS_LOGIN_ROLE)
    try:
        return len(await new.fetch(query(which), wanted))
    finally:
        await new.execute(AS_DEFAULT_ROLE)
