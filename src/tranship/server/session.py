"""Sessions with the same meaning on every server: settings are pinned and read back, and poolers are
refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from tranship.config import Endpoint
from tranship.errors import ConnectError, Refused
from tranship.errors.codes.connection import SettingNotKept, SilencedByDefault
from tranship.errors.codes.start import TransactionPooler
from tranship.model.catalog import Catalog
from tranship.model.date_order import date_order
from tranship.model.names import Side
from tranship.server.connect import connect, drop, pinned_settings
from tranship.server.round_trips import PinnedSetting
from tranship.sql.new.switches import AS_ORIGIN
from tranship.sql.queries import query
from tranship.sql.session import BACKEND, SERVER_ENCODING

_BOTH = {
    # Text forms: the same value prints as the same text on both sides, and NEW's input reads what OLD
    # printed.
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "3",  # the shortest text that gives the same float, on every version
    "xmloption": "content",  # every xml value passes; DOCUMENT would refuse fragments
    # Meaning of our own statements. A statement that is prepared under a name is planned for its values at
    # each use, as one without a name is.
    "plan_cache_mode": "force_custom_plan",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
    # JIT compiles per statement, which costs more than it saves for batches of this size.
    "jit": "off",
    # A batch takes as long as it takes. Stalled connections are found by looking (`deadline.py`), not by a
    # limit.
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    # A backend whose client is gone ends within seconds, so it holds no locks against the run that resumes.
    "client_connection_check_interval": "5s",
}
"""Settings of every session. A server ignores those that its version does not know (``session_pin.sql``)."""
_OLD = {
    # Nothing is read through a view or a foreign table by mistake (the setting exists since the minor
    # releases of August 2024).
    "restrict_nonsystem_relation_kind": "view, foreign-table",
    # Each scan begins at the first page, and not where another one stands: the lengths of rows are read by
    # one cursor and the rows by another, and a preview shows the first rows.
    "synchronize_seqscans": "off",
}
"""Settings of sessions on OLD."""
_SQL_ASCII = "SQL_ASCII"
ISO = "ISO, MDY"
"""The DateStyle of sessions that read and write the journal alone."""


async def pin(
    conn: asyncpg.Connection,
    side: Side,
    *,
    datestyle: str,
    zone: str | None = None,
    search_path: str | None = None,
) -> None:
    """Pins everything that text forms and visibility depend on, for the whole session, and checks it by
    reading back.

    Args:
        conn: a connection of `connect.connect`.
        side: the database it leads to.
        datestyle: ``ISO, MDY`` …: NEW's configured field order, on both sides.
        zone: None leaves the database's own, in which its users' expressions, defaults and CHECKs are meant.
        search_path: None leaves the database's own, which triggers and defaults in NEW may need; ``""``
            empties it.

    Raises:
        ConnectError: a setting did not stay, or NEW disables triggers for this role by default.
    """
    wanted = _settings(side, datestyle=datestyle, zone=zone, search_path=search_path)
    await _settle(conn, side, wanted, await pinned_settings(conn, wanted))


def _settings(side: Side, *, datestyle: str, zone: str | None, search_path: str | None) -> dict[str, str]:
    """Returns the settings that `pin` makes."""
    wanted = {**_BOTH, "DateStyle": datestyle, "client_encoding": "UTF8"}
    if zone is not None:
        wanted["TimeZone"] = zone
    if side is Side.OLD:
        # With row_security off a policy that would filter rows raises: a part of a table must never look like
        # all of it.
        wanted |= {**_OLD, "row_security": "off"}
    if search_path is not None:
        wanted["search_path"] = search_path
    return wanted


async def _settle(
    conn: asyncpg.Connection, side: Side, wanted: Mapping[str, str], pinned: Sequence[PinnedSetting]
) -> None:
    """Corrects what only this server needs, and checks that all settings stayed."""
    wanted = dict(wanted)
    corrections = await _encoding(conn) if side is Side.OLD else await _corrected(conn, pinned[0])
    if corrections:
        wanted |= corrections
        pinned = (*pinned, *await pinned_settings(conn, corrections))
    now = {setting.name: setting.now for setting in pinned}
    if not conn.direct:
        # Read back, because a pooler may accept SET and run the next transaction on another backend.
        rows = await conn.fetch(query("session_read_back"), list(wanted))
        now = {row["name"]: row["now"] for row in rows}
    for name in now.keys() & wanted.keys():
        if _folded(now[name]) != _folded(wanted[name]):
            raise ConnectError(SettingNotKept(side, name, now[name], wanted[name]))


async def _encoding(conn: asyncpg.Connection) -> dict[str, str]:
    """Returns the client encoding of an OLD that is SQL_ASCII, whose bytes need not be valid in any
    encoding.
    """
    # The server announces it when a connection begins (PostgreSQL documentation, "Asynchronous Operations").
    announced = getattr(conn.get_settings(), "server_encoding", None) or await conn.fetchval(SERVER_ENCODING)
    return {"client_encoding": _SQL_ASCII} if announced == _SQL_ASCII else {}


async def _corrected(conn: asyncpg.Connection, found: PinnedSetting) -> dict[str, str]:
    """Returns the settings that a session on NEW has to change because the role or the database has another
    default.

    Raises:
        ConnectError: triggers and foreign keys are disabled for this role by default, and it may not change
            that.
    """
    # What a run saw committed has to outlive a crash of the server. `local` is the least that grants it; for
    # how many standbys a commit waits remains the server's own choice.
    wanted = {"synchronous_commit": "local"} if found.durability == "off" else {}
    if found.replication_role != "origin":
        # Foreign keys would not be checked and replica triggers would fire, although nobody switched them.
        try:
            await conn.execute(AS_ORIGIN)
        except asyncpg.InsufficientPrivilegeError as error:
            raise ConnectError(SilencedByDefault(found.replication_role)) from error
    return wanted


def _folded(value: str) -> str:
    return value.replace(" ", "").casefold().strip('"')


async def open_session(
    endpoint: Endpoint,
    *,
    datestyle: str,
    application_name: str = "tranship",
    zone: str | None = None,
    search_path: str | None = "",
    direct: bool = False,
) -> asyncpg.Connection:
    """Connects and pins the session (`pin`); a connection on which that fails is ended.

    Args:
        search_path: None leaves the database's own, which batches in NEW need.
        direct: a pooler in between is refused (`refuse_pooler`).

    Raises:
        ConnectError: the server cannot be reached, or a setting does not stay.
        Refused: a pooler changes the backend between transactions.
    """
    side = endpoint.side
    wanted = _settings(side, datestyle=datestyle, zone=zone, search_path=search_path)
    conn = await connect(endpoint, application_name=application_name, settings=wanted)
    try:
        if direct:
            await refuse_pooler(conn, endpoint)
        await _settle(conn, side, wanted, conn.pinned)
    except BaseException:
        await drop(conn)
        raise
    return conn


async def refuse_pooler(conn: asyncpg.Connection, endpoint: Endpoint) -> None:
    """Refuses a connection through a pooler in transaction mode: it gives each transaction to another
    backend, so no snapshot, setting or lock would last.

    A direct connection has the process id that the server announced when it began. Otherwise a second
    connection occupies one backend in an open transaction; if the first connection then has another one, the
    pooler exchanges them.

    Raises:
        Refused: the backend changed between two transactions of one connection.
    """
    if conn.direct:
        return
    backend = await conn.fetchval(BACKEND)
    other = await connect(endpoint, application_name="tranship pooler check")
    try:
        async with other.transaction():
            await other.fetchval(BACKEND)
            again = await conn.fetchval(BACKEND)
    finally:
        await other.close()
    if again != backend:
        raise Refused(TransactionPooler(endpoint.side, endpoint.display))


def datestyle(new: Catalog) -> str:
    """Returns ``ISO`` with NEW's configured field order, so that ambiguous dates are read as NEW's own users
    write them.
    """
    return f"ISO, {date_order(new.datestyle)}"
