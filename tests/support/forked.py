"""Commands in processes of their own that are forked, not started: no imports to wait for,
and the test sees the last passage of a failpoint.
"""

from __future__ import annotations

import importlib
import mmap
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support import CliResult, portions

FORKS = multiprocessing.get_context("forkserver")
PAGE = 4096
HANG = 90.0
"""Seconds after the last fault in which a command must have ended."""


def preload() -> None:
    """The process that forks all others imports what they need; before the first fork."""
    FORKS.set_forkserver_preload(["tranship.cli.entry", "tranship.api", "support.forked"])


def _trace(page: Path) -> None:
    """Writes the name of every failpoint passed into a page that outlives this process."""
    with page.open("r+b") as file:
        shared = mmap.mmap(file.fileno(), PAGE)
    counts: dict[str, int] = {}

    async def traced(name: str) -> None:
        counts[name] = counts.get(name, 0) + 1
        text = " ".join([name, *(f"{n}={c}" for n, c in counts.items())]).encode()
        shared[: len(text) + 1] = text + b"\n"

    importlib.import_module("tranship.execution.resilience.failpoints").observers.append(traced)


def _child(arguments: list[str], folder: str, env: dict[str, str], twin: str) -> None:
    base = Path(folder)
    os.setpgid(0, 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(base / f"{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.chdir(base.parent)
    os.environ.update(env)
    from tranship import api
    from tranship.cli import main

    assert api
    portions.make_small()
    if twin:
        importlib.import_module(f"support.twins.{twin}").break_it()
    _trace(base / "passed")
    sys.argv = ["tranship", *arguments]
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


@dataclass
class Command:
    """A running ``tranship``."""

    process: multiprocessing.process.BaseProcess
    folder: Path
    began: float

    @classmethod
    def start(
        cls, arguments: list[str], folder: Path, *, env: Mapping[str, str] | None = None, twin: str = ""
    ) -> Command:
        """Starts it in ``folder``; ``twin`` names one of the broken ones."""
        base = Path(tempfile.mkdtemp(prefix="command-", dir=folder))
        (base / "passed").write_bytes(b"\0" * PAGE)
        process = FORKS.Process(
            target=_child, args=(arguments, str(base), dict(env or {}), twin), daemon=True
        )
        process.start()
        return cls(process, base, time.monotonic())

    @property
    def running(self) -> bool:
        """It has not ended."""
        return self.process.is_alive()

    @property
    def passed(self) -> str:
        """The failpoint it passed last."""
        return self._passed()[0]

    @property
    def passages(self) -> dict[str, int]:
        """How often it passed each."""
        return {name: int(count) for name, _, count in (word.partition("=") for word in self._passed()[1:])}

    def _passed(self) -> list[str]:
        line = (self.folder / "passed").read_bytes().partition(b"\n")[0].strip(b"\0").decode()
        return line.split() or ["before the lock"]

    def send(self, number: signal.Signals) -> None:
        """A signal, if it still runs."""
        if self.process.pid is not None and self.running:
            os.kill(self.process.pid, number)

    def wait(self, timeout: float = HANG) -> CliResult:
        """Its end.

        Raises:
            TimeoutError: it hangs; it is killed.
        """
        self.process.join(timeout)
        if self.running:
            self.process.kill()
            self.process.join()
            raise TimeoutError(f"no end within {timeout:.0f} s, last passage {self.passed}")
        texts = [
            (self.folder / name).read_text(errors="replace") if (self.folder / name).exists() else ""
            for name in ("stdout", "stderr")
        ]
        return CliResult(self.process.exitcode if self.process.exitcode is not None else -1, *texts)
