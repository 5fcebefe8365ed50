"""``resolve edit`` as a person runs it: lines that are typed, over a file that ``resolve generate`` wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from support import ROOT, CliResult
from support.desk import CONFIG, Desk

RESOLUTIONS, CHANGES = "results/my_manual_resolutions.json", "results/my_migration_changes.json"
EDIT = ["-m", "tranship", "resolve", "edit", RESOLUTIONS, CHANGES, "--as", "Ann"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}


def asked(desk_of: Callable[[str, str], Desk], old: str, new: str) -> Desk:
    """A desk over two schemas, with the file of their questions."""
    made = desk_of(old, new)
    made.config()
    assert made.type(f"tranship analyze {CONFIG} --prefix my").status == 0
    assert made.type(f"tranship resolve generate {CHANGES} --prefix my").status == 0
    return made


def edit(desk: Desk, *lines: str, more: tuple[str, ...] = ()) -> CliResult:
    """Types lines, then ends the input."""
    done = subprocess.run(
        [sys.executable, *EDIT, *more],
        cwd=desk.folder,
        env={**ENVIRONMENT, "TERM": "dumb", "NO_COLOR": "1"},
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return CliResult(done.returncode, done.stdout, done.stderr)
