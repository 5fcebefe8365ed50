"""OLD crashes in the middle of a live run and stays away: the run stops resumable and leaves nothing off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import Database, MakePair, Pair, Servers
from support.crashing import CrashableServer
from support.observe import Observe
from support.runs import migrate, owned_by_a_plain_role
from support.scene import NEW, OLD, accounted, contents, definitions
from tranship.config import load_config
from tranship.errors import Stopped
from tranship.execution.resilience import retry
from tranship.execution.upkeep.doctor import examine


async def test_an_old_that_stays_away(
    servers: Servers, make_pair: MakePair, tmp_path: Path, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "LONGEST", 0.2)
    calm = await make_pair(OLD, NEW)
    await migrate(calm, tmp_path)
    before = await definitions(calm.new)
    with CrashableServer(servers.installed[calm.old.server.major], name="oldgone") as server:
        pair = Pair(Database(server, "postgres"), (await make_pair("", NEW)).new)
        await pair.old.run(OLD)
        role = await owned_by_a_plain_role(pair)
        passed = 0

        async def crash(name: str) -> None:
            nonlocal passed
            passed += name == "batch.committed"
            if name == "batch.committed" and passed == 5:
                server.crash()

        observe(crash)
        stopped_in = tmp_path / "stopped"
        stopped_in.mkdir()
        with pytest.raises(Stopped) as stopped:
            await migrate(pair, stopped_in, new=role)
        assert stopped.value.code == "TS401"
        assert "same command again" in stopped.value.hint
        (path,) = stopped_in.glob("*result_live*.json")
        result = json.loads(path.read_text())
        assert (result["exit_status"], result["status"]) == (4, "stopped")
        written = "SELECT sum(written) FROM _tranship.batch WHERE state = 'done'"
        assert result["stats"]["rows_migrated"] == await pair.new.value(written) > 0
        assert await examine(load_config(pair.config(tmp_path, new=role))) == ()
        assert await pair.new.value("SELECT state FROM _tranship.run") == "stopped"
        assert await definitions(pair.new) == before
        server.come_back()
        assert (await migrate(pair, tmp_path, new=role)).exit_status == 1
        assert await contents(pair.new) == await contents(calm.new)
        await accounted(pair)
