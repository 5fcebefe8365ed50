"""What no further try can help stops a run at once, with words about the cause; the same command goes on once it is removed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.small_disk import SmallDiskServer, why_not
from support import CliResult, Database, MakePair, Pair, Servers

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


@pytest.mark.parametrize(
    ("cause", "cure", "words"),
    [
        ("REVOKE INSERT ON t FROM {role}", "GRANT INSERT ON t TO {role}", "permission denied for table t"),
        ("ALTER TABLE t RENAME TO gone", "ALTER TABLE gone RENAME TO t", 'relation "public.t" does not exist'),
        ("ALTER TABLE t DROP COLUMN x", "ALTER TABLE t ADD COLUMN x text", 'column "x" of relation "t" does not exist'),
    ],
)
async def test_what_is_taken_away_in_the_middle(make_pair: MakePair, run_cli: Run, tmp_path: Path, cause: str, cure: str, words: str) -> None:
    table = "CREATE TABLE t (id int PRIMARY KEY, x text);"
    pair = await make_pair(f"{table} INSERT INTO t SELECT n, 'x' FROM generate_series(1, 1000) n", table)
    role = f"mover_{pair.new.name}"
    await pair.new.run(f"""CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT SELECT, INSERT ON t TO {role};
        CREATE SCHEMA _tranship AUTHORIZATION {role};""")
    config = pair.config(tmp_path, new={"username": role, "password": "secret"})
    pause = {"TRANSHIP_FAILPOINT": "batch.committed:3:sleep=3"}
    command = ("migrate", config, "--live", "--batch-size", "100", "--jobs", "1")
    running = asyncio.create_task(asyncio.to_thread(run_cli, *command, env=pause))
    there = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('_tranship.batch')"
    while not await pair.new.value(there) or await pair.new.value("SELECT count(*) FROM _tranship.batch WHERE state = 'done'") < 3:
        assert not running.done(), await running
        await asyncio.sleep(0.05)
    await pair.new.run(cause.format(role=role))
    stopped = await running
    assert stopped.status == 4, stopped
    assert words in stopped.stderr
    assert "run the same command again" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    await pair.new.run(cure.format(role=role))
    again = run_cli(*command)
    assert again.status == 0, again
    assert await pair.new.value("SELECT count(*) = 1000 AND count(DISTINCT id) = 1000 FROM t")


async def test_a_server_that_cannot_answer_a_dry_run(make_pair: MakePair, run_cli: Run, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)",
        """CREATE FUNCTION greedy(int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'out of memory' USING ERRCODE = '53200'; END$$;
        CREATE TABLE t (id int PRIMARY KEY CHECK (greedy(id)))""",
    )
    told = run_cli("migrate", pair.config(tmp_path))
    assert told.status == 2, told
    assert "TS212 could not ask: OutOfMemoryError" in told.stderr
    assert "Traceback" not in told.stderr
    assert "TS900" not in told.stderr
