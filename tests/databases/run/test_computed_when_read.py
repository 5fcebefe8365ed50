"""A column of OLD that is generated and not stored (PostgreSQL 18): reading it may raise, row by row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, MakePair, Servers

OLD = """
CREATE TABLE t (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL);
INSERT INTO t SELECT n, CASE WHEN n IN (7, 31) THEN 1500000000 ELSE n END FROM generate_series(1, 100) n;
"""
SHAPES = [
    "CREATE TABLE t (id int PRIMARY KEY, a int, b int)",
    "CREATE TABLE t (id int PRIMARY KEY, a int, b bigint NOT NULL)",
    "CREATE TABLE t (id int PRIMARY KEY, a int, b text)",
]


@pytest.mark.parametrize("new", SHAPES)
async def test_its_rows_are_rejected_alone(
    servers: Servers, make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path, new: str
) -> None:
    if 18 not in servers.installed:
        pytest.skip("PostgreSQL 18 is not installed")
    pair = await make_pair(OLD, new, majors=(18, servers.default_majors[0]))
    config = pair.config(tmp_path)
    for options in ((), ("--live",)):
        done = await asyncio.to_thread(run_cli, "migrate", config, *options, cwd=tmp_path)
        assert done.status == 1, done
        mode = "live" if options else "dryrun"
        (path,) = (tmp_path / "results").glob(f"*rejects_{mode}_*.jsonl")
        rejects = [json.loads(line) for line in path.read_text().splitlines()]
        assert [(r["key"], r["column"], r["sqlstate"]) for r in rejects] == [
            ({"id": 7}, "b", "22003"),
            ({"id": 31}, "b", "22003"),
        ]
        assert rejects[0]["row"] == {"id": 7, "a": 1500000000}
    assert await pair.new.fetch("SELECT count(*)::int, sum(b::int)::int FROM t") == [(98, 2 * (5050 - 38))]


async def test_computed_on_both_sides(
    servers: Servers, make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    """Nothing of it travels, so nothing can raise."""
    if 18 not in servers.installed:
        pytest.skip("PostgreSQL 18 is not installed")
    new = "CREATE TABLE t (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)"
    pair = await make_pair(OLD, new, majors=(18, 18))
    for options in ((), ("--live",)):
        done = await asyncio.to_thread(run_cli, "migrate", pair.config(tmp_path), *options)
        assert done.status == 0, done
    assert await pair.new.fetch("SELECT count(*)::int, count(DISTINCT a)::int FROM t") == [(100, 99)]
