"""Sessions that mean the same on every server: settings pinned and read back, poolers found out."""

from __future__ import annotations

import asyncpg

from tranship.config import Endpoint
from tranship.errors import ConnectError, Refused
from tranship.errors.codes.connection import SettingNotKept, SilencedByDefault
from tranship.errors.codes.start import TransactionPooler
from tranship.model.catalog import Catalog
from tranship.model.names import Side
from tranship.server.connect import connect
from tranship.sql.new.switches import AS_ORIGIN
from tranship.sql.queries import query
from tranship.sql.session import BACKEND, INHERITED_SETTINGS

_BOTH = {
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    "lc_monetary": "C",
    "xmloption": "content",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
    "jit": "off",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "client_connection_check_interval": "5s",
}
_OLD = {"restrict_nonsystem_relation_kind": "view, foreign-table"}
_SQL_ASCII = "SQL_ASCII"


async def pin(
    conn: asyncpg.Connection,
    side: Side,
    *,
    datestyle: str,
    zone: str = "UTC",
    search_path: str | None = None,
    row_security: bool | None = None,
    client_encoding: str | None = None,
) -> None:
    """Pins everything that text forms and visibility depend on, for the whole session, and checks it by reading back.

    Args:
        datestyle: ``ISO, MDY`` …: NEW's configured field order, on both sides.
        zone: ``UTC``, or OLD's database zone for conversions through it.
        search_path: None leaves the database's own (NEW's batches need it); ``""`` for OLD.
        row_security: False lets a read fail rather than see a part of the rows; None: so on OLD, untouched on NEW.
        client_encoding: None: UTF8, and SQL_ASCII for an OLD that is SQL_ASCII.

    Raises:
        ConnectError: a setting did not stay, or the session is not ours alone.
    """
    encoding = client_encoding or (
        _SQL_ASCII if side is Side.OLD and conn.get_settings().server_encoding == _SQL_ASCII else "UTF8"
    )
    wanted = {**_BOTH, "DateStyle": datestyle, "TimeZone": zone, "client_encoding": encoding}
    if side is Side.OLD:
        wanted |= _OLD
    if side is Side.NEW:
        wanted |= await _without_surprises(conn)
    if search_path is not None:
        wanted["search_path"] = search_path
    if row_security is False or (row_security is None and side is Side.OLD):
        wanted["row_security"] = "off"
    await conn.fetch(query("session_pin"), list(wanted), list(wanted.values()))
    rows = await conn.fetch(query("session_read_back"), list(wanted))
    for name, now in ((row["name"], row["now"]) for row in rows):
        if _folded(now) != _folded(wanted[name]):
            raise ConnectError(SettingNotKept(side, name, now, wanted[name]))


async def _without_surprises(conn: asyncpg.Connection) -> dict[str, str]:
    """What a session on NEW has to set because role or database set it otherwise.

    Raises:
        ConnectError: triggers and foreign keys are silenced for this role by default, and it may not change that.
    """
    found = await conn.fetchrow(INHERITED_SETTINGS)
    # What a run saw committed has to outlive a crash; how many standbys must have it is the server's own choice.
    wanted = {"synchronous_commit": "local"} if found["durability"] == "off" else {}
    if found["replication_role"] != "origin":
        # Foreign keys would not be checked and replica triggers fire, behind the back of the switches.
        try:
            await conn.execute(AS_ORIGIN)
        except asyncpg.InsufficientPrivilegeError as error:
            raise ConnectError(SilencedByDefault(found["replication_role"])) from error
    return wanted


def _folded(value: str) -> str:
    return value.replace(" ", "").casefold().strip('"')


async def refuse_pooler(conn: asyncpg.Connection, endpoint: Endpoint) -> None:
    """Stops when the connection goes through a pooler that hands transactions to changing backends: no snapshot or lock would hold.

    Raises:
        Refused: the backend changed between two transactions of one connection.
    """
    backend = await conn.fetchval(BACKEND)
    if backend == conn.announced_pid:
        return
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
    """``ISO`` with NEW's configured field order."""
    order = new.datestyle.rpartition(",")[2].strip()
    return f"ISO, {order if order in ('DMY', 'MDY', 'YMD') else 'MDY'}"
