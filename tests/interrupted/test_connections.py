"""Backends of either server ended at random while a run works: it goes on by itself or stops resumable,
and the end is the same.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from support import CliResult, Database, MakePair
from support.observe import Observe
from support.runs import migrate
from support.scene import NEW, OLD, accounted, contents, definitions
from tranship.execution.copying.tables import Mover
from tranship.model.names import TableName
from tranship.model.notes import Resumed
from tranship.model.progress import Event, Noted

BIGGER = OLD.replace("generate_series(1, 700)", "generate_series(1, 30000)")


async def end_one(database: Database, rng: random.Random) -> None:
    """Ends one of tranship's backends in a database, if there is one."""
    pids = [
        pid
        for (pid,) in await database.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name ~ '^tranship'"
        )
    ]
    if pids:
        await database.value("SELECT pg_terminate_backend($1)", rng.choice(pids))


@pytest.mark.thinned(3)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_backends_ended_at_random(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    calm, pair = await make_pair(BIGGER, NEW), await make_pair(BIGGER, NEW)
    before = await definitions(pair.new)
    assert (
        run_cli("migrate", calm.config(tmp_path, name="calm.json"), "--live", "--batch-size", "500").status
        == 1
    )
    config = pair.config(tmp_path)
    for _ in range(8):
        run = asyncio.create_task(
            asyncio.to_thread(run_cli, "migrate", config, "--live", "--batch-size", "500", "--jobs", "3")
        )
        for _ in range(6):
            await asyncio.sleep(rng.uniform(0.1, 0.5))
            await end_one(rng.choice([pair.old, pair.new]), rng)
            if run.done():
                break
        done = await run
        assert done.status in (1, 2, 4), done
        if done.status == 1:
            break
    else:
        done = run_cli("migrate", config, "--live", "--batch-size", "500")
        assert done.status == 1, done
    assert await contents(pair.new) == await contents(calm.new)
    assert await definitions(pair.new) == before
    await accounted(pair)


async def test_a_snapshot_that_is_lost_is_proven_and_taken_again(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    calm, pair = await make_pair(BIGGER, NEW), await make_pair(BIGGER, NEW)
    assert (
        run_cli("migrate", calm.config(tmp_path, name="calm.json"), "--live", "--batch-size", "500").status
        == 1
    )
    slow = {"TRANSHIP_FAILPOINT": "batch.committed:5:sleep=4"}
    config = pair.config(tmp_path)
    run = asyncio.create_task(
        asyncio.to_thread(
            run_cli, "migrate", config, "--live", "--batch-size", "500", "--jobs", "1", env=slow
        )
    )
    everybody = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name ~ '^tranship'"
    )
    done = (
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = '_tranship' AND relname = 'batch'"
    )
    while not run.done():
        await asyncio.sleep(0.05)
        if (
            await pair.new.value(done)
            and await pair.new.value("SELECT count(*) FROM _tranship.batch WHERE state = 'done'") >= 5
        ):
            break
    assert await pair.old.value(everybody) >= 3
    ended = await run
    assert ended.status == 1, ended
    assert "snapshot of OLD is lost" in ended.stderr
    assert await contents(pair.new) == await contents(calm.new)
    await accounted(pair)


async def test_lost_connections_to_new_do_not_end_a_run(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    """The control connection, idle for hours, and those of the streams: all at once, in every group."""
    calm, pair = await make_pair(OLD, NEW), await make_pair(OLD, NEW)
    await migrate(calm, tmp_path)
    before = await definitions(pair.new)
    struck: list[object] = []
    everybody = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'tranship'"
    )

    async def striking(name: str) -> None:
        if name == "batch.committed" and len(struck) % 4 == 0:
            struck.append(await pair.new.value(everybody))
        elif name == "batch.committed":
            struck.append(0)

    observe(striking)
    events: list[Event] = []
    result = await migrate(pair, tmp_path, events=events)
    assert result.exit_status == 1
    assert sum(struck) > 3
    assert not any(isinstance(e, Noted) and isinstance(e.what, Resumed) for e in events)
    assert await contents(pair.new) == await contents(calm.new)
    assert await definitions(pair.new) == before
    await accounted(pair)


async def test_the_idle_connection_is_lost_while_indexes_are_rebuilt(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, real = await make_pair(OLD, NEW), Mover._rebuild
    struck: list[bool] = []
    before = await definitions(pair.new)

    async def rebuilding(mover: Mover, tables: AbstractSet[TableName]) -> None:
        await real(mover, tables)
        struck.append(
            await pair.new.value(
                "SELECT pg_terminate_backend($1)", (await mover._session.alive()).get_server_pid()
            )
        )

    monkeypatch.setattr(Mover, "_rebuild", rebuilding)
    assert (await migrate(pair, tmp_path, rebuild_indexes="always")).exit_status == 1
    assert len(struck) > 1
    assert await definitions(pair.new) == before
    await accounted(pair)
