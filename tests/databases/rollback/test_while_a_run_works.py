"""Commands beside a run that is at work: none offers what would be refused at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from support import CliResult, MakePair
from support.observe import Observe
from support.runs import migrate

Run = Callable[..., CliResult]

OLD = "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 300)"
NEW = "CREATE TABLE a (id int PRIMARY KEY)"


async def test_no_command_offers_to_resume_a_run_that_is_at_work(
    make_pair: MakePair, run_cli: Run, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    config = pair.config(tmp_path)
    begun, looked = asyncio.Event(), asyncio.Event()

    async def wait(name: str) -> None:
        if name == "batch.committed":
            begun.set()
            await looked.wait()

    observe(wait)
    running = asyncio.create_task(migrate(pair, tmp_path))
    told: dict[str, CliResult] = {}
    try:
        await asyncio.wait_for(begun.wait(), 60)
        for command in ("verify", "purge", "rollback", "report", "doctor", "status"):
            told[command] = await asyncio.to_thread(partial(run_cli, command, config))
    finally:
        looked.set()
        result = await running
    assert result.exit_status == 0
    for command, one in told.items():
        said = one.stdout + one.stderr
        assert "esume it" not in said, command
        assert "--live" not in said.replace("--live run", ""), (command, said)
    watch = f"tranship status {config} --watch"
    assert f"A run is at work, so its rows cannot be compared before it has ended. Watch it: {watch}" in (
        told["verify"].stdout
    )
    assert (told["purge"].status, told["rollback"].status) == (3, 3)
    assert "TS353 _tranship: a run is at work: the journal is still needed" in told["purge"].stderr
    assert f"wait for its end; watch it: {watch}" in told["purge"].stderr
    assert "TS360 another run of this migration holds the lock" in told["rollback"].stderr
    assert run_cli("verify", config).status == 0
