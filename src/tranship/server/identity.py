"""Who a database is, and whether OLD and NEW are one and the same."""

from __future__ import annotations

import secrets

import asyncpg
from msgspec import Struct

from tranship.sql.queries import query
from tranship.sql.session import TRY_LOCK, UNLOCK


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
        """What the journal is keyed by; not the name, which changes: many a database is renamed when its successor takes over."""
        return f"{self.system}/{self.database_oid}"


async def read_identity(conn: asyncpg.Connection) -> Identity:
    """Identity of the database behind a connection."""
    row = await conn.fetchrow(query("identity"))
    return Identity(row["system"], row["database_oid"], row["database"], row["standby"], row["version"])


async def same_database(old: asyncpg.Connection, new: asyncpg.Connection) -> bool:
    """A lock taken through NEW is seen through OLD: however the two were spelled, they are one database."""
    key = secrets.randbits(62)
    backend = await new.fetchval("SELECT pg_catalog.pg_backend_pid()")
    await new.fetchval(TRY_LOCK, key)
    try:
        return await old.fetchval(query("advisory_seen"), key, backend) is not None
    finally:
        await new.fetchval(UNLOCK, key)


def standby_of(old: Identity, new: Identity) -> bool:
    """OLD replays NEW's own log: a standby of NEW."""
    return old.standby and old.system == new.system and old.database_oid == new.database_oid
