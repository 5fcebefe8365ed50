"""What a person asked for on the command line of a run."""

from __future__ import annotations

import os
import shlex
from pathlib import PurePath
from typing import Literal

from msgspec import Struct

RebuildIndexes = Literal["auto", "never", "always"]
"""Whether indexes of NEW go before a load and are rebuilt after it: where it pays, not at all, wherever it is safe."""

_SCRIPTS = {
    "analyze": "db_migration_tool.py",
    "resolve": "manual_resolutions.py",
    "migrate": "data_migrator.py",
}


def command_line(invocation: str, command: str, *arguments: str) -> str:
    """A command to copy, in the words the program was called with.

    Args:
        invocation: ``tranship``, or how the classic scripts are reached: ``python scripts``.
        command: ``migrate``, ``resolve generate``, ``status`` … One without a script of its own is reached as a module of the same checkout.
    """
    words = command.split()
    if invocation == "tranship":
        return shlex.join(["tranship", *words, *arguments])
    if words[0] not in _SCRIPTS:
        package = os.path.normpath(PurePath(shlex.split(invocation)[1], "..", "src"))
        return f"PYTHONPATH={shlex.quote(package)} {shlex.join(['python', '-m', 'tranship', *words, *arguments])}"
    return f"{invocation}/{_SCRIPTS[words[0]]} {shlex.join([*words[1:], *arguments])}".rstrip()


class MigrateOptions(Struct, frozen=True, kw_only=True):
    """Options of ``migrate``; paths are relative to the working directory."""

    live: bool = False
    """False: a dry run."""
    prefix: str | None = None
    """Goes before the names of all result files."""
    results_dir: str = "results"
    resolutions: str | None = None
    """The resolutions file that was passed: passing it is the decision."""
    changes_file: str | None = None
    """None: the default file where it exists, else the run compares by itself."""
    batch_size: int = 50_000
    """Rows of one committed unit."""
    jobs: int = 4
    """Parallel streams."""
    max_rejects: str | None = None
    """``N`` rows or ``P%`` of the rows read; None: no bound."""
    rebuild_indexes: RebuildIndexes = "auto"
    restart: bool = False
    new_snapshot: str | None = None
    """``unfinished`` or ``all``."""
    take_over: bool = False
    rehearse: bool = False
    show_values: bool = False
    arguments: tuple[str, ...] = ()
    """The command line as given, for the result file."""
    invocation: str = "tranship"
    """How the program was called, for `command_line`: hints name the next command in the same words."""
    config_path: str = ""
    """The configuration file as it was named, for the next command."""

    @property
    def naming(self) -> tuple[str, ...]:
        """The options that say where files lie and how they are called, for the next command."""
        prefix = ("--prefix", self.prefix) if self.prefix else ()
        return (*prefix, "--results-dir", self.results_dir) if self.results_dir != "results" else prefix


def reject_bound(options: MigrateOptions, rows: int) -> int | None:
    """``--max-rejects`` in rows."""
    text = options.max_rejects
    if text is None:
        return None
    return int(rows * float(text[:-1]) / 100) if text.endswith("%") else int(text)
