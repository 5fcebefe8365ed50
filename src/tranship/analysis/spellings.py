"""Has NEW print expressions of both servers in one form, so that they can be compared as texts. NEW plans
them and runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import asyncpg
import msgspec
from msgspec import Struct

from tranship.model.catalog import Catalog, Table
from tranship.model.names import TableName
from tranship.server.catalog.printing import plain_output
from tranship.server.trouble import is_lost
from tranship.sql.new.spelling import spell

_INTEGERS = re.compile(
    r"'(?P<number>-?\d+)'::(?:smallint|integer|bigint)\b(?!\[)"
    r"|'{(?P<numbers>-?\d+(?:,-?\d+)*)}'::(?:smallint|integer|bigint)\[\]"
    r"|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
)
"""Integer constants with their cast, and arrays of them. Other literals and quoted names match, too, so that
nothing inside them does.
"""


class _Plan(Struct, frozen=True, rename="pascal"):
    output: tuple[str, ...]


class _Explained(Struct, frozen=True, rename="pascal"):
    plan: _Plan


async def read_spellings(
    conn: asyncpg.Connection, new: Catalog, unequal: Sequence[tuple[TableName, tuple[str, ...]]]
) -> dict[tuple[TableName, str], str]:
    """Returns the form in which NEW's planner prints each expression, read inside the caller's READ ONLY
    transaction.

    An expression that NEW does not understand (a function it lacks) has no entry, and is compared as it is.
    """
    found: dict[tuple[TableName, str], str] = {}
    async with plain_output(conn):
        for name, texts in unequal:
            table = new.table(name)
            if table is not None:
                found.update({(name, text): answer for text, answer in await _spell(conn, table, texts)})
    return found


async def _spell(conn: asyncpg.Connection, table: Table, texts: tuple[str, ...]) -> list[tuple[str, str]]:
    """Returns the given texts with NEW's form of each. All are asked at once; where one is not understood, in
    halves.
    """
    try:
        # A savepoint: an error would end the caller's transaction.
        async with conn.transaction():
            answer = await conn.fetchval(spell(table, texts))
    except asyncpg.PostgresError as error:
        if is_lost(error):
            raise
        if len(texts) == 1:
            return []
        middle = len(texts) // 2
        return [*await _spell(conn, table, texts[:middle]), *await _spell(conn, table, texts[middle:])]
    explained = msgspec.json.decode(answer, type=tuple[_Explained])
    return list(
        zip(
            texts, (_INTEGERS.sub(_without_width, answer) for answer in explained[0].plan.output), strict=True
        )
    )


def _without_width(match: re.Match[str]) -> str:
    """Returns an integer constant without its cast: it means the same in a check on a column that became a
    bigint.
    """
    number, numbers = match["number"], match["numbers"]
    if number is not None:
        return number
    return f"'{{{numbers}}}'::integer[]" if numbers is not None else match.group()
