"""One spelling for expressions of two servers: NEW plans them, and nothing is run or written."""

from __future__ import annotations

import re
from collections.abc import Sequence

import asyncpg
import msgspec
from msgspec import Struct

from tranship.model.catalog import Catalog, Table
from tranship.model.names import TableName
from tranship.server.catalog.printing import plain_output
from tranship.sql.new.spelling import spell

_INTEGERS = re.compile(
    r"'(?P<number>-?\d+)'::(?:smallint|integer|bigint)\b(?!\[)|'{(?P<numbers>-?\d+(?:,-?\d+)*)}'::(?:smallint|integer|bigint)\[\]"
    r"|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
)


class _Plan(Struct, frozen=True, rename="pascal"):
    output: tuple[str, ...]


class _Explained(Struct, frozen=True, rename="pascal"):
    plan: _Plan


async def read_spellings(
    conn: asyncpg.Connection, new: Catalog, doubtful: Sequence[tuple[TableName, tuple[str, ...]]]
) -> dict[tuple[TableName, str], str]:
    """How NEW's planner spells each expression, inside the caller's READ ONLY transaction.

    An expression that NEW does not understand (a function it lacks) has no entry: it stays compared as text.
    """
    found: dict[tuple[TableName, str], str] = {}
    async with plain_output(conn):
        for name, texts in doubtful:
            table = new.table(name)
            if table is not None:
                found.update({(name, text): answer for text, answer in await _spell(conn, table, texts)})
    return found


async def _spell(conn: asyncpg.Connection, table: Table, texts: tuple[str, ...]) -> list[tuple[str, str]]:
    """All at once; where one is not understood, in halves."""
    try:
        async with conn.transaction():
            answer = await conn.fetchval(spell(table, texts))
    except asyncpg.PostgresError:
        if len(texts) == 1:
            return []
        middle = len(texts) // 2
        return [*await _spell(conn, table, texts[:middle]), *await _spell(conn, table, texts[middle:])]
    explained = msgspec.json.decode(answer, type=tuple[_Explained])
    return list(
        zip(texts, (_INTEGERS.sub(_told, answer) for answer in explained[0].plan.output), strict=True)
    )


def _told(match: re.Match[str]) -> str:
    """A whole number compares the same whatever its width: an integer column that became a bigint has the checks it had."""
    number, numbers = match["number"], match["numbers"]
    if number is not None:
        return number
    return f"'{{{numbers}}}'::integer[]" if numbers is not None else match.group()
