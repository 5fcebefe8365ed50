"""Commands that a message tells people to copy."""

from __future__ import annotations

import pytest

from tranship.model.options import MigrateOptions, NewSnapshot, command_line


@pytest.mark.parametrize(
    ("invocation", "command", "line"),
    [
        ("tranship", "status", "tranship status 'my config.json'"),
        ("tranship", "resolve generate", "tranship resolve generate 'my config.json'"),
        (
            "python scripts",
            "resolve generate",
            "python scripts/manual_resolutions.py generate 'my config.json'",
        ),
        ("python scripts", "migrate", "python scripts/data_migrator.py 'my config.json'"),
        ("python scripts", "status", "PYTHONPATH=src python -m tranship status 'my config.json'"),
        ("python .", "doctor", "PYTHONPATH=../src python -m tranship doctor 'my config.json'"),
        (
            "python '/opt/my tools/scripts'",
            "doctor",
            "PYTHONPATH='/opt/my tools/src' python -m tranship doctor 'my config.json'",
        ),
    ],
)
def test_a_command_is_spelled_as_the_program_was_called(invocation: str, command: str, line: str) -> None:
    assert command_line(invocation, command, "my config.json") == line


def test_the_live_run_after_a_dry_run_takes_the_same_choices() -> None:
    chosen = MigrateOptions(databases=("c.json",), new_snapshot=NewSnapshot.UNFINISHED, again=True)
    assert chosen.live_after_dry == "tranship migrate c.json --live --new-snapshot unfinished --again"
    # Of a run that is on record no choice about its snapshot is left.
    assert chosen.live_again == "tranship migrate c.json --live"
