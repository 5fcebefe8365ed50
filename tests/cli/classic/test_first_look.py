"""What a person who tries the tool for the first time stumbles over."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable

import pytest

from support import ROOT, run_python
from support.desk import Desk

DeskOf = Callable[[str, str], Desk]

OLD = """
CREATE TABLE t (id int PRIMARY KEY, kind text, gone text);
INSERT INTO t VALUES (1, 'hidden-one', 'hidden-three'), (2, 'hidden-two', 'hidden-three');
"""
NEW = "CREATE TYPE sort AS ENUM ('hidden_one', 'other'); CREATE TABLE t (id int PRIMARY KEY, kind sort)"


def test_questions_show_no_values(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    assert desk.type("tranship analyze config/my-config.json").status == 0
    line = "tranship resolve generate results/migration_changes.json --fresh"
    for way in ("", " --format json"):
        told = desk.type(line + way)
        assert told.status == 0, told
        assert "hidden-" not in told.stdout + told.stderr
        assert "hidden-three" in desk.type(f"{line} --show-values{way}").stdout
    assert "hidden-three" in desk.read("results/manual_resolutions.json")


def test_questions_as_json(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    desk.type("tranship analyze config/my-config.json")
    told = json.loads(
        desk.type("tranship resolve generate results/migration_changes.json --format json").stdout
    )["result"]
    assert told["resolutions_file"] == "results/manual_resolutions.json"
    assert [question["number"] for question in told["questions"]] == [1, 2]
    assert told["missing_lookups_file"] is None


def test_purge_takes_the_journal_alone(desk_of: DeskOf) -> None:
    desk = desk_of(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)",
        "CREATE TABLE t (id int PRIMARY KEY); CREATE SCHEMA app",
    )
    desk.config(journal_schema="app")
    assert desk.type("tranship migrate config/my-config.json --live").status == 0
    desk.run_new("CREATE TABLE app.precious AS SELECT 1 AS one")
    told = desk.type("tranship purge config/my-config.json")
    assert told.status == 0, told
    assert desk.new("SELECT relname::text FROM pg_class WHERE relnamespace = 'app'::regnamespace") == [
        ("precious",)
    ]


def test_a_schema_of_others_is_no_journal(desk_of: DeskOf) -> None:
    desk = desk_of(
        "CREATE TABLE t (id int)", "CREATE TABLE t (id int); CREATE SCHEMA app; CREATE TABLE app.run (x int)"
    )
    desk.config(journal_schema="app")
    for mode in ("", " --live"):
        told = desk.type(f"tranship migrate config/my-config.json{mode}")
        assert told.status == 3, told
        assert (
            "TS372 the journal schema app of NEW holds what is no journal: run\n" in told.stdout + told.stderr
        )
    for line in ("status", "doctor", "purge"):
        assert desk.type(f"tranship {line} config/my-config.json").status == 0
    desk.config(journal_schema="public")
    told = desk.type("tranship analyze config/my-config.json")
    assert told.status == 2
    assert "$.journal_schema: 'public' is a schema of the data" in told.stderr


def test_purge_in_a_schema_made_for_the_journal(desk_of: DeskOf) -> None:
    """The role that fills NEW owns neither the database nor the schema."""
    desk = desk_of(
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1)",
        "CREATE TABLE t (id int); CREATE ROLE filler LOGIN PASSWORD 'x'; GRANT SELECT, INSERT ON t TO filler;"
        "CREATE SCHEMA _tranship; GRANT USAGE, CREATE ON SCHEMA _tranship TO filler",
    )
    desk.config(new={"username": "filler", "password": "x"})
    assert desk.type("tranship migrate config/my-config.json --live").status == 0
    told = desk.type("tranship purge config/my-config.json")
    assert told.status == 0, told
    assert desk.new("SELECT count(*) FROM pg_class WHERE relnamespace = '_tranship'::regnamespace") == [(0,)]


def test_a_changes_file_of_another_version(desk_of: DeskOf) -> None:
    desk = desk_of("CREATE TABLE t (id int)", "CREATE TABLE t (id int)")
    desk.type("tranship analyze config/my-config.json")
    desk.write(
        "results/migration_changes.json",
        {**desk.json("results/migration_changes.json"), "tool_version": "0.0.0"},
    )
    told = desk.type("tranship migrate config/my-config.json --live")
    assert told.status == 2
    assert "run analyze again" in told.stderr


def test_results_that_cannot_be_written(desk_of: DeskOf) -> None:
    """It is found before a row moves: 2 means that nothing was written."""
    desk = desk_of("CREATE TABLE t (id int); INSERT INTO t VALUES (1)", "CREATE TABLE t (id int)")
    told = desk.type("tranship migrate config/my-config.json --live --results-dir config/my-config.json")
    assert told.status == 2
    assert "TS113 cannot write config/my-config.json: a file stands where a folder is needed\n" in told.stderr
    asked = desk.type("tranship analyze config/my-config.json --results-dir config/my-config.json -v")
    assert asked.status == 2
    assert "TS113" in asked.stderr
    assert "ask the data" not in asked.stderr
    assert desk.new("SELECT count(*) FROM t") == [(0,)]


def test_a_dry_run_afterwards_ends_as_the_live_run_would(desk_of: DeskOf) -> None:
    desk = desk_of(
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (NULL)", "CREATE TABLE t (id int NOT NULL)"
    )
    for mode in (" --live", "", " --live"):
        told = desk.type(f"tranship migrate config/my-config.json{mode}")
        assert told.status == 1, told
        assert "Total rows migrated: 1\nTotal rows failed: 1\n" in told.stdout


@pytest.mark.parametrize("name", ["data_migrator", "db_migration_tool", "manual_resolutions"])
def test_a_script_without_libraries_says_one_sentence(name: str) -> None:
    """Python's -S hides what is installed."""
    told = run_python("-S", str(ROOT / "scripts" / f"{name}.py"), "x.json", cwd=ROOT)
    assert told.status == 2
    assert told.stdout == ""
    assert re.fullmatch(r"libraries that tranship needs are missing \(.*msgspec.*\): run .*\n", told.stderr)


def test_the_scripts_know_the_libraries() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = tuple(re.split(r"[^a-z0-9]", line)[0] for line in project["dependencies"])
    for path in (ROOT / "scripts").glob("*.py"):
        assert f"LIBRARIES = {json.dumps(needed).replace('[', '(').replace(']', ')')}" in path.read_text(
            encoding="utf-8"
        )


def test_the_next_command_can_be_typed(desk_of: DeskOf) -> None:
    """Without a changes file it begins with the one that makes it; the folder is named
    where it is another.
    """
    desk = desk_of(OLD, NEW)
    line = "python scripts/data_migrator.py config/my-config.json --prefix p --results-dir out"
    told = desk.type(line)
    assert told.status == 3
    analyze = "python scripts/db_migration_tool.py config/my-config.json --prefix p --results-dir out"
    generate = (
        "python scripts/manual_resolutions.py generate out/p_migration_changes.json --prefix"
        " p --results-dir out"
    )
    assert told.stderr.endswith(f": {analyze}, then {generate}\n")
    assert desk.type(analyze).status == 0
    assert desk.type(line).stderr.endswith(f"suggestions: {generate}\n")
    assert desk.type(generate).status == 0


def test_the_journal_of_another_role_is_named_with_its_owner(desk_of: DeskOf) -> None:
    """A superuser ran once; the role that the next person uses may not read what he left."""
    desk = desk_of(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)",
        "CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE second LOGIN PASSWORD 'x';"
        "GRANT SELECT, INSERT ON t TO second",
    )
    assert desk.type("tranship migrate config/my-config.json --live").status == 0
    desk.config(new={"username": "second", "password": "x"})
    for line in ("migrate", "migrate --live", "status", "verify", "doctor", "ping"):
        command, _, option = line.partition(" ")
        told = desk.type(f"tranship {command} config/my-config.json {option}")
        assert told.status == 3, (line, told)
        said = told.stdout + told.stderr
        assert "TS367 the journal schema _tranship in NEW belongs to " in said, line
        assert "permission denied" not in said
    assert 'GRANT SELECT ON ALL TABLES IN SCHEMA "_tranship" TO "second"' in told.stdout + told.stderr
    desk.run_new(
        'GRANT USAGE ON SCHEMA "_tranship" TO "second"; GRANT SELECT ON ALL TABLES IN SCHEMA "_tranship" TO "second"'
    )
    assert desk.type("tranship status config/my-config.json").status == 0
    assert desk.type("tranship verify config/my-config.json").status == 0
    told = desk.type("tranship migrate config/my-config.json --live")
    assert told.status in (0, 3), told
    assert "permission denied" not in told.stdout + told.stderr
