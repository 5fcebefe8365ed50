"""Connections that ask no oftener than they must, and behind a pooler leave nothing on a backend."""

from __future__ import annotations

import asyncpg

from support import Database, Pair
from support.counting import CountingProxy
from support.proxy import Proxy
from tranship.config import Endpoint, Secret
from tranship.execution.resilience.retry import retry
from tranship.model.names import Side
from tranship.model.notes import Note
from tranship.server.session import ISO, open_session

NAMES = "SELECT array_agg(statement) FROM pg_prepared_statements"
AGAIN = "SELECT $1::int4[] AS numbers"


def at(database: Database, **way: object) -> Endpoint:
    """The database, by TCP or through a proxy at the given address."""
    server = database.server
    values: dict[str, object] = {
        "side": Side.OLD,
        "host": "127.0.0.1",
        "port": server.port,
        "database": database.name,
        "user": server.user,
        "password": Secret(server.password),
        "sslmode": "disable",
    }
    return Endpoint(**{**values, **way})  # type: ignore[arg-type]


async def asked_again(conn: asyncpg.Connection) -> list[str]:
    """Asks one statement three times and others once. Returns those that have a name afterwards."""
    for number in range(3):
        assert await conn.fetchval(AGAIN, [number, 7]) == [number, 7]
        assert await conn.fetchval(f"SELECT {number}") == number
    return await conn.fetchval(NAMES) or []


async def test_what_is_asked_again_has_a_name(pair: Pair) -> None:
    conn = await open_session(at(pair.old), datestyle=ISO)
    assert await asked_again(conn) == [AGAIN]
    await conn.close()


async def test_nothing_has_a_name_behind_a_pooler(pair: Pair) -> None:
    async with Proxy("127.0.0.1", pair.old.server.port, alias=4321) as proxy:
        conn = await open_session(at(pair.old, **proxy.address), datestyle=ISO)
        assert await asked_again(conn) == []
        conn.terminate()


async def test_a_statement_whose_result_changed_is_prepared_anew(pair: Pair) -> None:
    await pair.old.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    conn = await open_session(at(pair.old), datestyle=ISO)
    for _ in range(3):
        assert dict(await conn.fetchrow("SELECT * FROM public.t")) == {"a": 1}
    await pair.old.run("ALTER TABLE t ALTER a TYPE text, ADD b int DEFAULT 2")
    assert dict(await conn.fetchrow("SELECT * FROM public.t")) == {"a": "1", "b": 2}
    await conn.close()


async def test_a_transaction_whose_statement_is_outdated_may_be_repeated(pair: Pair) -> None:
    """Somebody alters a table between two batches; the driver cannot prepare anew in a failed transaction."""
    await pair.old.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    conn = await open_session(at(pair.old), datestyle=ISO)
    for _ in range(3):
        await conn.fetchrow("SELECT * FROM public.t")
    await pair.old.run("ALTER TABLE t ALTER a TYPE text")

    async def action() -> asyncpg.Record:
        async with conn.transaction():
            return await conn.fetchrow("SELECT * FROM public.t")

    told: list[Note] = []
    assert dict(await retry(action, tell=told.append, what="t")) == {"a": "1"}
    assert len(told) == 1
    await conn.close()


async def test_a_plan_is_made_for_its_values(pair: Pair) -> None:
    """Five uses would let the server plan for any values (PREPARE: plan_cache_mode)."""
    conn = await open_session(at(pair.old), datestyle=ISO)
    for number in range(8):
        await conn.fetchval("SELECT $1::int8", number)
    if await conn.fetchval("SHOW server_version_num") >= "140000":
        assert await conn.fetchval("SELECT sum(generic_plans)::int FROM pg_prepared_statements") == 0
    await conn.close()


async def test_a_session_begins_with_few_round_trips(pair: Pair) -> None:
    with CountingProxy("127.0.0.1", pair.old.server.port) as proxy:
        conn = await open_session(at(pair.old, **proxy.address), datestyle=ISO)
        # Three to log in, one to lift the time limit of statements, two for all settings.
        assert proxy.counts.round_trips <= 6
        asked = proxy.counts.round_trips
        for number in range(3):
            await conn.fetchval(AGAIN, [number])
        # Twice for the types of the statement and for its rows, then for its rows alone.
        assert proxy.counts.round_trips - asked <= 5
        conn.terminate()
