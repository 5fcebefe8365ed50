"""A file that is not there is named with the command that writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tranship.codec import read_changes
from tranship.codec.decision_file import DecisionFile
from tranship.codec.resolutions import read_resolutions
from tranship.config import load_config
from tranship.errors import UsageError


@pytest.mark.parametrize(
    ("read", "command"),
    [
        (load_config, "tranship init {path} writes it"),
        (read_changes, "tranship analyze CONFIG writes it"),
        (read_resolutions, "tranship resolve generate writes it"),
        (DecisionFile.read, "tranship resolve generate writes it"),
    ],
)
def test_the_command_that_writes_it_is_named(
    read: Callable[[Path], object], command: str, tmp_path: Path
) -> None:
    path = tmp_path / "missing.json"
    with pytest.raises(UsageError) as raised:
        read(path)
    (problem,) = raised.value.problems
    assert problem.code == "TS102"
    assert problem.hint.endswith(command.format(path=path))


def test_the_command_that_writes_changes_of_this_name_is_named(tmp_path: Path) -> None:
    path = tmp_path / "neu_migration_changes.json"
    with pytest.raises(UsageError) as raised:
        read_changes(path)
    (problem,) = raised.value.problems
    assert problem.hint.endswith(f"tranship analyze CONFIG --prefix neu --results-dir {tmp_path} writes it")
