"""NEW while a run is interrupted: what is switched off counts as it was, for whoever reads its schema."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from support import CliResult, MakePair
from support.forked import Command
from support.runs import owned_by_a_plain_role
from support.scene import NEW, OLD, accounted, definitions


@pytest.mark.parametrize("place", ["switches.off:1", "switches.off:5"])
async def test_nothing_is_stale_and_the_analysis_is_the_same(
    make_pair: MakePair, tmp_path: Path, place: str
) -> None:
    pair = await make_pair(OLD, NEW)
    config = str(pair.config(tmp_path, new=await owned_by_a_plain_role(pair)))
    before = await definitions(pair.new)

    async def run(*words: str, **env: str) -> CliResult:
        command = Command.start([*words, "--results-dir", str(tmp_path)], tmp_path, env=env)
        return await asyncio.to_thread(command.wait)

    def schema() -> object:
        return json.loads((tmp_path / "migration_changes.json").read_text())["new"]["fingerprint"]

    assert (await run("analyze", config)).status == 0
    first = schema()
    move = ("migrate", config, "--live", "--batch-size", "100", "--jobs", "1", "--rebuild-indexes", "always")
    killed = await run(*move, TRANSHIP_FAILPOINT=f"{place}:kill")
    assert killed.status == -signal.SIGKILL, killed
    assert await definitions(pair.new) != before
    dry = await run("migrate", config)
    assert (dry.status, "TS3" in dry.stdout + dry.stderr) == (1, False), dry
    assert (await run("analyze", config)).status == 0
    assert schema() == first
    assert (await run(*move)).status == 1
    assert await definitions(pair.new) == before
    await accounted(pair)
