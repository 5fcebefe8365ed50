"""Which database a connection has reached, and whether OLD and NEW are the same one."""

from __future__ import annotations

import asyncio
import secrets

import asyncpg
from msgspec import Struct

from tranship.sql.queries import query
from tranship.sql.session import BACKEND, TRY_LOCK, UNLOCK


class Identity(Struct, frozen=True):
    """One database of one cluster."""

    system: str
    """``pg_control_system().system_identifier``; a restored copy shares it."""
    database_oid: int
    database: str
    standby: bool
    version: int
    """``server_version_num``."""

    @property
    def key(self) -> str:
        """The journal's key for this database. It leaves the name out, because databases are renamed when
        their successor takes over.
        """
        return f"{self.system}/{self.database_oid}"


async def read_identity(conn: asyncpg.Connection) -> Identity:
    """Returns the identity of the database behind a connection."""
    row = await conn.fetchrow(query("identity"))
    return Identity(row["system"], row["database_oid"], row["database"], row["standby"], row["version"])


async def read_identities(old: asyncpg.Connection, new: asyncpg.Connection) -> tuple[Identity, Identity]:
    """Returns what tells both databases apart, asked at the same time."""
    return await asyncio.gather(read_identity(old), read_identity(new))


async def same_database(old: asyncpg.Connection, new: asyncpg.Connection) -> bool:
    """Returns whether two connections lead to one database, whatever hosts and names were given.

    An advisory lock is local to a database: one that is taken through NEW shows in OLD's ``pg_locks`` only if
    they are the same. The key is random, so two runs at the same time do not meet; 62 bits keep it a positive
    bigint.
    """
    key = secrets.randbits(62)
    backend = await new.fetchval(BACKEND)
    await new.fetchval(TRY_LOCK, key)
    try:
        return await old.fetchval(query("advisory_seen"), key, backend) is not None
    finally:
        await new.fetchval(UNLOCK, key)


def standby_of(old: Identity, new: Identity) -> bool:
    """Returns whether OLD is a standby of NEW: it replays NEW's own log, so it would show what the run
    writes.
    """
    return old.standby and old.system == new.system and old.database_oid == new.database_oid
