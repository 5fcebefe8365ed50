"""OLD's server dies and comes back between an interruption and the same command again. That ends no transaction,
so that the numbers of transactions do not show it, and yet an UNLOGGED table is empty then.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from support import Database, MakePair, Pair, Servers, connected, portions
from support.crashing import CrashableServer
from support.observe import Observe
from support.portions import UNCOUNTED
from support.runs import interrupted, migrate
from tranship.errors import Refused, Stopped

ROWS = """
CREATE {kind} TABLE t (id integer PRIMARY KEY, word text) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT n, repeat('w', n % 50) FROM generate_series(1, 6000) n;
"""
NEW = "CREATE TABLE t (id bigint PRIMARY KEY, word text)"
CHECKPOINTER = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"


@pytest.fixture
def server(servers: Servers) -> Iterator[CrashableServer]:
    """A server on which nobody else runs transactions."""
    with CrashableServer(servers.installed[servers.default_majors[0]], name="restarted") as started:
        asyncio.run(set_autovacuum_off(started))
        yield started


async def set_autovacuum_off(server: CrashableServer) -> None:
    async with connected(server) as conn:
        await conn.execute("ALTER SYSTEM SET autovacuum = off")
        await conn.execute("SELECT pg_reload_conf()")


async def crashed(pair: Pair, folder: Path, observe: Observe, place: str, *, backend: bool = False) -> None:
    """A run that stops in the middle, and OLD's server dies; ``backend``: one of its processes, after which it
    recovers and goes on.
    """
    # The test's servers answer before a commit is on disk: what the test set up has to survive the crash.
    await pair.old.value("CHECKPOINT")
    await interrupted(pair, folder, observe, place, passage=3, batch_size=300, verify="off")
    assert isinstance(pair.old.server, CrashableServer)
    if backend:
        os.kill(await pair.old.value(CHECKPOINTER), signal.SIGKILL)
        await wait_for(pair.old)
    else:
        pair.old.server.crash()
        pair.old.server.come_back()


async def wait_for(database: Database) -> None:
    """Waits until a server has recovered."""
    for _ in range(300):
        await asyncio.sleep(0.1)
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            await database.value("SELECT 1")
            return
    raise TimeoutError


@pytest.mark.parametrize(("beside", "backend"), [(False, False), (True, False), (True, True)])
async def test_an_unlogged_table_that_a_crash_emptied_is_not_taken_for_unchanged(
    server: CrashableServer,
    make_pair: MakePair,
    tmp_path: Path,
    observe: Observe,
    monkeypatch: pytest.MonkeyPatch,
    beside: bool,
    backend: bool,
) -> None:
    """Nor is it counted beside the copy: what is not counted cannot be compared."""
    if beside:
        portions.shrink(monkeypatch)
    pair = Pair(Database(server, "postgres"), (await make_pair("", NEW)).new)
    await pair.old.run(ROWS.format(kind="UNLOGGED"))
    await crashed(pair, tmp_path, observe, "batch.committed", backend=backend)
    assert await pair.new.value(UNCOUNTED) == 0
    for live in (False, True):
        with pytest.raises(Stopped) as stopped:
            await migrate(pair, tmp_path, batch_size=300, verify="off", live=live)
        assert stopped.value.code == "TS411"
    result = await migrate(pair, tmp_path, batch_size=300, verify="off", new_snapshot="unfinished")
    assert (result.exit_status, result.tables[0].rows_read) == (0, 0)
    assert await pair.new.value("SELECT count(*)::int FROM t") == 0


async def test_a_table_that_is_as_it_was_is_proven_to_be(
    server: CrashableServer, make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = Pair(Database(server, "postgres"), (await make_pair("", NEW)).new)
    await pair.old.run(ROWS.format(kind=""))
    await crashed(pair, tmp_path, observe, "batch.committed")
    assert (await migrate(pair, tmp_path, batch_size=300, verify="off")).exit_status == 0
    assert await pair.new.value("SELECT count(*)::int FROM t") == 6000


@pytest.mark.usefixtures("small_portions")
async def test_what_was_not_counted_before_a_restart_is_not_taken_for_unchanged(
    server: CrashableServer,
    make_pair: MakePair,
    tmp_path: Path,
    observe: Observe,
) -> None:
    """The server may have been set back to a copy of itself, whose transactions have the same numbers."""
    pair = Pair(Database(server, "postgres"), (await make_pair("", NEW)).new)
    await pair.old.run(ROWS.format(kind=""))
    await crashed(pair, tmp_path, observe, "count.journalled")
    assert await pair.new.value(UNCOUNTED) == 1
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, batch_size=300, verify="off")
    assert stopped.value.code == "TS411"
    result = await migrate(pair, tmp_path, batch_size=300, verify="off", new_snapshot="unfinished")
    assert (result.exit_status, result.tables[0].rows_read) == (0, 6000)
    assert await pair.new.value("SELECT count(*)::int FROM t") == 6000


async def test_rejected_rows_that_a_crash_took_are_not_looked_for_in_their_places(
    server: CrashableServer, make_pair: MakePair, tmp_path: Path
) -> None:
    new = (await make_pair("", "CREATE TABLE t (id integer, word text CHECK (id <> 7))")).new
    pair = Pair(Database(server, "postgres"), new)
    await pair.old.run("CREATE UNLOGGED TABLE t (id integer, word text)")
    await pair.old.run("INSERT INTO t SELECT n, 'w' FROM generate_series(1, 50) n")
    assert (await migrate(pair, tmp_path)).stats.rows_failed == 1
    await pair.old.value("CHECKPOINT")
    server.crash()
    server.come_back()
    with pytest.raises(Refused, match="it may have been written to since"):
        await migrate(pair, tmp_path, rejects_only=True)
