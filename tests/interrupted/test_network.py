"""The network fails at the worst moments: around a COMMIT, and in the middle of COPY with an orderly close
that looks like the end of the data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, MakePair
from support.proxy import Proxy
from support.scene import NEW, OLD, accounted, contents, definitions

BIGGER = OLD.replace("generate_series(1, 700)", "generate_series(1, 40000)")


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    ("side", "fault", "k"),
    [
        ("new", "commit request", 4),
        ("new", "commit answer", 4),
        ("new", "commit answer", 9),
        ("old", "close after", 200_000),
        ("old", "close after", 400_000),
        ("old", "stall", 300_000),
    ],
)
async def test_a_connection_that_breaks_is_made_again(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path, side: str, fault: str, k: int
) -> None:
    calm, pair = await make_pair(BIGGER, NEW), await make_pair(BIGGER, NEW)
    before = await definitions(pair.new)
    options = (
        ("--live", "--batch-size", "20000", "--jobs", "2")
        if side == "old"
        else ("--live", "--batch-size", "200", "--jobs", "2")
    )
    assert run_cli("migrate", calm.config(tmp_path, name="calm.json"), *options).status == 1
    server = (pair.old if side == "old" else pair.new).server
    async with Proxy(server.host, server.port, fault, k) as proxy:
        config = pair.config(tmp_path, **{side: proxy.address})
        done = await asyncio.to_thread(run_cli, "migrate", config, *options)
        assert proxy.struck, "the fault was never reached"
        if done.status in (2, 4):
            done = await asyncio.to_thread(run_cli, "migrate", config, *options)
        assert done.status == 1, done
    assert await contents(pair.new) == await contents(calm.new)
    assert await definitions(pair.new) == before
    await accounted(pair)


async def test_an_end_that_was_told_between_two_statements(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    """The driver then has neither a result nor a closed connection: a lost connection like any other."""
    calm, pair = await make_pair(OLD, NEW), await make_pair(OLD, NEW)
    assert run_cli("migrate", calm.config(tmp_path, name="calm.json"), "--live").status == 1
    idle = (
        "FROM pg_stat_activity WHERE datname = current_database() AND application_name ="
        " 'tranship' AND state = 'idle in transaction'"
    )
    async with Proxy(pair.new.server.host, pair.new.server.port, lingers=True) as proxy:
        config = pair.config(tmp_path, new=proxy.address)
        paused = {"TRANSHIP_FAILPOINT": "batch.fenced:2:sleep=3"}
        running = asyncio.create_task(
            asyncio.to_thread(
                run_cli, "migrate", config, "--live", "--jobs", "1", "--batch-size", "200", env=paused
            )
        )
        while not await pair.new.value(
            f"SELECT count(*) {idle} AND state_change < clock_timestamp() - interval '0.5 s'"
        ):
            assert not running.done(), await running
            await asyncio.sleep(0.05)
        assert await pair.new.value(f"SELECT count(pg_terminate_backend(pid)) {idle}") == 1
        done = await running
    assert done.status == 1, done
    assert await contents(pair.new) == await contents(calm.new)
    await accounted(pair)
