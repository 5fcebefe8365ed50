"""Rollbacks after somebody attached, detached or exchanged the tables into which the run wrote: nothing is
deleted by half, and no row of the run stays unsaid.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, MakePair
from support.runs import migrate

Run = Callable[..., CliResult]

TABLES = """
CREATE TABLE m (id int, d int, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);
CREATE TABLE x (id int, d int, PRIMARY KEY (id, d));
"""
ROWS = """
INSERT INTO m SELECT n, n FROM generate_series(1, 19) n;
INSERT INTO x SELECT n, n + 30 FROM generate_series(1, 5) n;
"""
ATTACH = "ALTER TABLE m ATTACH PARTITION x FOR VALUES FROM (30) TO (40)"
DETACH = "ALTER TABLE m DETACH PARTITION m2"
SWAP = "ALTER TABLE x RENAME TO x_before; CREATE TABLE x (LIKE x_before INCLUDING ALL)"


@pytest.mark.parametrize(
    ("since", "said", "back"),
    [
        (
            ATTACH,
            "public.x, into which the run wrote, is a partition of public.m now",
            "ALTER TABLE m DETACH PARTITION x",
        ),
        (
            DETACH,
            "10 rows of public.m that the run wrote are in public.m2 now",
            "ALTER TABLE m ATTACH PARTITION m2 FOR VALUES FROM (10) TO (20)",
        ),
        (
            SWAP,
            "5 rows of public.x that the run wrote are in public.x_before now",
            "DROP TABLE x; ALTER TABLE x_before RENAME TO x",
        ),
    ],
)
async def test_rows_of_the_run_in_another_table_are_not_overlooked(
    make_pair: MakePair, run_cli: Run, tmp_path: Path, since: str, said: str, back: str
) -> None:
    pair = await make_pair(TABLES + ROWS, TABLES)
    config = pair.config(tmp_path)
    await migrate(pair, tmp_path)
    await pair.new.run(since)
    for live in ((), ("--live",)):
        told = run_cli("rollback", config, *live)
        assert told.status == 3, told
        assert f"TS380 {said}" in told.stderr
    assert await pair.new.value("SELECT count(*) FROM m1") == 9
    await pair.new.run(back)
    told = run_cli("rollback", config, "--live")
    assert told.status == 0, told
    assert "24 rows" in told.stdout.splitlines()[0]
    assert await pair.new.fetch("SELECT (SELECT count(*) FROM m), (SELECT count(*) FROM x)") == [(0, 0)]


async def test_a_table_that_became_its_own_partition_is_rolled_back(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await make_pair(TABLES + ROWS, TABLES)
    await migrate(pair, tmp_path)
    await pair.new.run(
        "ALTER TABLE x RENAME TO x1; CREATE TABLE x (LIKE x1) PARTITION BY RANGE (d);"
        "ALTER TABLE x ATTACH PARTITION x1 DEFAULT"
    )
    told = run_cli("rollback", pair.config(tmp_path), "--live")
    assert told.status == 0, told
    assert await pair.new.value("SELECT count(*) FROM x") == 0


async def test_a_partition_is_compared_under_its_name(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await make_pair(TABLES + ROWS, TABLES)
    await migrate(pair, tmp_path)
    await pair.new.run(ATTACH)
    told = run_cli("verify", pair.config(tmp_path))
    assert "public.x: verified, 5 rows" in told.stdout, told


async def test_a_partition_of_a_table_out_of_scope_is_compared_with_old(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    tables = """
        CREATE SCHEMA app; CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE app.part PARTITION OF whole FOR VALUES FROM (0) TO (100);
    """
    pair = await make_pair(tables + "INSERT INTO whole SELECT generate_series(1, 9);", tables)
    config = pair.config(tmp_path, old={"schema": "app"}, new={"schema": "app"})
    moved = run_cli("migrate", config, "--live")
    assert moved.status == 0, moved
    told = run_cli("verify", config)
    assert told.status == 0, told
    assert "app.part: verified, 9 rows" in told.stdout
    assert "no such table" not in told.stdout, told


async def test_a_dump_that_was_restored_beside_its_source_is_told(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    """Both databases have the same server, but rows that came from a dump carry other transactions."""
    pair = await make_pair(TABLES + ROWS, TABLES)
    await migrate(pair, tmp_path)
    # The same as a dump for the journal: another database, in which other transactions wrote the rows.
    await pair.new.run(
        "UPDATE m SET d = d; UPDATE x SET d = d;"
        "UPDATE _tranship.run SET new_identity = split_part(new_identity, '/', 1) || '/1'"
    )
    told = run_cli("rollback", pair.config(tmp_path), "--live")
    assert told.status == 3, told
    assert "TS351" in told.stderr
