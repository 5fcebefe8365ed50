"""Rows that are sent in pieces arrive as they are, and rows that may be large are fetched in small portions."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import asyncpg
import pytest

from support import Pair
from tranship.server import deadline
from tranship.server.deadline import each_large_row
from tranship.server.journal import binary_rows
from tranship.server.journal.binary_rows import pieces

TYPES = ("int4", "int8", "text", "bytea")
ROWS: list[tuple[int | None, int | None, str | None, bytes | None]] = [
    (1, -(2**62), "ä\n\\.\t", b"\x00\xff"),
    (None, None, None, None),
    (-5, 7, "", b""),
    (6, 8, "long " * 300_000, bytes(range(256)) * 5000),
]


@pytest.mark.parametrize("size", [1, 7, 1000, 10**9])
async def test_rows_arrive_as_they_are(pair: Pair, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(binary_rows, "_PIECE", max(size, 1000))
    rows = ROWS * 2 if size > 7 else [(n, n, str(n), bytes([n])) for n in range(200)]
    await pair.new.run("CREATE TABLE t (a int4, b int8, c text, d bytea)")
    async with pair.new.connect() as conn:
        await conn.copy_to_table("t", source=pieces(rows, TYPES), format="binary")
        assert [tuple(row) for row in await conn.fetch("SELECT * FROM t")] == rows


async def test_no_piece_is_large() -> None:
    lengths = [len(piece) async for piece in pieces(ROWS * 3, TYPES)]
    assert max(lengths) <= 2 * binary_rows._PIECE
    assert sum(lengths) > 3 * 1_280_000


async def test_no_rows() -> None:
    assert b"".join([bytes(piece) async for piece in pieces([], TYPES)]).endswith(b"\xff\xff")


@pytest.mark.parametrize("most", [1, 500, 10**6])
async def test_rows_that_may_be_large_are_fetched_as_far_as_they_fit(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    lengths = [1, 2, 3, 400, 5, 600, 700, 8, 9, *[1] * 1200, 800]
    await pair.new.run(
        "CREATE TABLE t (n int, v bytea);"
        f"INSERT INTO t SELECT n, repeat('x', l)::bytea FROM unnest(ARRAY{lengths}) WITH ORDINALITY u(l, n)"
    )
    together: list[int] = []
    real = deadline.answered

    async def counted(conn: asyncpg.Connection, answer: Awaitable[Any]) -> Any:
        found = await real(conn, answer)
        if isinstance(found, list) and found and "v" in found[0]:
            together.append(sum(len(row["v"]) for row in found) if len(found) > 1 else 0)
        return found

    monkeypatch.setattr(deadline, "answered", counted)
    queries = "SELECT n, v FROM t ORDER BY n", "SELECT octet_length(v) FROM t ORDER BY n"
    async with pair.new.connect() as conn, conn.transaction():
        found = [(row["n"], len(row["v"])) async for row in each_large_row(conn, queries, most=most)]
    assert found == list(enumerate(lengths, 1))
    assert max(together) <= most
    assert (len(together) == len(lengths)) == (most == 1)
