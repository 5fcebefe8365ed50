"""``purge`` and a run that begins after it has looked: the journal of a living run is never removed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import CliResult, MakePair
from support.observe import Observe
from support.runs import migrate
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused
from tranship.execution.upkeep import status as upkeep
from tranship.execution.upkeep.status import purge
from tranship.model.options import MigrateOptions

OLD = (
    "CREATE TABLE log (line text); INSERT INTO log SELECT 'line ' || n"
    " FROM generate_series(1, 1000) n; CREATE TABLE a (id int PRIMARY KEY)"
)
NEW = "CREATE TABLE log (line text); CREATE TABLE a (id int PRIMARY KEY)"


async def test_the_journal_of_a_run_that_began_meanwhile_stays(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    config = load_config(pair.config(tmp_path, tables=["a"]))
    await api.migrate(config, MigrateOptions(live=True, results_dir=str(tmp_path)))
    reached, begun = asyncio.Event(), asyncio.Event()
    real_remove = upkeep.remove_journal

    async def remove(*arguments: Any) -> bool:
        reached.set()
        await begun.wait()
        return await real_remove(*arguments)

    async def batches(name: str) -> None:
        if name == "batch.committed" and not begun.is_set():
            begun.set()
            await asyncio.sleep(0.3)

    monkeypatch.setattr(upkeep, "remove_journal", remove)
    observe(batches)
    purging = asyncio.create_task(purge(config))
    await reached.wait()
    assert (await migrate(pair, tmp_path)).exit_status == 0
    with pytest.raises(Refused) as refused:
        await purging
    assert refused.value.code == "TS353"
    assert (await migrate(pair, tmp_path)).exit_status == 0
    assert await pair.new.value("SELECT count(*) FROM log") == 1000


async def test_an_interrupted_rollback_is_named_as_what_is_to_be_finished(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    """Neither purge nor a run of another kind says to resume the run whose rows are being deleted."""
    pair = await make_pair("CREATE TABLE t (n int); INSERT INTO t VALUES (1)", "CREATE TABLE t (n int)")
    config = pair.config(tmp_path)
    assert run_cli("migrate", config, "--live").status == 0
    killed = run_cli("rollback", config, "--live", env={"TRANSHIP_FAILPOINT": "rollback.begun:kill"})
    assert killed.status < 0
    for command in (["purge", config], ["migrate", config, "--live", "--rejects-only"]):
        told = run_cli(*command)
        assert told.status == 3, told
        assert " was interrupted" in told.stderr
        assert f"tranship rollback {config} --run" in told.stderr
        assert "resume it" not in told.stderr
