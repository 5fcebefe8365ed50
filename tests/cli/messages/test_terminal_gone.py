"""A live run whose terminal or pipe is gone: nobody reads it any more, and it still ends by what it did and
writes its result.
"""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from support import ROOT
from support.desk import Desk

DeskOf = Callable[[str, str], Desk]
ROWS = """CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 500) g;
    UPDATE t SET v = 'too long' WHERE id = {wrong}"""
SHAPE = "CREATE TABLE t (id int PRIMARY KEY, v text CHECK (v <> 'too long'))"
NOHUP: dict[str, Any] = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
WORDS = ("--live", "--batch-size", "50", "--jobs", "1")


def start(desk: Desk, *words: str, failpoint: str = "", **streams: Any) -> subprocess.Popen[bytes]:
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "TRANSHIP_FAILPOINT": failpoint,
        "PYTHONUTF8": "1",
        "TERM": "xterm",
    }
    command = [sys.executable, "-m", "tranship", "migrate", "config/my-config.json", *words]
    # Whoever runs the tests under nohup has everything ignore the signal.
    streams.setdefault("preexec_fn", _hears)
    return subprocess.Popen(command, cwd=desk.folder, env=env, stdin=subprocess.DEVNULL, **streams)


def _hears() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def result(desk: Desk) -> dict[str, Any]:
    (path,) = (desk.folder / "results").glob("*migration_result_live_*.json")
    read: dict[str, Any] = json.loads(path.read_text())
    return read


@pytest.mark.parametrize(("wrong", "status"), [(0, 0), (7, 1)])
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_pipe_that_nobody_reads(desk_of: DeskOf, wrong: int, status: int, log_format: str) -> None:
    desk = desk_of(ROWS.format(wrong=wrong), SHAPE)
    reader, writer = os.pipe()
    with start(desk, *WORDS, "--log-format", log_format, stdout=writer, stderr=writer) as process:
        os.close(writer)
        os.close(reader)
        assert process.wait(120) == status
    assert result(desk)["exit_status"] == status


def test_a_command_that_only_reads_ends_with_its_pipe(desk_of: DeskOf) -> None:
    desk = desk_of(ROWS.format(wrong=0), SHAPE)
    reader, writer = os.pipe()
    with start(desk, stdout=writer, stderr=subprocess.DEVNULL) as process:
        os.close(writer)
        os.close(reader)
        assert process.wait(120) == 141


def _on_a_terminal(desk: Desk, failpoint: str) -> tuple[subprocess.Popen[bytes], int]:
    """Starts a run that leads a session on a new terminal; returns it and the terminal's other side."""
    master, slave = pty.openpty()
    name = os.ttyname(slave)

    def take() -> None:
        _hears()
        os.setsid()
        # The first terminal that a session's leader opens becomes the session's.
        os.close(os.open(name, os.O_RDWR))

    process = start(desk, *WORDS, failpoint=failpoint, stdout=slave, stderr=slave, preexec_fn=take)
    os.close(slave)
    return process, master


def test_a_terminal_that_hangs_up(desk_of: DeskOf) -> None:
    desk = desk_of(ROWS.format(wrong=7), SHAPE)
    process, master = _on_a_terminal(desk, "batch.copied:3:sleep=3")
    with process:
        shown = b""
        while b"rows/s" not in shown:
            shown += os.read(master, 4096)
        os.close(master)
        assert process.wait(120) == 4
    found = result(desk)
    assert (found["exit_status"], found["status"]) == (4, "stopped")
    done = desk.type("tranship migrate config/my-config.json --live --batch-size 50")
    assert done.status == 1, done
    assert desk.new("SELECT count(*), count(DISTINCT id) FROM t") == [(499, 499)]


def test_hanging_up_twice_stops_once_and_nohup_not_at_all(desk_of: DeskOf) -> None:
    desk = desk_of(ROWS.format(wrong=0), SHAPE)
    words = (*WORDS, "--log-format", "json")
    with start(desk, *words, failpoint="batch.copied:3:sleep=2", stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert any(b'"BatchDone"' in line for line in process.stderr)
        process.send_signal(signal.SIGHUP)
        assert any(b"stopping" in line for line in process.stderr)
        process.send_signal(signal.SIGHUP)
        assert any(b"Result: results/" in line for line in process.stderr)
        assert process.wait(120) == 4
    with start(desk, *words, failpoint="batch.copied:2:sleep=2", stderr=subprocess.PIPE, **NOHUP) as process:
        assert process.stderr is not None
        assert any(b'"BatchDone"' in line for line in process.stderr)
        process.send_signal(signal.SIGHUP)
        assert not any(b"stopping" in line for line in process.stderr)
        assert process.wait(120) == 0
    assert desk.new("SELECT count(*), count(DISTINCT id) FROM t") == [(500, 500)]
