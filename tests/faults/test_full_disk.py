"""A disk that is really full stops a run at once, with words about it; the same command goes on once there is space."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from faults.small_disk import SmallDiskServer, why_not
from support import CliResult, Database, Pair, Servers

Run = Callable[..., CliResult]


async def test_a_full_disk(servers: Servers, run_cli: Run, tmp_path: Path) -> None:
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    majors = servers.default_majors
    rows = "INSERT INTO t SELECT n, repeat('x', 500) FROM generate_series(1, 9000) n"
    old = await servers.create(majors[0], f"CREATE TABLE t (id int PRIMARY KEY, x text); {rows}")
    with SmallDiskServer(servers.installed[majors[1]], megabytes=8) as server:
        new = Database(server, "postgres")
        await new.fetch(f"CREATE TABLESPACE small LOCATION '{server.disk}'")
        await new.run("CREATE TABLE t (id int PRIMARY KEY, x text) TABLESPACE small; CREATE TABLE filler (x text) TABLESPACE small;")
        await new.run("INSERT INTO filler SELECT repeat('y', 900) FROM generate_series(1, 4500)")
        config = Pair(old, new).config(tmp_path)
        full = run_cli("migrate", config, "--live", "--batch-size", "1000")
        assert full.status == 4, full
        assert "No space left on device" in full.stderr
        assert "make space" in full.stderr
        assert "run the same command again" in full.stderr
        assert "Traceback" not in full.stderr
        assert 0 < await new.value("SELECT count(*) FROM t") < 9000
        await new.run("DROP TABLE filler")
        again = run_cli("migrate", config, "--live", "--batch-size", "1000")
        assert again.status == 0, again
        assert await new.value("SELECT count(*) = 9000 AND count(DISTINCT id) = 9000 FROM t")
    await servers.drop(old)
