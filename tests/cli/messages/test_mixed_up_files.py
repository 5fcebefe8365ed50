"""One file of tranship in the place of another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult
from tranship.codec.resolutions import read_resolutions
from tranship.errors import UsageError

CHANGES = {"format_version": 1, "tool_version": "0", "old": {}, "new": {}, "changes": [], "tables": None}
RESOLUTIONS = {"old_fingerprint": "", "resolutions": {}}
CONFIGURATION = {"old_database": {"host": "a"}, "new_database": {"host": "b"}}
RESULT = {"format_version": 1, "tool_version": "0", "status": "done", "exit_status": 0, "tables": []}


@pytest.fixture
def files(tmp_path: Path) -> None:
    """The four files in the folder in which commands run."""
    kinds = {"changes": CHANGES, "answers": RESOLUTIONS, "config": CONFIGURATION, "result": RESULT}
    for name, value in kinds.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
        (tmp_path / f"{name}.json").chmod(0o600)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("analyze changes.json", "TS108 changes.json:1: $: this is a changes file, and a configuration is"),
        (
            "migrate answers.json",
            "TS108 answers.json:1: $: this is a resolutions file, and a configuration is",
        ),
        ("status result.json", "TS108 result.json:1: $: this is a result file, and a configuration is"),
        ("resolve generate answers.json", "TS112 answers.json is a resolutions file, and a changes file is"),
        ("resolve generate config.json", "TS112 config.json is a configuration, and a changes file is"),
        ("resolve validate answers.json config.json", "TS112 config.json is a configuration, and a changes"),
        ("resolve edit changes.json answers.json", "TS112 answers.json is a resolutions file, and a changes"),
    ],
)
def test_the_file_is_named_for_what_it_is(run_cli: Callable[..., CliResult], typed: str, said: str) -> None:
    told = run_cli(*typed.split())
    assert told.status == 2
    lines = told.stderr.splitlines()
    assert lines[0].startswith(said), told
    assert len(lines) == 2, "nothing is said of its keys"
    assert lines[1].startswith("  hint: ")


@pytest.mark.usefixtures("files")
def test_another_file_as_resolutions(tmp_path: Path) -> None:
    for name, kind in (("changes", "a changes file"), ("config", "a configuration")):
        with pytest.raises(UsageError, match=f"this is {kind}, and a resolutions file is expected here"):
            read_resolutions(tmp_path / f"{name}.json")
