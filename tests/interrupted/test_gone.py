"""NEW goes and does not come back: a run with many streams ends as soon as one with few,
and says how to go on.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from support import Database, MakePair, Pair, Servers
from support.crashing import CrashableServer
from support.forked import Command
from support.scene import NEW, OLD


def _until_passed(command: Command, passage: str) -> None:
    while command.running and not command.passages.get(passage):
        time.sleep(0.005)


@pytest.mark.campaign
@pytest.mark.parametrize("passage", ["batch.committed", "keys.proven", "switches.off", "indexes.off"])
async def test_a_new_that_is_gone(
    servers: Servers, make_pair: MakePair, tmp_path: Path, passage: str
) -> None:
    calm = await make_pair(OLD, NEW)
    with CrashableServer(servers.installed[calm.new.server.major], name=f"gone{passage[:4]}") as server:
        pair = Pair(calm.old, Database(server, "postgres"))
        await pair.new.run(NEW)
        slow = {"TRANSHIP_FAILPOINT": f"{passage}:1:sleep=1"}
        options = ("--live", "--batch-size", "50", "--jobs", "8", "--rebuild-indexes", "always")
        command = Command.start(["migrate", str(pair.config(tmp_path)), *options], tmp_path, env=slow)
        await asyncio.to_thread(_until_passed, command, passage)
        assert command.running
        server.crash()
        done = await asyncio.to_thread(command.wait)
        assert (done.status, "TS401" in done.stderr, "run the same command again" in done.stderr) == (
            4,
            True,
            True,
        ), done
        server.come_back()
        done = await asyncio.to_thread(
            Command.start(["migrate", str(pair.config(tmp_path)), *options], tmp_path).wait
        )
        assert done.status == 1, done
