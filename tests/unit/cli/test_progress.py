"""What stderr shows of a command's progress, by how it is called."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tranship.cli.context import CliContext
from tranship.cli.loop import run
from tranship.cli.progress import Display, display
from tranship.cli.terminal import Log, open_private
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.notes import NotRestored, Warned
from tranship.model.progress import BatchDone, Began, Noted, RowRejected, TableStarted
from tranship.model.resolution import Problem

FLOW = FlowId(TableName("public", "t"), TableName("public", "t"))
EVENTS = (
    Began("prepare"),
    Began("prepare", "count and divide public.t"),
    TableStarted(FLOW, 100, 1),
    Began("copy"),
    BatchDone(FLOW, 0, 50, 50, 0, 10),
    RowRejected(FLOW, '{"id": 1}', "", "v", "23502", None, None),
    Noted(Warned(Problem(code="TS999", object="", message="careful", hint="", warning=True))),
)


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    yield
    if Log.file is not None:
        Log.file.close()
    Log.file, Log.json = None, False


def shown(capsys: pytest.CaptureFixture[str], *, verbosity: int = 0, log_json: bool = False) -> list[str]:
    call = CliContext((), "tranship", verbosity=verbosity, log_json=log_json)
    Log.json = log_json
    with display(call, "connect") as shows:
        for event in EVENTS:
            shows.feed(event)
        shows.beat()
    return capsys.readouterr().err.splitlines()


def test_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    rejected, warned, beat = shown(capsys)
    assert rejected.startswith("rejected [public.t] id=1: column v:")
    assert "careful" in warned
    assert beat.startswith("copy, 0 s, 50 %, ")


def test_verbose_lines_name_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, verbosity=1)
    assert lines[:2] == ["prepare: begins", "prepare: count and divide public.t"]
    assert lines[2].startswith("prepare: 0.0 s")
    assert lines[3] == "copy: begins"


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, verbosity=-1) == []


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    told = [json.loads(line) for line in shown(capsys, log_json=True)]
    assert [one["event"] for one in told] == [
        "Began",
        "TableStarted",
        "Began",
        "BatchDone",
        "RowRejected",
        "Noted",
        "Progress",
    ]
    assert (told[-1]["phase"], told[-1]["rows"], told[-1]["of"]) == ("copy", 50, 100)


def test_a_log_file_gets_every_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.log"
    Log.file = open_private(str(path))
    assert shown(capsys, verbosity=-1) == []
    told = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    assert told.count("Began") == 3
    assert told[-1] == "Progress"
    assert path.stat().st_mode & 0o777 == 0o600
    shown(capsys)
    assert len(path.read_text().splitlines()) == 2 * len(told)


class _Counting:
    period = 0.01

    def __init__(self) -> None:
        self.beats = 0
        self.enough = asyncio.Event()

    def beat(self) -> None:
        self.beats += 1
        if self.beats == 3:
            self.enough.set()


def test_a_long_command_beats_although_nothing_happens() -> None:
    counting = _Counting()

    async def work(_: asyncio.Event) -> int:
        await counting.enough.wait()
        return 7

    shows: Display = counting  # type: ignore[assignment]
    assert run(work, shows=shows) == 7
    before = counting.beats
    assert run(_nothing) is None
    assert counting.beats == before


async def _nothing(_: asyncio.Event) -> None:
    return None


def test_a_terminal_gets_a_line_for_each_long_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("tranship.cli.progress._WORTH_A_LINE", 0.0)
    monkeypatch.setenv("TERM", "dumb")
    with display(CliContext((), "tranship"), "connect") as shows:
        for event in EVENTS:
            shows.feed(event)
    assert "prepare: 0.0 s\n" in terminal.getvalue()


def test_the_log_names_the_databases_of_the_call(tmp_path: Path) -> None:
    call = CliContext((), "tranship", databases=("my.json",), verbosity=-1)
    path = tmp_path / "log"
    Log.file = open_private(str(path))
    hint = "tranship doctor CONFIG --restore"
    with display(call, "connect") as shows:
        shows.feed(Noted(Warned(Problem(code="TS502", object="", message="off", hint=hint, warning=True))))
        shows.feed(Noted(NotRestored("lost")))
    assert "CONFIG" not in path.read_text()
    assert path.read_text().count("tranship doctor my.json --restore") == 2
