"""dev.py before its environment exists: read by any Python, and helpful."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

from support import ROOT

DEV = ROOT / "dev.py"


def test_old_pythons_can_read_it() -> None:
    ast.parse(DEV.read_text(encoding="utf-8"), feature_version=(3, 7))
    for script in (ROOT / "scripts").glob("*.py"):
        ast.parse(script.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_without_a_command_it_tells_what_there_is() -> None:
    told = subprocess.run([sys.executable, DEV], capture_output=True, text=True, check=False)
    assert told.returncode == 0
    for command in ("demo", "test", "lint", "cases", "bench"):
        assert f"dev.py {command}" in told.stdout


def test_an_unknown_command_is_trouble() -> None:
    command = [sys.executable, DEV, "dmeo"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert told.stderr == "dev.py: there is no command 'dmeo'; did you mean demo?\n"


def test_the_values_of_options_are_no_names_of_benchmarks() -> None:
    command = [sys.executable, DEV, "bench", "no-such", "--rows", "3000"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "no benchmark no-such;" in told.stderr


def test_requirements_are_pinned_hashed_and_name_no_host() -> None:
    (path,) = ROOT.glob("requirements-*.txt")
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in text
    for requirement in re.split(r"\n(?=\w)", text.strip()):
        assert re.match(r"[\w.-]+==[\w.]+", requirement), requirement
        assert "--hash=sha256:" in requirement
