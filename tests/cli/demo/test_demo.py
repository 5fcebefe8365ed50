"""The demo's promise: the whole way, nothing left running; with --keep two servers that can be reached
and stopped as printed.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import asyncpg

from support import CliResult


def test_demo_goes_the_whole_way(run_cli: Callable[..., CliResult], tmp_path: Path) -> None:
    told = run_cli("demo", timeout=300)
    assert told.status == 0, told
    for words in (
        "all 37 answers are the same",
        "rejected: 7 of reviews",
        "rejected: 5 of shipments",
        "event_log -> events",
        "Verified 1 860 454 of 1 860 454 cells\n\n(exit 0",
        "The same by hand",
        "Both servers are stopped and removed.",
    ):
        assert words in told.stdout, told
    assert "TS341" not in told.stderr, "the answers say for which schemas they are"
    named = re.findall(r"\S+/results/\S+", told.stdout.split("Where the files are")[1])
    assert all(Path(name).is_file() for name in named)
    assert len(named) == 6
    config = json.loads((tmp_path / "results" / "demo_config.json").read_text(encoding="utf-8"))
    for side in ("old_database", "new_database"):
        with socket.socket() as probe:
            assert probe.connect_ex((config[side]["host"], config[side]["port"])) != 0, (
                "a server was left running"
            )


def test_keep_leaves_two_servers(run_cli: Callable[..., CliResult], tmp_path: Path) -> None:
    told = run_cli("demo", "--keep", timeout=300)
    assert told.status == 0, told
    stop = re.search(r"kill -INT (\d+) (\d+); while .*; rm -r (\S+) (\S+)", told.stdout)
    assert stop, told
    try:
        counts = [asyncio.run(_count(url)) for url in re.findall(r"postgresql://\S+", told.stdout)]
        assert counts == [11877, 11877]
        kept = {path.name: path.read_bytes() for path in (tmp_path / "results").iterdir()}
        beside = run_cli("demo", timeout=300)
        assert beside.status == 0, beside
        # The second demo leaves the files of the first alone, and says how the other is stopped.
        assert all((tmp_path / "results" / name).read_bytes() == there for name, there in kept.items())
        assert "results/demo_config.json belongs to a demo whose servers still run." in beside.stdout
        assert stop[0] in beside.stdout
        assert "tranship analyze results/demo2_config.json --prefix demo2" in beside.stdout
        assert (tmp_path / "results" / "demo2_migration_report.txt").is_file()
        status = run_cli("status", "results/demo_config.json")
        assert status.stdout.startswith("The run is finished: 306 812 rows written, 12 rejected."), status
    finally:
        # As a person would who copies the line.
        stopped = subprocess.run(["sh", "-c", stop[0]], capture_output=True, timeout=60, check=False)
    assert (stopped.returncode, stopped.stderr) == (0, b"")
    assert not any(Path(folder).exists() for folder in stop.groups()[2:])


async def _count(url: str) -> int:
    conn = await asyncpg.connect(url)
    try:
        count: int = await conn.fetchval("SELECT count(*) FROM customers")
        return count
    finally:
        await conn.close()
