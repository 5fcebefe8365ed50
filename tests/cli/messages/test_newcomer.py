"""What a person who moves a database for the first time reads, where something is not yet as it should be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.desk import Desk

DeskOf = Callable[[str, str], Desk]

OLD = """
CREATE TABLE users (id int PRIMARY KEY, state text, seen timestamp, born timestamp);
INSERT INTO users VALUES (1, 'on', '2024-01-01', '2020-01-01'), (2, 'gone', '2024-01-02', '2020-01-01');
"""
NEW = """
CREATE TYPE state AS ENUM ('on', 'off');
CREATE TABLE users (id int PRIMARY KEY, state state, seen timestamptz, born timestamptz);
"""
CHANGES, RESOLUTIONS = "results/my_migration_changes.json", "results/my_manual_resolutions.json"
CONFIG = "config/my-config.json"


def asked(desk: Desk) -> str:
    """Compares and writes the questions; returns what that printed."""
    assert desk.type(f"tranship analyze {CONFIG} --prefix my").status == 0
    return desk.type(f"tranship resolve generate {CHANGES} --prefix my").stdout


def test_the_next_command_has_the_prefix_of_the_files(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    migrate = f"tranship migrate {CONFIG} --prefix my --resolutions {RESOLUTIONS}\n"
    assert f"  {migrate}" in asked(desk)
    desk.write(
        RESOLUTIONS,
        {
            "for_all": [{"tables": "*", "when": "timestamp -> timestamptz", "action": "transform"}],
            "resolutions": {
                "users": [
                    {
                        "action": "transform",
                        "old_column": "state",
                        "new_column": "state",
                        "value_mapping": {"on": "on", "gone": "off"},
                    }
                ]
            },
        },
    )
    said = desk.type(f"tranship resolve validate {RESOLUTIONS} {CHANGES}")
    assert f"every question is answered. Next: {migrate}" in said.stdout, said
    assert desk.type(migrate.strip()).status == 0
    assert list((desk.folder / "results").glob("my_migration_result_dryrun_*.json"))


@pytest.mark.parametrize("folder", ["", "elsewhere/"])
def test_the_next_command_finds_a_changes_file_of_any_name(desk_of: DeskOf, folder: str) -> None:
    desk = desk_of("CREATE TABLE t (id int)", "CREATE TABLE t (id int)")
    assert desk.type(f"tranship analyze {CONFIG} --results-dir {folder or 'results'}").status == 0
    said = desk.type(f"tranship resolve generate {folder or 'results/'}migration_changes.json")
    named = f"--results-dir {folder.rstrip('/')} " if folder else ""
    assert f"tranship migrate {CONFIG} {named}--resolutions results/manual_resolutions.json\n" in said.stdout
    (desk.folder / "results").mkdir(exist_ok=True)
    (desk.folder / (folder or "results/") / "migration_changes.json").rename(desk.folder / "mine.json")
    said = desk.type("tranship resolve generate mine.json --prefix my")
    assert f"tranship migrate {CONFIG} --prefix my --changes-file mine.json --resolutions " in said.stdout


def test_open_questions_of_the_file_that_was_passed_are_answered_in_it(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    asked(desk)
    edit = f"tranship resolve edit {RESOLUTIONS} {CHANGES}"
    said = desk.type(f"tranship resolve validate {RESOLUTIONS} {CHANGES}")
    assert f"1 question is still open. Answer in the file, or one by one: {edit}\n" in said.stdout
    said = desk.type(f"tranship migrate {CONFIG} --prefix my --resolutions {RESOLUTIONS}")
    assert said.status == 3
    assert f"{RESOLUTIONS} leaves them open. Answer its questions: {edit} " in said.stderr


def test_open_questions_of_a_choice_of_tables_name_the_comparison_of_that_choice(desk_of: DeskOf) -> None:
    """A comparison of all tables does not ask them, so writing its questions again would lead nowhere."""
    keys = "CREATE TABLE goods (id int PRIMARY KEY); CREATE TABLE {0} (id int PRIMARY KEY, good int REFERENCES {1});"
    old = f"{keys.format('lines', 'goods')} INSERT INTO goods VALUES (1); INSERT INTO lines VALUES (1, 1)"
    new = "CREATE TABLE wares (id int PRIMARY KEY); CREATE TABLE lines (id int PRIMARY KEY, good int REFERENCES wares)"
    desk = desk_of(old, new)
    asked(desk)
    desk.write("mine.json", {"resolutions": {"goods": [{"action": "rename_table", "new_table": "wares"}]}})
    said = desk.type(f"tranship migrate {CONFIG} --prefix my --resolutions mine.json -t 'line*'")
    assert said.status == 3
    assert f"are written to {RESOLUTIONS} by tranship resolve generate {CHANGES} --prefix my;" in said.stderr
    assert f"after tranship analyze {CONFIG} -t 'line*' --prefix my)" in said.stderr


def test_times_of_a_server_in_utc_are_filled_in_however_many_there_are(desk_of: DeskOf) -> None:
    """A sample of the values is enough: no moment fits the one type and not the other."""
    many = "INSERT INTO users SELECT i, 'on', TIMESTAMP '2024-01-01' + i * INTERVAL '1 min' FROM generate_series(3, 30000) i"
    desk = desk_of(f"{OLD}; {many}", NEW)
    said = asked(desk)
    assert "2 columns of one table: in which time zone" in said
    assert "2 questions: 1 answered by suggestion, 1 open." in said


def test_a_mistake_is_told_without_what_follows_from_it(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    asked(desk)
    wrong = {
        "for_all": [
            {
                "tables": "*",
                "when": "timestamp -> timestamptz",
                "action": "transform",
                "transform_sql": "old.{old_colum} AT TIME ZONE 'UTC'",
            }
        ],
        "resolutions": {"users": [{"action": "transfrom", "old_column": "state", "new_column": "state"}]},
    }
    desk.write(RESOLUTIONS, wrong)
    said = desk.type(f"tranship resolve validate {RESOLUTIONS} {CHANGES}")
    assert "2 problems: correct" in said.stdout, said
    assert "TS301" not in said.stdout
    said = desk.type(f"tranship migrate {CONFIG} --prefix my --resolutions {RESOLUTIONS}")
    assert said.status == 3
    assert "TS324" in said.stderr and "TS323" in said.stderr and "TS301" not in said.stderr


def test_a_new_database_without_tables(desk_of: DeskOf) -> None:
    """tranship moves rows only, which is easily overlooked: it does not ask what becomes of each table."""
    desk = desk_of(OLD, "")
    said = desk.type(f"tranship ping {CONFIG}")
    assert said.status == 2
    assert "TS137 no tables in NEW (schema public, NEW database " in said.stdout
    said = desk.type(f"tranship analyze {CONFIG} --prefix my")
    assert said.status == 0
    assert (
        "Verdict: NEW has no tables in schema public: tranship moves rows and creates no tables.\n"
        in said.stdout
    )
    assert f"Next: create the tables of NEW, then repeat: tranship analyze {CONFIG}" in said.stdout
    said = desk.type(f"tranship migrate {CONFIG} --prefix my")
    assert said.status == 3
    assert (
        "hint: NEW has no tables at all: create the new schema there first, then: tranship analyze"
        in said.stderr
    )


def test_before_the_first_run_there_is_nothing_to_look_at(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    for command in ("verify", "report", "rollback"):
        said = desk.type(f"tranship {command} {CONFIG}")
        assert said.status == 2
        assert "TS130 no live run is on record in NEW\n" in said.stderr
        assert "dry runs and rehearsals leave no record" in said.stderr


def test_a_question_that_the_file_lacks_is_added_by_the_command_that_is_named(desk_of: DeskOf) -> None:
    desk = desk_of("CREATE TABLE t (id int, a text, b text)", "CREATE TABLE t (id int, c text)")
    asked(desk)
    desk.write(RESOLUTIONS, {"resolutions": {"t": [{"action": "ignore", "old_column": "a"}]}})
    said = desk.type(f"tranship resolve validate {RESOLUTIONS} {CHANGES}")
    generate = f"tranship resolve generate {CHANGES} --prefix my"
    assert f"What the file does not name yet (TS301) is added to it by: {generate}\n" in said.stdout, said
    for other in ("mine.json", RESOLUTIONS):
        wrong = [] if other != RESOLUTIONS else [{"action": "drop", "old_column": "b"}]
        desk.write(other, {"resolutions": {"t": [{"action": "ignore", "old_column": "a"}, *wrong]}})
        said = desk.type(f"tranship resolve validate {other} {CHANGES}")
        assert said.status == 1 and "is added to it by" not in said.stdout, said
    desk.write(RESOLUTIONS, {"resolutions": {"t": [{"action": "ignore", "old_column": "a"}]}})
    edited = desk.type(f"tranship resolve edit {RESOLUTIONS} {CHANGES}")
    check = f"tranship resolve validate {RESOLUTIONS} {CHANGES}"
    assert f"0 answers saved in {RESOLUTIONS}. 1 problem left. Next: {check}\n" in edited.stdout, edited
    assert desk.type(generate).status == 0
    added = desk.json(RESOLUTIONS)["resolutions"]["t"]
    assert [entry["old_column"] for entry in added] == ["a", "b"]


def test_what_generate_drops_stays_in_a_file_beside(desk_of: DeskOf) -> None:
    desk = desk_of("CREATE TABLE t (id int, a text)", "CREATE TABLE t (id int)")
    asked(desk)
    text = '{"resolutions": {"tt": [ // mine\n {"action": "ignore", "old_column": "a"}]}}'
    (desk.folder / RESOLUTIONS).write_text(text, encoding="utf-8")
    earlier = "results/my_manual_resolutions_earlier.json"
    said = desk.type(f"tranship resolve generate {CHANGES} --prefix my")
    assert f"The file as it was, with all that is dropped: {earlier}\n" in said.stdout, said
    assert (desk.folder / earlier).read_text(encoding="utf-8") == text
    again = desk.type(f"tranship resolve generate {CHANGES} --prefix my")
    assert "dropped" not in again.stdout, again


def test_nothing_that_is_switched_off_has_no_name_to_accept(desk_of: DeskOf) -> None:
    said = desk_of("CREATE TABLE t (id int)", "CREATE TABLE t (id int)").type(
        f"tranship doctor {CONFIG} --accept t"
    )
    assert said.status == 2
    assert said.stderr == "TS135 nothing is switched off in NEW, 't' neither\n"
