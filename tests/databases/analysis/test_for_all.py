"""The time zone that an application wrote is one question, from the analysis to the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import CliResult, MakePair

RunCli = Callable[..., CliResult]
OLD = """
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', current_database()); END $$;
CREATE TABLE film (id int PRIMARY KEY, changed timestamp NOT NULL);
CREATE TABLE shelf (id int PRIMARY KEY, changed timestamp NOT NULL, burnt timestamp);
CREATE TABLE loan (id int, due timestamp NOT NULL);
CREATE TABLE loan_1 () INHERITS (loan);
CREATE TABLE loan_2 () INHERITS (loan);
INSERT INTO film VALUES (1, '2020-02-02 03:00');
INSERT INTO shelf VALUES (1, '2020-02-02 03:00', NULL);
INSERT INTO loan_1 VALUES (1, '2020-02-02 03:00');
"""
NEW = """
CREATE TABLE film (id int PRIMARY KEY, changed timestamptz NOT NULL);
CREATE TABLE shelf (id int PRIMARY KEY, changed timestamptz NOT NULL, burnt timestamptz);
CREATE TABLE loan (id int, due timestamptz NOT NULL) PARTITION BY RANGE (due);
CREATE TABLE loan_all PARTITION OF loan DEFAULT;
"""
OLD_RENAMED = """
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', current_database()); END $$;
CREATE TABLE film (id int PRIMARY KEY, at timestamp NOT NULL, upto timestamp);
CREATE TABLE actor (id int PRIMARY KEY, name text, last_update timestamp NOT NULL);
CREATE TABLE shelf (id int PRIMARY KEY, day date);
INSERT INTO film VALUES (1, '2020-02-02', NULL);
INSERT INTO actor VALUES (1, 'Ada', '2020-02-02');
INSERT INTO shelf VALUES (1, '2020-02-02');
"""
NEW_RENAMED = """
CREATE TABLE film (id int PRIMARY KEY, at timestamptz NOT NULL, upto timestamptz);
CREATE TABLE actor (id int PRIMARY KEY, name text, updated_at timestamptz NOT NULL);
CREATE TABLE shelf (id int PRIMARY KEY, day timestamptz);
"""
FILE, CHANGES = "results/manual_resolutions.json", "results/migration_changes.json"


async def test_one_answer_moves_every_column(make_pair: MakePair, run_cli: RunCli, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW, template=False)
    config = pair.config(tmp_path)
    assert run_cli("analyze", config).status == 0
    generated = run_cli("resolve", "generate", CHANGES)
    assert "1. [*] timestamp becomes timestamptz in 6 columns of 5 tables" in generated.stdout
    assert "2. [" not in generated.stdout
    path = tmp_path / FILE
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    (pattern,) = document["for_all"]
    assert document["resolutions"] == {}
    asked = [line for line in pattern["_evidence"] if line.startswith("columns: ")]
    empty = [line for line in pattern["_evidence"] if line.startswith("without a value")]
    assert asked == ["columns: film.changed, loan_1.due, shelf.changed"]
    assert empty == ["without a value, so not asked about: loan.due, loan_2.due, shelf.burnt"]

    unanswered = run_cli("resolve", "validate", FILE, CHANGES)
    assert unanswered.status == 1
    assert "1 question is still open" in unanswered.stdout
    assert "$.for_all[0]" in unanswered.stdout
    refused = run_cli("migrate", config, "--resolutions", FILE, "--changes-file", CHANGES)
    assert refused.status == 3

    pattern |= {"action": "transform", "transform_sql": "old.{old_column} AT TIME ZONE 'UTC'"}
    path.write_text(json.dumps(document), encoding="utf-8")
    assert run_cli("resolve", "validate", FILE, CHANGES).status == 0
    moved = run_cli("migrate", config, "--resolutions", FILE, "--changes-file", CHANGES, "--live")
    assert moved.status == 0, moved.stdout + moved.stderr
    times = "SELECT changed FROM film UNION ALL SELECT changed FROM shelf UNION ALL SELECT due FROM loan"
    async with pair.new.connect() as conn:
        rows = await conn.fetch(f"SELECT DISTINCT t.changed AT TIME ZONE 'UTC' AS at FROM ({times}) AS t")
    assert [str(row["at"]) for row in rows] == ["2020-02-02 03:00:00"]

    again = run_cli("resolve", "generate", CHANGES)
    assert "Nothing is open" in again.stdout


async def test_one_answer_holds_for_columns_that_are_renamed(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(OLD_RENAMED, NEW_RENAMED, template=False)
    config = pair.config(tmp_path)
    run_cli("analyze", config)
    run_cli("resolve", "generate", CHANGES)
    path = tmp_path / FILE
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    (pattern,) = document["for_all"]
    assert (
        "columns, where the answer to their own question is 'rename': actor.last_update"
        in (pattern["_evidence"])
    )
    assert "not covered, since their times are asked about by themselves: shelf.day" in pattern["_evidence"]
    (renamed,), (day,) = document["resolutions"]["actor"], document["resolutions"]["shelf"]
    assert renamed["_suggestion"]["action"] == "rename"
    assert day["action"] == "SPECIFY_ACTION"
    assert not [line for line in renamed["_evidence"] if "AT TIME ZONE" in line]

    pattern |= {"action": "transform", "transform_sql": "old.{old_column} AT TIME ZONE 'UTC'"}
    renamed |= {"action": "rename"}
    day |= {"action": "transform", "transform_sql": "CAST(old.day AS timestamp) AT TIME ZONE 'UTC'"}
    assert day["transform_sql"] in " ".join(day["_evidence"])
    path.write_text(json.dumps(document), encoding="utf-8")
    checked = run_cli("resolve", "validate", FILE, CHANGES)
    assert checked.status == 0, checked.stdout
    moved = run_cli("migrate", config, "--resolutions", FILE, "--changes-file", CHANGES, "--live")
    assert moved.status == 0, moved.stdout + moved.stderr
    times = "SELECT at FROM film UNION ALL SELECT updated_at FROM actor UNION ALL SELECT day FROM shelf"
    async with pair.new.connect() as conn:
        rows = await conn.fetch(f"SELECT DISTINCT t.at AT TIME ZONE 'UTC' AS at FROM ({times}) AS t")
    assert [str(row["at"]) for row in rows] == ["2020-02-02 00:00:00"]


async def test_a_rename_found_after_the_answer_takes_it(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(OLD_RENAMED, NEW_RENAMED, template=False)
    run_cli("analyze", pair.config(tmp_path))
    answered = {"tables": "*", "when": "timestamp -> timestamptz", "action": "transform"}
    (tmp_path / FILE).write_text(json.dumps({"for_all": [answered], "resolutions": {}}), encoding="utf-8")
    run_cli("resolve", "generate", CHANGES)
    document = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    assert len(document["for_all"]) == 1
    assert document["resolutions"]["actor"][0]["_suggestion"]["action"] == "rename"
