"""NEW's disk is full in the middle of a run: it stops at once,
and the same command ends it once there is space.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, Database, MakePair, Pair, Servers
from support.cramped import CrampedServer, impossible, mounted

OLD = (
    "CREATE TABLE t (id int PRIMARY KEY, pad text);"
    " INSERT INTO t SELECT g, repeat(md5(g::text), 20) FROM generate_series(1, 20000) g"
)
SHAPE = "CREATE TABLE t (id int PRIMARY KEY, pad text)"
CONTENT = "SELECT count(*), count(DISTINCT id), sum(hashtext(t::text)) FROM t"


async def test_a_full_disk(
    servers: Servers, make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    if why := impossible():
        pytest.skip(why)
    made = await make_pair(OLD)
    with CrampedServer(servers.installed[made.new.server.major], name="cramped") as server:
        pair = Pair(made.old, Database(server, "postgres"))
        async with pair.new.connect() as conn:
            await conn.execute(f"CREATE TABLESPACE small LOCATION '{server.small}'")
            await conn.execute("ALTER DATABASE postgres SET default_tablespace = small")
        await pair.new.run(SHAPE)
        command = ("migrate", pair.config(tmp_path), "--live", "--batch-size", "1000", "--jobs", "2")
        full = run_cli(*command)
        assert full.status == 4, full
        assert "TS402" in full.stderr
        assert "trying again" not in full.stderr, "waiting makes no space"
        assert 0 < await pair.new.value("SELECT count(*) FROM t") < 20000
        server.resize("64m")
        done = run_cli(*command)
        assert done.status == 0, done
        assert await pair.new.fetch(CONTENT) == await pair.old.fetch(CONTENT)
    assert not mounted()
