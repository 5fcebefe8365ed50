"""A server that starts says so (SQLSTATE 57P03), and every connection waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from support import Pair
from tranship.config import load_config
from tranship.errors import ConnectError
from tranship.execution.resilience.server_errors import is_transient
from tranship.server.connect import connect, is_working

STARTING = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"


@asynccontextmanager
async def starting(host: str, port: int, refusals: int) -> AsyncIterator[int]:
    """Yields a port that refuses so many connections as a server does that starts, and then leads to one."""
    left = refusals
    pipes: list[asyncio.Task[None]] = []

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal left
        if left > 0:
            left -= 1
            await reader.read(65536)
            writer.write(b"E" + (len(STARTING) + 4).to_bytes(4, "big") + STARTING)
            await writer.drain()
            writer.close()
            return
        there, back = await asyncio.open_connection(host, port)
        pipes.extend((asyncio.create_task(pipe(reader, back)), asyncio.create_task(pipe(there, writer))))

    server = await asyncio.start_server(serve, "127.0.0.1")
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in pipes:
            task.cancel()


async def test_a_connection_waits_for_a_server_that_starts(pair: Pair, tmp_path: Path) -> None:
    new = replace(load_config(pair.config(tmp_path)).new, sslmode="disable")
    async with starting(new.host, new.port, 2) as port:
        conn = await connect(replace(new, host="127.0.0.1", port=port))
        assert await conn.fetchval("SELECT 1") == 1
        await conn.close()


async def test_it_does_not_wait_longer_than_connect_timeout(pair: Pair, tmp_path: Path) -> None:
    new = replace(load_config(pair.config(tmp_path)).new, sslmode="disable")
    async with starting(new.host, new.port, 1_000) as port:
        starts = replace(new, host="127.0.0.1", port=port, connect_timeout=1.2)
        with pytest.raises(ConnectError) as refused:
            await connect(starts)
        assert refused.value.code == "TS208"
        assert "starting up" in refused.value.message
        # A run tries again, as after other losses.
        assert is_transient(refused.value)
        before = time.monotonic()
        assert not await is_working(starts, 1)
        assert time.monotonic() - before < 1
