"""Settings that change how a server prints names, expressions and values, pinned while we read them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tranship.sql.queries import query

_PLAIN = {
    "search_path": "",
    "quote_all_identifiers": "off",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "standard_conforming_strings": "on",
}


@asynccontextmanager
async def plain_output(conn: asyncpg.Connection) -> AsyncIterator[None]:
    """Inside the caller's transaction: everything is printed qualified and in one form; afterwards the settings are as before.

    After an error the transaction is lost, and the settings with it.
    """
    before = await _set(conn, _PLAIN)
    yield
    await _set(conn, before)


async def _set(conn: asyncpg.Connection, values: dict[str, str]) -> dict[str, str]:
    """Sets them for the rest of the transaction; returns what they were."""
    records = await conn.fetch(query("catalog_settings"), list(values), list(values.values()))
    return {record["name"]: record["before"] for record in records}
