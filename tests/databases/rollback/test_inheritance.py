"""Runs into tables with inheritance children: the rows of a child are no rows of its parent, and a foreign
key of the parent says nothing about them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from support import CliResult, MakePair
from support.runs import migrate

Run = Callable[..., CliResult]

TABLES = """
CREATE TABLE person (id int PRIMARY KEY);
CREATE TABLE paid (id int PRIMARY KEY, person int REFERENCES person);
CREATE TABLE paid_2007 (CHECK (id >= 100)) INHERITS (paid);
"""
ROWS = """
INSERT INTO person SELECT generate_series(1, 20);
INSERT INTO paid SELECT n, n FROM generate_series(1, 10) n;
INSERT INTO paid_2007 SELECT 100 + n, n FROM generate_series(1, 7) n;
"""


async def test_rows_of_a_child_are_rows_of_the_run(make_pair: MakePair, run_cli: Run, tmp_path: Path) -> None:
    pair = await make_pair(TABLES + ROWS, TABLES)
    await migrate(pair, tmp_path)
    told = run_cli("rollback", pair.config(tmp_path), "--live")
    assert told.status == 0, told
    assert "37 rows" in told.stdout.splitlines()[0], told
    assert await pair.new.fetch("SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM paid)") == [
        (0, 0)
    ]


async def test_what_others_do_to_a_child_is_said_once(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await make_pair(TABLES + ROWS, TABLES)
    await migrate(pair, tmp_path)
    await pair.new.run("INSERT INTO paid_2007 VALUES (999, NULL)")
    told = run_cli("rollback", pair.config(tmp_path), "--live")
    assert told.stdout.splitlines()[0].endswith("1 row that others wrote or changed since stays."), told
    (file,) = (tmp_path / "results").glob("rollback_stays_*.jsonl")
    stays = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(one["table"]) for one in stays] == ["public.paid_2007"]


async def test_rows_of_a_child_do_not_stand_for_rows_that_its_parent_lost(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await make_pair(TABLES + ROWS, TABLES)
    await migrate(pair, tmp_path)
    await pair.new.run("DELETE FROM ONLY paid WHERE id <= 5")
    again = run_cli("migrate", pair.config(tmp_path), "--live")
    assert again.status == 5, again
    assert "public.paid: a finished run wrote 10 rows, and NEW holds at most 5" in again.stdout, again
