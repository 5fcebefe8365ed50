"""Reads which columns a SELECT would give, without running it, and describes its output as a table."""

from __future__ import annotations

import asyncpg
from msgspec.structs import replace

from tranship.model.catalog import Column, Key, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.names import TableName
from tranship.server.catalog.ask import ask
from tranship.server.catalog.printing import plain_output
from tranship.server.catalog.types import QUESTIONS, TypeReader


async def described(conn: asyncpg.Connection, select: str) -> tuple[Column, ...]:
    """Returns the output columns of a SELECT, in the caller's transaction.

    Modifiers are not known: a ``varchar(3)`` is described as ``varchar``.
    """
    version = int(conn.get_server_version().major) * 10000
    async with plain_output(conn):
        attributes = (await conn.prepare(select)).get_attributes()
        answers = await ask(conn, version, *QUESTIONS)
        uses = {(attribute.type.oid, -1) for attribute in attributes}
        types = await TypeReader.read(conn, version, answers, uses, ())
    return tuple(
        Column(attribute.name, place, types.build(attribute.type.oid))
        for place, attribute in enumerate(attributes, 1)
    )


def query_table(name: TableName, key: tuple[str, ...], columns: tuple[Column, ...]) -> Table:
    """Returns what stands for the output of a ``query``: its key is checked before anything is written."""
    columns = tuple(replace(column, not_null=column.name in key) for column in columns)
    known = {column.name for column in columns}
    keys = (Key("key", True, key),) if key and known.issuperset(key) else ()
    return Table(name, RelationKind.QUERY, columns, keys=keys, privileges=("SELECT",))
