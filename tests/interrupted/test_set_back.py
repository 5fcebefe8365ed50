"""OLD's server is set back to an earlier copy of its data between an interruption and the same command again:
identity, timeline, transaction numbers and places of the rows are those of then, and the rows are others.
"""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from support import Database, MakePair, Pair, Servers
from support.crashing import CrashableServer
from support.observe import Observe
from support.runs import migrate
from tranship.errors import Stopped

OLD = """
CREATE TABLE a (id integer PRIMARY KEY, v text); CREATE TABLE b (id integer PRIMARY KEY, v text);
INSERT INTO a SELECT n, 'first' FROM generate_series(1, 800) n;
INSERT INTO b SELECT n, 'first' FROM generate_series(1, 800) n;
"""
NEW = "CREATE TABLE a (id integer PRIMARY KEY, v text); CREATE TABLE b (id integer PRIMARY KEY, v text);"
HELD = "SELECT v, count(*) FROM (SELECT v FROM a UNION ALL SELECT v FROM b) s GROUP BY v"


async def test_rows_of_two_states_are_not_mixed(
    servers: Servers, make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair("", NEW)
    with CrashableServer(servers.installed[pair.old.server.major], name="setback") as server:
        pair = Pair(Database(server, "postgres"), pair.new)
        await pair.old.run(OLD)
        await pair.old.run("CHECKPOINT")
        _copy(server)
        await _write(pair, "second")
        stop, passed = asyncio.Event(), 0

        async def ending(name: str) -> None:
            nonlocal passed
            passed += name == "batch.committed"
            if passed == 5:
                stop.set()

        observe(ending)
        with pytest.raises(Stopped):
            await migrate(pair, tmp_path, stop=stop)
        moved = await pair.new.fetch(HELD)
        assert [value for value, _ in moved] == ["second"]
        _set_back(server)
        await _write(pair, "third")
        with pytest.raises(Stopped, match="set back to an earlier copy") as stopped:
            await migrate(pair, tmp_path)
        assert stopped.value.code == "TS411"
        assert await pair.new.fetch(HELD) == moved
        assert (await migrate(pair, tmp_path, new_snapshot="all")).exit_status == 0
        assert await pair.new.fetch(HELD) == [("third", 1600)]


async def _write(pair: Pair, value: str) -> None:
    """Writes all rows in one transaction, and then nothing else: the numbers of the two states agree."""
    await pair.old.run(f"UPDATE a SET v = '{value}'; UPDATE b SET v = '{value}'")


def _copy(server: CrashableServer) -> None:
    """Copies the server's data, as a snapshot of its volume would."""
    server.crash()
    subprocess.run(["cp", "-a", server.data, server.data.with_name("copy")], check=True)
    server.come_back()


def _set_back(server: CrashableServer) -> None:
    """Sets the server back to the copy."""
    server.crash()
    subprocess.run(["rm", "-rf", server.data], check=True)
    server.data.with_name("copy").rename(server.data)
    server.come_back()
