"""Dry runs and live runs, each a ``migrate`` process of its own: what began goes on when the page or the
studio ends.
"""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tranship.codec.files import free_path, result_path
from tranship.errors import UsageError
from tranship.errors.codes.studio import LiveNotAllowed, RunAtWork, WrongDatabaseTyped
from tranship.studio.people import Person, Role
from tranship.studio.results import ResultShown, result_of

_LINES = 400
"""Lines of a run's output that the page shows: the last ones."""


class RunOptions(Struct, frozen=True):
    """What every run of the studio is started with."""

    config: tuple[str, ...]
    """The configuration file, or two URLs."""
    resolutions: Path
    changes: Path
    results_dir: str
    prefix: str | None
    new_database: str
    allow_live: bool


Kind = Literal["dry run", "live run", "verification"]


class RunShown(Struct, frozen=True):
    """A run as the page shows it."""

    kind: Kind
    live: bool
    by: str
    started: str
    command: str
    log: str
    """The file that holds its whole output."""
    running: bool
    exit_status: int | None
    lines: tuple[str, ...]


class _Run(Struct):
    kind: Kind
    by: str
    started: str
    command: tuple[str, ...]
    log: Path
    process: subprocess.Popen[bytes]


class Runs:
    """Starts runs, one at a time, and watches the last one."""

    def __init__(self, options: RunOptions) -> None:
        self.options = options
        self._last: _Run | None = None

    def start_dry(self, person: Person) -> None:
        """Starts a dry run.

        Raises:
            UsageError: a run of this studio is at work.
        """
        self._start(person, "dry run")

    def start_live(self, person: Person, typed: str) -> None:
        """Starts a live run; ``typed`` is the name of NEW's database as the person typed it.

        Raises:
            UsageError: the studio or the person may not, the name is another one, or a run is at work.
        """
        if not self.options.allow_live or person.role is not Role.APPROVER:
            raise UsageError(LiveNotAllowed())
        if typed != self.options.new_database:
            raise UsageError(WrongDatabaseTyped(typed))
        self._start(person, "live run")

    def start_verify(self, person: Person) -> None:
        """Starts a verification of the runs on record.

        Raises:
            UsageError: a run of this studio is at work.
        """
        self._start(person, "verification")

    def result(self) -> ResultShown | None:
        """Returns what the last run left; None while it is at work, and where it left nothing."""
        run = self._last
        return result_of(run.log) if run is not None and run.process.poll() is not None else None

    def shown(self) -> RunShown | None:
        """Returns the last run; None before the first."""
        run = self._last
        if run is None:
            return None
        status = run.process.poll()
        command = subprocess.list2cmdline(run.command)
        lines = _last_lines(run.log)
        live = run.kind == "live run"
        known = (run.kind, live, run.by, run.started, command, str(run.log))
        return RunShown(*known, status is None, status, lines)

    def _start(self, person: Person, kind: Kind) -> None:
        if self._last is not None and self._last.process.poll() is None:
            raise UsageError(RunAtWork())
        now = datetime.datetime.now(datetime.UTC)
        name = f"studio_{kind.partition(' ')[0]}_{now:%Y%m%dT%H%M%SZ}.log"
        log = free_path(result_path(self.options.results_dir, self.options.prefix, name))
        log.parent.mkdir(parents=True, exist_ok=True)
        command = self._command(kind)
        # 0600 from the beginning, as all files that may hold values of rows.
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C in the studio's terminal does not reach it.
                start_new_session=True,
            )
        finally:
            os.close(output)
        self._last = _Run(kind, person.name, now.isoformat(timespec="seconds"), command, log, process)

    def _command(self, kind: Kind) -> tuple[str, ...]:
        options = self.options
        prefix = ("--prefix", options.prefix) if options.prefix else ()
        naming = ("--results-dir", options.results_dir, *prefix)
        if kind == "verification":
            return ("tranship", "verify", *options.config, *naming)
        files = ("--resolutions", str(options.resolutions), "--changes-file", str(options.changes))
        live = ("--live",) if kind == "live run" else ()
        return ("tranship", "migrate", *options.config, *files, *naming, *live)


def _last_lines(log: Path) -> tuple[str, ...]:
    try:
        with log.open(encoding="utf-8", errors="backslashreplace") as file:
            return tuple(line.rstrip("\n") for line in deque(file, _LINES))
    except OSError as error:
        return (f"the output cannot be read: {error.strerror}",)
