"""What a terminal of 80 columns shows: lines are broken between words, commands stay whole, and what is no
terminal gets its lines as they are.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable

import pytest

from support.desk import Desk
from support.editing import CHANGES, EDIT, ENVIRONMENT, RESOLUTIONS, asked

DeskOf = Callable[[str, str], Desk]
COLUMNS = 80
OLD = """
CREATE TABLE users (id int PRIMARY KEY, state text, phone varchar(20));
INSERT INTO users SELECT g, 'a state of many words ' || g % 9, '0123456789012345' FROM generate_series(1, 40) g;
"""
NEW = """
CREATE TYPE state AS ENUM ('the first of several', 'the second of several', 'the third of several');
CREATE TABLE users (id int PRIMARY KEY, state state, phone varchar(11));
"""


@pytest.fixture
def desk(desk_of: DeskOf) -> Desk:
    """A desk with open questions and much evidence."""
    return asked(desk_of, OLD, NEW)


def on_terminal(desk: Desk, words: list[str], typed: bytes = b"") -> list[str]:
    """The lines that a program writes to a terminal, its answers and its messages."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=desk.folder,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    assert process.stdin is not None
    process.stdin.write(typed)
    process.stdin.close()
    shown = b""
    # Linux tells by EIO that nobody holds the other end any more.
    try:
        while more := os.read(controller, 65536):
            shown += more
    except OSError:
        pass
    os.close(controller)
    process.wait(60)
    return shown.decode().replace("\r\n", "\n").split("\n")


def wide(lines: list[str]) -> list[str]:
    """The lines that a terminal breaks where its width ends; a command to copy may be one."""
    return [line for line in lines if len(line) > COLUMNS and "tranship " not in line]


def test_the_dialog_fits_a_terminal(desk: Desk) -> None:
    lines = on_terminal(desk, EDIT, b"?\n3\nx\n\ns\n" + b"s\n" * 9)
    assert any("2 of 2" in line for line in lines), lines
    assert any(line.startswith("     40 rows are longer than 11 characters") for line in lines), lines
    assert wide(lines) == []


def test_messages_fit_and_their_commands_stay_whole(desk: Desk) -> None:
    validate = ["-m", "tranship", "resolve", "validate", RESOLUTIONS, CHANGES]
    lines = on_terminal(desk, validate)
    assert wide(lines) == []
    assert f"  tranship resolve edit {RESOLUTIONS} {CHANGES}" in lines
    piped = subprocess.run(
        [sys.executable, *validate], cwd=desk.folder, env=ENVIRONMENT, capture_output=True, check=False
    )
    assert any(
        line.startswith("2 questions are still open. Answer") for line in piped.stdout.decode().splitlines()
    )
    assert [
        line
        for line in piped.stdout.decode().splitlines()
        if f"one by one: tranship resolve edit {RESOLUTIONS}" in line
    ]


def test_what_programs_read_is_never_broken(desk: Desk) -> None:
    for words in (
        ["schema", "resolutions"],
        ["completion", "bash"],
        ["explain", "TS300", "--format", "json"],
    ):
        command = [sys.executable, "-m", "tranship", *words]
        piped = subprocess.run(command, cwd=desk.folder, env=ENVIRONMENT, capture_output=True, check=True)
        assert "\n".join(on_terminal(desk, command[1:])) == piped.stdout.decode(), words


def test_the_report_fits_a_terminal_but_for_its_classic_lines(desk: Desk) -> None:
    lines = on_terminal(desk, ["-m", "tranship", "analyze", "config/my-config.json", "-q"])
    assert [line for line in wide(lines) if not line.startswith("  [users] Column ")] == []
    assert any(
        line.startswith("  [users] Column 'phone' type mismatch: current(varchar(20)) vs new(")
        for line in lines
    )
