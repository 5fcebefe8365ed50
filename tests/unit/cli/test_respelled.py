"""The help of the classic scripts names commands as they are called there."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from tranship.cli.entry import COMMANDS, load
from tranship.cli.respelled import respelled


def told(command: click.Command, *arguments: str) -> str:
    answer = CliRunner().invoke(command, [*arguments, "--help"])
    return " ".join(answer.output.split())


def test_options_name_the_scripts() -> None:
    words = told(respelled(load("migrate"), "python scripts", COMMANDS))
    assert "(written by `python scripts/manual_resolutions.py generate`)" in words
    assert "that `python scripts/db_migration_tool.py` found" in words
    assert "(written by `resolve generate`)" in told(load("migrate")), "the command itself stays as it is"


@pytest.mark.parametrize("name", ["analyze", "resolve", "migrate"])
def test_no_command_is_named_otherwise(name: str) -> None:
    command = respelled(load(name), "python scripts", COMMANDS)
    inner = [[], ["generate"], ["validate"], ["edit"]] if name == "resolve" else [[]]
    for arguments in inner:
        words = told(command, *arguments)
        assert "Options:" in words
        assert not [other for other in COMMANDS if f"`{other}" in words or f"tranship {other}" in words]
