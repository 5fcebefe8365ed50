"""Reads which columns a SELECT would give, without running it."""

from __future__ import annotations

import asyncpg

from tranship.model.catalog import Column
from tranship.server.catalog.printing import plain_output
from tranship.server.catalog.rows import SessionRow, fetch
from tranship.server.catalog.types import TypeReader


async def described(conn: asyncpg.Connection, select: str) -> tuple[Column, ...]:
    """Returns the output columns of a SELECT, in the caller's transaction.

    Modifiers are not known: a ``varchar(3)`` is described as ``varchar``.
    """
    version = int(conn.get_server_version().major) * 10000
    async with plain_output(conn):
        attributes = (await conn.prepare(select)).get_attributes()
        (session,) = await fetch(conn, version, "session", SessionRow)
        uses = {(attribute.type.oid, -1) for attribute in attributes}
        types = await TypeReader.read(conn, version, uses, (), money=session.money)
    return tuple(
        Column(attribute.name, place, types.build(attribute.type.oid))
        for place, attribute in enumerate(attributes, 1)
    )
