"""A connection that fell silent is found out; a server that is merely slow is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from support import Database, Pair
from support.proxy import Proxy
from tranship.config import load_config
from tranship.server import deadline
from tranship.server.connect import connect
from tranship.server.deadline import WatchedConnection, answered
from tranship.server.session import refuse_pooler

MUTE = "from now on the connection is silent"


async def _looked(database: Database) -> None:
    """Returns once no look at a slow statement is on its way: the next byte through the proxy
    is the connection's own.
    """
    for _ in range(100):
        looking = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'tranship watch'"
        )
        if not await database.value(looking):
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)


async def _slow_then_silent(conn: WatchedConnection, proxy: Proxy, database: Database) -> None:
    """A slow answer is waited for, one that never comes is not."""
    assert await conn.fetchval("SELECT 1 FROM pg_sleep(2)") == 1
    await _looked(database)
    proxy.fault, proxy.k = "stall", 1
    with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresConnectionError, ConnectionError)):
        await asyncio.wait_for(conn.fetchval("SELECT 1"), 60)
    assert proxy.struck


async def test_silence_and_slowness(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "READ_TIMEOUT", 0.3)
    monkeypatch.setattr(deadline, "LOOK_INTERVAL", 0.1)
    server = pair.new.server
    async with Proxy(server.host, server.port) as proxy:
        config = load_config(pair.config(tmp_path, new=proxy.address))
        conn = await connect(config.new)
        backend = conn.get_server_pid()
        await _slow_then_silent(conn, proxy, pair.new)
    assert conn.get_server_pid() == backend, "who has to end what a lost connection left asks for its number"


async def _fetches_on(conn: WatchedConnection) -> None:
    async with conn.transaction():
        cursor = await answered(conn, conn.cursor("SELECT 1 FROM generate_series(1, 100)"))
        await answered(conn, cursor.fetch(10))
        await conn.execute(MUTE)
        await answered(conn, cursor.fetch(10))


async def _opens_a_cursor(conn: WatchedConnection) -> None:
    async with conn.transaction():
        await conn.execute(MUTE)
        await answered(conn, conn.cursor("SELECT 1"))


async def _prepares(conn: WatchedConnection) -> None:
    await conn.execute(MUTE)
    await conn.prepare("SELECT 1")


async def _copies_records(conn: WatchedConnection) -> None:
    await conn.execute("CREATE TEMP TABLE kept (x int)")
    await conn.execute(MUTE)
    await conn.copy_records_to_table("kept", records=[(n,) for n in range(100)])


@pytest.mark.parametrize("way", [_fetches_on, _opens_a_cursor, _prepares, _copies_records])
async def test_every_way_to_ask(
    pair: Pair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[WatchedConnection], Awaitable[None]],
) -> None:
    monkeypatch.setattr(deadline, "READ_TIMEOUT", 0.3)
    monkeypatch.setattr(deadline, "LOOK_INTERVAL", 0.1)
    server = pair.new.server
    async with Proxy(server.host, server.port) as proxy:
        conn = await connect(load_config(pair.config(tmp_path, new=proxy.address)).new)
        real = conn.execute

        async def execute(sql: str, *arguments: object, **options: object) -> object:
            done = await real("SELECT 1" if sql == MUTE else sql, *arguments, **options)
            if sql == MUTE:
                proxy.fault, proxy.k = "stall", 1
            return done

        monkeypatch.setattr(conn, "execute", execute)
        with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresConnectionError, ConnectionError)):
            await asyncio.wait_for(way(conn), 20)
        assert proxy.struck


async def test_slowness_behind_a_session_pooler(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process id that a pooler tells is nobody's on the server."""
    monkeypatch.setattr(deadline, "READ_TIMEOUT", 0.3)
    monkeypatch.setattr(deadline, "LOOK_INTERVAL", 0.1)
    server = pair.new.server
    async with Proxy(server.host, server.port, alias=2**22 + 1) as proxy:
        config = load_config(pair.config(tmp_path, new=proxy.address))
        conn = await connect(config.new)
        await refuse_pooler(conn, config.new)
        assert (
            await conn.fetchval("SELECT pg_backend_pid() FROM pg_sleep(2)")
            == conn.get_server_pid()
            != 2**22 + 1
        )
        conn.terminate()


@pytest.mark.parametrize("setting", ["role = 'boss_{name}'", "track_activities = off"])
async def test_slowness_where_the_server_hides_it(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """A role that takes on another one by default may not see what its own sessions do;
    without track_activities nobody may.
    """
    monkeypatch.setattr(deadline, "READ_TIMEOUT", 0.3)
    monkeypatch.setattr(deadline, "LOOK_INTERVAL", 0.1)
    name = pair.new.name
    await pair.new.run(
        f"CREATE ROLE boss_{name}; CREATE ROLE worker_{name} LOGIN PASSWORD 'secret' IN ROLE boss_{name}"
    )
    await pair.new.run(f"ALTER ROLE worker_{name} SET {setting.format(name=name)}")
    server = pair.new.server
    async with Proxy(server.host, server.port) as proxy:
        config = load_config(
            pair.config(tmp_path, new={**proxy.address, "username": f"worker_{name}", "password": "secret"})
        )
        conn = await connect(config.new)
        await _slow_then_silent(conn, proxy, pair.new)
