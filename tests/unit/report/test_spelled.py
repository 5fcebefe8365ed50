"""Commands in hints name the databases of the call wherever they are read."""

from __future__ import annotations

import json

import pytest

from tranship.cli.answer import answer_json
from tranship.cli.context import CliContext
from tranship.model.resolution import Problem
from tranship.report.spelled import spelled, spelled_problems

HINT = "put the rows back, or roll the run back (tranship rollback CONFIG --live) and run again"
FILLED = "put the rows back, or roll the run back (tranship rollback 'my c.json' --live) and run again"
PROBLEM = Problem(code="TS500", object="", message="rows are gone", hint=HINT)


def test_hints_of_problems_name_the_databases() -> None:
    (told,) = spelled_problems([PROBLEM], "tranship", ["my c.json"])
    assert told.hint == FILLED
    assert spelled("see tranship status CONFIG", "tranship", ()) == "see tranship status CONFIG"
    assert spelled("TRANSHIP_CONFIG and CONFIG stay", "tranship", ["c"]) == "TRANSHIP_CONFIG and CONFIG stay"


def test_an_answer_in_json_does_so_too(capsys: pytest.CaptureFixture[str]) -> None:
    call = CliContext(arguments=(), invocation="tranship", databases=("my c.json",), form="json")
    answer_json(call, None, status=5, problems=[PROBLEM])
    assert json.loads(capsys.readouterr().out)["problems"][0]["hint"] == FILLED
