"""NEW comes back without what it had committed: a crash with synchronous_commit off, or a failover.

The run stops, and goes on from what is there.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from support import Database, MakePair, Pair, Servers
from support.crashing import CrashableServer
from support.observe import Observe
from support.runs import migrate
from support.scene import NEW, OLD, accounted, contents
from tranship import api
from tranship.config import load_config
from tranship.errors import Stopped
from tranship.execution.copying.assignment import Assignment, Report
from tranship.execution.copying.batch import Worker
from tranship.model.options import MigrateOptions
from tranship.model.progress import BatchDone, Event

FORGET = """
SET session_replication_role = replica; DELETE FROM town;
UPDATE _tranship.task SET state = 'todo' WHERE old_table LIKE '%"town"%';
UPDATE _tranship.batch SET state = 'todo', read = NULL, written = NULL, rejected = NULL, xids = '{}'
  WHERE position IN (SELECT position FROM _tranship.task WHERE old_table LIKE '%"town"%');
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name LIKE 'tranship%';
"""
"""As a standby would stand that had not heard of the first table yet."""


KEEP = "CREATE TABLE kept AS SELECT * FROM _tranship.batch"
LOSE = """
DELETE FROM _tranship.batch; INSERT INTO _tranship.batch SELECT * FROM kept; DROP TABLE kept;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name LIKE 'tranship%';
"""
"""As a standby would stand that has no batch of later than what is kept."""


async def struck(pair: Pair, folder: Path, strike: str) -> None:
    """A run whose NEW forgets the first table while the second one is moved;
    the harm is done within the callback, before anything else goes on.
    """
    done: list[asyncio.Task[None]] = []

    def hear(event: Event) -> None:
        if isinstance(event, BatchDone) and event.flow.old.name == "person" and not done:
            done.append(asyncio.ensure_future(pair.new.run(strike)))

    options = MigrateOptions(live=True, results_dir=str(folder), batch_size=100, jobs=2)
    await api.migrate(load_config(pair.config(folder)), options, hear)


async def test_a_new_that_lost_a_table_stops_the_run(make_pair: MakePair, tmp_path: Path) -> None:
    calm, pair = await make_pair(OLD, NEW), await make_pair(OLD, NEW)
    await migrate(calm, tmp_path)
    with pytest.raises(Stopped) as stopped:
        await struck(pair, tmp_path, FORGET)
    assert stopped.value.code == "TS426"
    assert (await migrate(pair, tmp_path)).exit_status == 1
    assert await contents(pair.new) == await contents(calm.new)
    await accounted(pair)


async def test_a_crash_loses_nothing_that_was_committed(
    servers: Servers, make_pair: MakePair, tmp_path: Path
) -> None:
    """The server's default is synchronous_commit off, as somebody set it for speed:
    the run's own sessions do without.
    """
    calm = await make_pair(OLD, NEW)
    await migrate(calm, tmp_path)
    with CrashableServer(servers.installed[calm.new.server.major], name="crash") as server:
        pair = Pair(calm.old, Database(server, "postgres"))
        await pair.new.run(NEW)
        before: list[int] = []

        def hear(event: Event) -> None:
            if isinstance(event, BatchDone) and event.flow.old.name == "person" and not before:
                before.append(event.number)
                server.crash()
                server.come_back()

        options = MigrateOptions(live=True, results_dir=str(tmp_path), batch_size=100, jobs=2)
        config = load_config(pair.config(tmp_path, name="crash.json"))
        try:
            result, _ = await api.migrate(config, options, hear)
        except Stopped:
            result, _ = await api.migrate(config, options)
        assert result.exit_status == 1
        assert await contents(pair.new) == await contents(calm.new)
        await accounted(pair)


async def test_a_batch_whose_division_is_lost_is_divided_again(
    make_pair: MakePair, tmp_path: Path, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the run would copy its first part and forget that there was a second one."""
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 400)",
        "CREATE TABLE t (id int PRIMARY KEY)",
    )
    real = Worker._once
    kept = False

    async def once(self: Worker, assignment: Assignment) -> Report:
        nonlocal kept
        if assignment.batch.rows > 300:
            if not kept:
                await pair.new.run(KEEP)
                kept = True
            raise asyncpg.OutOfMemoryError("no memory")
        return await real(self, assignment)

    monkeypatch.setattr(Worker, "_once", once)
    observe.once("batch.divided", lambda: pair.new.run(LOSE))
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, batch_size=1000)
    assert stopped.value.code == "TS426"
    assert (await migrate(pair, tmp_path, batch_size=1000)).exit_status == 0
    assert await pair.new.value("SELECT count(*)::int FROM t") == 400
