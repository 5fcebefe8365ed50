"""Connecting: attempts in the order of libpq's sslmode, and one clear message whatever the driver raises."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

import asyncpg
from asyncpg.protocol.protocol import ENCODINGS_MAP

from tranship.config import CommandSecret, CommandTrouble, Endpoint
from tranship.errors import ConnectError
from tranship.errors.codes.connection import NoPasswordNow, NotAccepting, ServerTooOld, TooManyConnections
from tranship.model.names import Side
from tranship.model.notes import LockAwaited
from tranship.server.deadline import LOOK_INTERVAL
from tranship.server.lock_waits import Blockers
from tranship.server.round_trips import BriefConnection, PinnedSetting
from tranship.server.tls import ladder
from tranship.server.trouble import DATABASE_TROUBLE, UnknownVersion, explain, failed
from tranship.sql.queries import query
from tranship.sql.session import AS_LOGIN_ROLE, NO_STATEMENT_TIMEOUT

__all__ = ["connect", "drop", "is_working"]

_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}
"""Seconds, seconds, number of probes, milliseconds. A dead peer is noticed within a minute (30 + 3 · 10 s);
TCP_USER_TIMEOUT is the same bound while sent data is not acknowledged, when no keepalive probes are sent
(tcp(7))."""

_NO_LIMITS = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
}
"""Settings that the first statements of a session make. They are not start-up parameters, because poolers
refuse most of those. The TCP settings are the server's side of :data:`_KEEPALIVE`."""
_NONE: Mapping[str, str] = MappingProxyType({})

# The driver decodes the texts of a session in SQL_ASCII as ASCII, and would fail at every other letter in a
# name, a comment or a key. Where such a database holds text at all, it is mostly UTF-8.
ENCODINGS_MAP["sql_ascii"] = "utf-8"

_STARTING_PAUSE = 0.5
"""Seconds between two attempts at a server that does not take connections yet."""
OLDEST = 110000
"""``server_version_num`` of the oldest version whose catalogs the queries know."""


async def connect(
    endpoint: Endpoint,
    *,
    application_name: str = "tranship",
    command_timeout: float | None = None,
    settings: Mapping[str, str] = _NONE,
    patient: bool = True,
) -> asyncpg.Connection:
    """Returns a new `BriefConnection` without the time limits that a database or role sets.

    Args:
        endpoint: where and as whom; ``connect_timeout`` seconds bound all attempts together.
        application_name: as ``pg_stat_activity`` shows it.
        command_timeout: seconds for each statement; None: no bound.
        settings: further ones for the whole session; `session.pin` checks that they stay.
        patient: whether a server that starts or recovers is waited for, as long as ``connect_timeout`` says.

    Raises:
        ConnectError: it says what to do; the password is in no message.
    """
    await _renew_password(endpoint)
    # One limit for all attempts, as a person who waits sees it.
    deadline = asyncio.get_running_loop().time() + endpoint.connect_timeout
    while True:
        try:
            return await _climbed(endpoint, application_name, command_timeout, settings, deadline)
        except ConnectError as error:
            left = deadline - asyncio.get_running_loop().time()
            if not patient or error.code != NotAccepting.code or left <= _STARTING_PAUSE:
                raise
        # A server that starts says so itself, and takes connections when it is done.
        await asyncio.sleep(_STARTING_PAUSE)


async def _climbed(
    endpoint: Endpoint,
    application_name: str,
    command_timeout: float | None,
    settings: Mapping[str, str],
    deadline: float,
) -> asyncpg.Connection:
    """Returns a connection by the first attempt of the endpoint's sslmode that succeeds."""
    attempts = ladder(endpoint)
    for number, context in enumerate(attempts, 1):
        try:
            conn = await _attempt(endpoint, context, application_name, command_timeout, deadline)
            try:
                await _set_up(conn, endpoint, settings)
            except BaseException:
                await drop(conn)
                raise
        except (*DATABASE_TROUBLE, UnicodeError) as error:
            if number < len(attempts) and _other_mode_may_do(error, encrypted=context is not None):
                continue
            # Without the cause: the driver's own message may hold the password.
            raise explain(error, endpoint) from None
        _keep_alive(conn)
        return conn
    raise AssertionError("the ladder is never empty")


async def drop(conn: asyncpg.Connection) -> None:
    """Closes a connection at once, without a farewell that could hang; its open transaction is rolled
    back.
    """
    conn.terminate()
    # One turn of the event loop, in which the transport closes the socket.
    await asyncio.sleep(0)


async def _renew_password(endpoint: Endpoint) -> None:
    """Asks a ``password_command`` anew: what it gave hours ago may have expired.

    Raises:
        ConnectError: it gave no password.
    """
    if isinstance(endpoint.password, CommandSecret):
        try:
            await asyncio.to_thread(endpoint.password.renew)
        except CommandTrouble as trouble:
            raise failed(NoPasswordNow(str(trouble)), endpoint) from None


async def _attempt(
    endpoint: Endpoint,
    context: ssl.SSLContext | None,
    application_name: str,
    command_timeout: float | None,
    deadline: float,
) -> asyncpg.Connection:
    settings = {"application_name": application_name}
    if endpoint.options:
        settings["options"] = endpoint.options
    # At least a moment, so that the last attempt fails with the server's answer and not with a timeout of 0.
    left = max(deadline - asyncio.get_running_loop().time(), 0.1)
    conn = await asyncpg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password.reveal() if endpoint.password else "",
        database=endpoint.database,
        ssl=context if context is not None else False,
        direct_tls=False,
        # A standby is a valid OLD.
        target_session_attrs="any",
        timeout=left,
        command_timeout=command_timeout,
        # No named prepared statements: a pooler may hand the next transaction to a backend that does not know
        # them.
        statement_cache_size=0,
        server_settings=settings,
        connection_class=BriefConnection,
    )
    conn.is_working = partial(is_working, endpoint)
    conn.blockers = Blockers(endpoint.side, partial(blockers, endpoint))
    # Read before the server is asked: `get_server_pid` gives its answer afterwards.
    conn.announced_pid = conn.get_server_pid()
    return conn


async def is_working(endpoint: Endpoint, backend: int) -> bool:
    """Returns whether a backend works on a statement, as its server says through another connection.

    A server that cannot be reached counts as not working; one that is out of connections (TS206) counts as
    working, because it is alive.
    """
    try:
        observer = await connect(endpoint, application_name="tranship watch", patient=False)
        try:
            # pg_stat_activity hides sessions of other roles: the watched session belongs to the role that
            # logged in.
            await observer.execute(AS_LOGIN_ROLE, timeout=LOOK_INTERVAL)
            return await observer.fetchval(query("backend_waits"), backend, timeout=LOOK_INTERVAL) is not None
        finally:
            observer.terminate()
    except ConnectError as error:
        return error.code == TooManyConnections.code
    except DATABASE_TROUBLE:
        return False


async def blockers(endpoint: Endpoint, backend: int) -> Sequence[LockAwaited]:
    """Returns for which sessions of others a backend waits; none where its server does not say."""
    try:
        observer = await connect(endpoint, application_name="tranship watch")
        try:
            await observer.execute(AS_LOGIN_ROLE, timeout=LOOK_INTERVAL)
            rows = await observer.fetch(query("lock_blockers"), backend, timeout=LOOK_INTERVAL)
            return [LockAwaited(endpoint.side, **row) for row in rows]
        finally:
            observer.terminate()
    except (ConnectError, *DATABASE_TROUBLE):
        return ()


async def _set_up(conn: asyncpg.Connection, endpoint: Endpoint, settings: Mapping[str, str]) -> None:
    """Lifts the limits, makes the settings and learns which backend answers."""
    wanted = {**_NO_LIMITS, **settings}
    if endpoint.side is Side.NEW:
        wanted["default_transaction_read_only"] = "off"
    # First and alone: the next statement reads a catalog, for which a limit of milliseconds may be too short.
    await conn.execute(NO_STATEMENT_TIMEOUT)
    pinned = await pinned_settings(conn, wanted)
    announced = conn.get_settings().server_version
    if not pinned:
        # Something that speaks the protocol and knows none of PostgreSQL's settings.
        raise UnknownVersion(announced)
    if pinned[0].version < OLDEST:
        raise failed(ServerTooOld(announced), endpoint)
    conn.backend_pid = pinned[0].backend
    conn.pinned = pinned
    if conn.direct:
        conn.remember_statements()


async def pinned_settings(conn: asyncpg.Connection, wanted: Mapping[str, str]) -> tuple[PinnedSetting, ...]:
    """Sets those of some settings that the server knows, for the session, and returns how they stand."""
    rows = await conn.fetch(query("session_pin"), list(wanted), list(wanted.values()))
    return tuple(PinnedSetting(**row) for row in rows)


def _other_mode_may_do(error: Exception, *, encrypted: bool) -> bool:
    """Returns whether the next attempt, with or without TLS, may succeed where this one failed.

    libpq tries again where pg_hba.conf has no rule for this mode or TLS itself failed, and never after a
    wrong password.
    """
    if isinstance(error, asyncpg.InvalidPasswordError):
        return False
    if isinstance(error, (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.PostgresConnectionError)):
        return True
    if isinstance(error, (ssl.SSLError, ConnectionResetError)):
        return True
    # asyncpg raises a plain ConnectionError when the server declines TLS.
    return encrypted and type(error) is ConnectionError


def _keep_alive(conn: asyncpg.Connection) -> None:
    sock = conn._transport.get_extra_info("socket")  # asyncpg offers no way to set it
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        for name, value in _KEEPALIVE.items():
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
