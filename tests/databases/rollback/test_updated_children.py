"""Rows of NEW's own that a run gave references to rows of the run: their old values come back first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, MakePair
from support.runs import migrate

Run = Callable[..., CliResult]

OLD = """
CREATE TABLE town (id int PRIMARY KEY);
CREATE TABLE person (id int PRIMARY KEY, boss int REFERENCES person, town int REFERENCES town);
INSERT INTO town SELECT generate_series(1, 5);
INSERT INTO person SELECT n, nullif(n - 1, 0), 2 FROM generate_series(1, 9) n;
"""
NEW = """
CREATE TABLE town (id int PRIMARY KEY);
CREATE TABLE person (id int PRIMARY KEY, boss int REFERENCES person, town int REFERENCES town);
INSERT INTO person VALUES (1, NULL, NULL), (5, 1, NULL), (50, 1, NULL);
"""


@pytest.mark.parametrize("killed", [False, True])
async def test_rows_that_the_run_changed_are_not_rows_of_others(
    make_pair: MakePair, run_cli: Run, tmp_path: Path, killed: bool
) -> None:
    pair = await make_pair(OLD, NEW)
    before = await pair.new.fetch("SELECT * FROM person ORDER BY id")
    answers = tmp_path / "answers.json"
    entry = {"action": "existing", "rows": "update"}
    answers.write_text(json.dumps({"resolutions": {"person": [entry]}}), encoding="utf-8")
    await migrate(pair, tmp_path, resolutions=str(answers))
    assert await pair.new.value("SELECT boss FROM person WHERE id = 5") == 4
    config = pair.config(tmp_path)
    if killed:
        died = run_cli("rollback", config, "--live", env={"TRANSHIP_FAILPOINT": "rollback.deleted:1:kill"})
        assert died.status < 0, died
    told = run_cli("rollback", config, "--live")
    assert told.status == 0, told
    assert "none of its rows is left" in told.stdout
    assert await pair.new.fetch("SELECT * FROM person ORDER BY id") == before
    assert await pair.new.value("SELECT count(*) FROM town") == 0
