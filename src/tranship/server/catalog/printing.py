"""Settings that decide how a server prints names, expressions and values, pinned while a catalog is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tranship.sql.queries import query

_PLAIN = {
    # Names outside of pg_catalog are printed with their schema only if it is not on the path.
    "search_path": "",
    "quote_all_identifiers": "off",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
}


@asynccontextmanager
async def plain_output(conn: asyncpg.Connection) -> AsyncIterator[None]:
    """Has everything printed qualified and in one form for the block, inside the caller's transaction.

    Afterwards the settings are as before. After an error the transaction is lost, and its settings with it.
    """
    before = await _set(conn, _PLAIN)
    yield
    await _set(conn, before)


async def _set(conn: asyncpg.Connection, values: dict[str, str]) -> dict[str, str]:
    """Sets values for the rest of the transaction; returns what they were before."""
    records = await conn.fetch(query("catalog_settings"), list(values), list(values.values()))
    return {record["name"]: record["before"] for record in records}
