"""Ctrl-C and SIGTERM in a live run: the first ends it in order, the next run goes on;
and what a terminal shows meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import IO

import pytest

from support import ROOT
from support.desk import Desk

DeskOf = Callable[[str, str], Desk]
ROWS = (
    "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' || g"
    " FROM generate_series(1, 500) g"
)
SHAPE = "CREATE TABLE t (id int PRIMARY KEY, v text)"


def start(desk: Desk, words: Sequence[str], *, stderr: int, failpoint: str = "") -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "TRANSHIP_FAILPOINT": failpoint,
        "PYTHONUTF8": "1",
        "TERM": "xterm",
    }
    command = [sys.executable, "-m", "tranship", "migrate", "config/my-config.json", *words]
    return subprocess.Popen(
        command,
        cwd=desk.folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


@pytest.mark.parametrize(("number", "abort"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_first_and_second_signal(desk_of: DeskOf, number: signal.Signals, abort: int) -> None:
    desk = desk_of(ROWS, SHAPE)
    words = ["--live", "--batch-size", "50", "--jobs", "1", "--log-format", "json"]
    with start(desk, words, stderr=subprocess.PIPE, failpoint="batch.copied:3:sleep=2") as process:
        assert process.stderr is not None
        events = (json.loads(line)["event"] for line in process.stderr)
        assert "BatchDone" in events
        process.send_signal(number)
        assert any("Result: results/migration_result_live_" in line for line in process.stderr)
        assert process.wait(60) == 4
    (moved,) = desk.new("SELECT count(*) FROM t")[0]
    assert 50 <= moved < 500
    with start(desk, words, stderr=subprocess.PIPE, failpoint="batch.copied:2:sleep=60") as process:
        assert process.stderr is not None
        assert any('"BatchDone"' in line for line in process.stderr)
        process.send_signal(number)
        assert any("stopping" in line for line in process.stderr)
        process.send_signal(number)
        assert process.wait(30) == abort
    done = desk.type("tranship migrate config/my-config.json --live --batch-size 50")
    assert done.status == 0, done
    assert desk.new("SELECT count(*), count(DISTINCT id) FROM t") == [(500, 500)]


def test_terminal(desk_of: DeskOf) -> None:
    desk = desk_of(ROWS, SHAPE)
    master, slave = pty.openpty()
    with start(desk, ["--live", "--batch-size", "100"], stderr=slave) as process:
        os.close(slave)
        shown = bytearray()
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        assert process.stdout is not None
        answer = process.stdout.read()
        assert process.wait(60) == 0
    os.close(master)
    assert b"rows/s" in shown
    assert "  ✓ Processed: 500, Success: 500, Failed: 0\n" in answer
    assert "\x1b" not in answer


@pytest.mark.parametrize("words", [[], ["--live"]])
def test_the_first_signal_ends_a_run_that_still_asks(desk_of: DeskOf, words: list[str]) -> None:
    desk = desk_of(ROWS, SHAPE)

    async def locked() -> tuple[int, str]:
        async with desk.pair.old.connect() as conn:
            await conn.execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
            loop = asyncio.get_running_loop()
            with start(desk, [*words, "--log-format", "json"], stderr=subprocess.PIPE) as process:
                assert process.stderr is not None
                await loop.run_in_executor(None, _read_until, process.stderr, '"phase":')
                process.send_signal(signal.SIGINT)
                rest = await loop.run_in_executor(None, process.stderr.read)
                return await loop.run_in_executor(None, process.wait, 30), rest

    status, rest = asyncio.run(locked())
    assert status == 130
    # A dry run writes nothing, which its first lines say.
    again = "interrupted before a row was written; the same command begins again"
    assert (again in rest) == bool(words), rest
    assert desk.new("SELECT count(*) FROM t") == [(0,)]


def _read_until(lines: IO[str], part: str) -> None:
    assert any(part in line for line in lines)
