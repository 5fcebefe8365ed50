"""The launcher: starts, asks passwords over TCP, and leaves nothing behind, however its parent ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from support import ROOT, MakePair, Pair, Servers
from tranship.demo.servers import Server, installations


async def test_pair_spans_two_majors(pair: Pair, servers: Servers) -> None:
    assert (await pair.old.value("SHOW server_version_num"))[:2] == str(servers.default_majors[0])
    assert (await pair.new.value("SHOW server_version_num"))[:2] == str(servers.default_majors[1])


async def test_tcp_asks_for_the_password(pair: Pair) -> None:
    conn = await asyncpg.connect(pair.old.url)
    await conn.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(pair.old.server.url(pair.old.name, user="postgres", password="wrong"))


async def test_template_is_copied_not_shared(make_pair: MakePair) -> None:
    script = "CREATE TABLE t AS SELECT 1 AS id"
    first, second = await make_pair(script, script), await make_pair(script, script)
    await first.old.run("INSERT INTO t VALUES (2)")
    assert await first.old.value("SELECT count(*) FROM t") == 2
    assert await second.old.value("SELECT count(*) FROM t") == 1


async def test_encodings(make_pair: MakePair) -> None:
    pair = await make_pair("CREATE TABLE t AS SELECT 'é'::text AS v", "", encodings=("LATIN1", "UTF8"))
    assert await pair.old.value("SHOW server_encoding") == "LATIN1"
    assert await pair.old.value("SELECT v FROM t") == "é"


def test_stop_removes_everything() -> None:
    server = Server(next(iter(installations().values()))).start()
    pid, folder = server.pid, server.folder
    server.stop()
    server.stop()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_killed_parent_takes_the_server_along(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from tranship.demo.servers import Server, installations\n"
        "server = Server(next(iter(installations().values()))).start()\n"
        "print(server.pid, server.folder, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert parent.stdout is not None
    pid, folder = parent.stdout.readline().split()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 15
    while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "the server outlived its parent"
        time.sleep(0.1)
    subprocess.run(["rm", "-rf", folder], check=True)
