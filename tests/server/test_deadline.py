"""A connection that fell silent is found out; a server that is merely slow is waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from faults.proxy import Proxy
from support import Pair
from tranship.config import load_config
from tranship.server import deadline
from tranship.server.connect import connect


async def test_silence_and_slowness(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "QUIET", 0.3)
    monkeypatch.setattr(deadline, "LOOK", 0.1)
    server = pair.new.server
    async with Proxy(server.host, server.port) as proxy:
        config = load_config(pair.config(tmp_path, new=proxy.address))
        conn = await connect(config.new)
        backend = conn.get_server_pid()
        assert await conn.fetchval("SELECT 1 FROM pg_sleep(2)") == 1
        proxy.fault, proxy.k = "stall", 1
        with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresConnectionError, ConnectionError)):
            await asyncio.wait_for(conn.fetchval("SELECT 1"), 60)
        assert proxy.struck
    assert conn.get_server_pid() == backend, "who has to end what a lost connection left asks for its number"
