"""OLD is a standby: its snapshots do not say which transactions they leave out,
so equal texts of two prove nothing while any was open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, Database, MakePair, Pair, Servers, connected
from support.following import Standby
from support.runs import migrate
from support.scene import NEW, OLD
from tranship.demo.servers import Server
from tranship.errors import Stopped


async def test_writes_that_were_open_when_the_run_began(
    servers: Servers, make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    new = (await make_pair("", NEW)).new
    installed = servers.installed[servers.default_majors[0]]
    with Server(installed, name="primary") as primary:
        await Database(primary, "postgres").run(OLD)
        with Standby(primary) as standby:
            pair = Pair(Database(standby, "postgres"), new)
            async with connected(primary) as first, connected(primary) as writer:
                await first.execute("BEGIN; SELECT txid_current()")
                await writer.execute(
                    "BEGIN; UPDATE log SET line = 'late' WHERE at = (SELECT max(at) FROM log);"
                    " UPDATE town SET name = 'late' WHERE id = 50"
                )
                await standby.caught_up()
                command = (
                    run_cli,
                    "migrate",
                    pair.config(tmp_path),
                    "--live",
                    "--batch-size",
                    "50",
                    "--jobs",
                    "1",
                )
                killed = await asyncio.to_thread(
                    *command, env={"TRANSHIP_FAILPOINT": "batch.committed:15:kill"}
                )
                assert killed.status < 0, killed
                await writer.execute("COMMIT")
                for _ in range(1200):
                    if await pair.old.value("SELECT name FROM town WHERE id = 50") == "late":
                        break
                    await asyncio.sleep(0.05)
                with pytest.raises(Stopped) as stopped:
                    await migrate(pair, tmp_path)
                assert stopped.value.code == "TS411"
