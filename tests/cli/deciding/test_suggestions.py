"""``resolve edit`` offers the whole suggestions of a file beside its questions, and decides none by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from support import CliResult
from support.desk import CONFIG, Desk
from support.editing import CHANGES, EDIT, ENVIRONMENT, RESOLUTIONS, asked, edit

OLD = """
CREATE TABLE member (id int PRIMARY KEY, login text, bio text, born date);
INSERT INTO member VALUES (1, 'ada', 'math', '1815-12-10'), (2, 'bob', NULL, NULL);
CREATE TABLE post (id int PRIMARY KEY, deleted_at timestamp, "ta\u202egs" text);
INSERT INTO post VALUES (1, NULL, 'x'), (2, '2024-01-01', 'y');
"""
NEW = """
CREATE TABLE member (id int PRIMARY KEY, login text);
CREATE TABLE profile (member_id int PRIMARY KEY REFERENCES member, bio text, born date);
CREATE TABLE post (id int PRIMARY KEY, "ta\u202egs" text);
"""


@pytest.fixture
def desk(desk_of: Callable[[str, str], Desk]) -> Desk:
    """A desk with two suggestions and the questions that they answer."""
    return asked(desk_of, OLD, NEW)


def shown(said: CliResult) -> list[str]:
    """The first lines of what was gone through."""
    return [line for line in said.stdout.splitlines() if " of " in line and ". [" in line]


def decisions(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """The decided entries by key."""
    found: dict[str, list[dict[str, Any]]] = desk.json(RESOLUTIONS)["resolutions"]
    return {key: [entry for entry in own if "_decided" in entry] for key, own in found.items()}


def test_suggestions_come_before_the_questions_of_their_tables_and_none_is_taken(desk: Desk) -> None:
    before = desk.read(RESOLUTIONS)
    said = edit(desk, *["s"] * 10)
    assert shown(said) == [
        "1 of 5. [member] Suggestion: Do columns of 'member' fill 'profile'?",
        "2 of 5. [member] Column 'bio' only exists in old DB",
        "3 of 5. [member] Column 'born' only exists in old DB",
        "4 of 5. [post] Suggestion: Do only rows move that 'deleted_at' of 'post' does not mark?",
        "5 of 5. [post] Column 'deleted_at' only exists in old DB",
    ], said
    assert "has columns of their names: 'bio', 'born'" in said.stdout
    wanted = '"member -> profile": {"action": "transform", "old_column": "id", "new_column": "member_id"}'
    assert wanted in said.stdout
    assert (said.status, desk.read(RESOLUTIONS)) == (1, before)
    assert "\u202e" not in said.stdout


def test_accepted_ones_answer_the_questions_and_keep_the_rest_of_the_file(desk: Desk) -> None:
    text = desk.read(RESOLUTIONS)
    marked = text.replace('"resolutions": {\n', '"resolutions": {   // decided on Monday\n', 2)
    (desk.folder / RESOLUTIONS).write_text(marked, encoding="utf-8")
    said = edit(desk, "a", "a", more=("--as", "Bob"))
    assert len(shown(said)) == 2, "nothing is asked that they answer"
    for number in (2, 3, 5):
        assert f"{number} of 5 is answered by another decision: [" in said.stdout
    assert (said.status, said.stdout.count("✓ saved")) == (0, 2), said
    assert (
        "2 answers saved" in said.stdout
        and "Every question is answered. Next: tranship migrate" in said.stdout
    )
    after = desk.read(RESOLUTIONS)
    assert after.count("   // decided on Monday") == 2
    (desk.folder / RESOLUTIONS).write_text(after.replace("   // decided on Monday", ""), encoding="utf-8")
    found = decisions(desk)
    (flow,) = found["member -> profile"]
    assert flow["_decided"]["by"] == "Bob" and flow["_decided"]["how"] == "suggestion"
    ignored, kept = found["post"]
    assert (ignored["action"], ignored["description"]) == (
        "ignore",
        "Column 'deleted_at' only exists in old DB",
    )
    assert (kept["action"], kept["children"]) == ("filter", "leave_out")
    check = desk.type(f"tranship resolve validate {RESOLUTIONS} {CHANGES}")
    assert check.status == 0, check
    moved = desk.type(f"tranship migrate {CONFIG} --prefix my --resolutions {RESOLUTIONS} --live")
    assert moved.status == 0, moved
    assert desk.new("SELECT count(*), max(born)::text FROM profile") == [(2, "1815-12-10")]
    assert desk.new("SELECT id FROM post") == [(1,)]
    assert "Nothing is open" in edit(desk).stdout


def test_undo_brings_the_file_back_as_it_was(desk: Desk) -> None:
    before = desk.read(RESOLUTIONS)
    said = edit(desk, "a", "b", "u", "q")
    assert "accepted: Ann, " in said.stdout and "u undo" in said.stdout, said
    assert "0 answers saved" in said.stdout
    assert desk.read(RESOLUTIONS) == before
    # Another day, by another person: what was accepted is shown with --all.
    edit(desk, "a", "a")
    said = edit(desk, "s", "u", "s", "s", "s", "u", more=("--all", "--as", "Bob"))
    assert said.stdout.count("✓ saved") == 2, said
    assert desk.read(RESOLUTIONS) == before


def test_what_a_person_decided_is_not_overwritten(desk: Desk) -> None:
    answered = edit(
        desk, "s", "s", "s", "s", "j", '{"action": "ignore", "old_column": "deleted_at"}', "as agreed"
    )
    assert "1 answer saved" in answered.stdout, answered
    changed = desk.json(RESOLUTIONS)
    changed["_suggestions"][0]["resolutions"]["member -> profile"][0]["old_column"] = "nobody"
    desk.write(RESOLUTIONS, changed)
    before = desk.read(RESOLUTIONS)
    said = edit(desk, "a", "s", "s", "s", "a")
    assert "nobody" in said.stdout and "Nothing was saved." in said.stdout, said
    assert "1 answer saved" in said.stdout, "the filter goes with the decision that is there"
    (ignored, kept) = decisions(desk)["post"]
    assert (ignored["because"], kept["action"]) == ("as agreed", "filter")
    edit(desk, "s", "s", "s", "u", more=("--all",))
    assert json.loads(before) == desk.json(RESOLUTIONS)


def test_values_that_a_suggestion_leaves_open_are_asked_for(desk: Desk) -> None:
    changed = desk.json(RESOLUTIONS)
    filled = [
        {"action": "filter", "where": "old.id > 0"},
        {
            "action": "transform",
            "old_columns": ["id"],
            "new_column": "SPECIFY_NEW_COLUMN_NAME",
            "transform_sql": "old.id",
        },
    ]
    changed["_suggestions"][0]["resolutions"] = {"member -> profile": filled}
    # What is no suggestion is passed over.
    changed["_suggestions"] += [1, {}, {"question": 3}, {"question": "x", "resolutions": [1]}]
    desk.write(RESOLUTIONS, changed)
    said = edit(desk, "a", "", "a", "member_i", "member_id", "q")
    assert said.stdout.count("new_column: ") == 3, said
    assert "did you mean 'member_id'?" in said.stdout and "1 answer saved" in said.stdout
    kept, filled_in = decisions(desk)["member -> profile"]
    assert (kept["where"], filled_in["new_column"]) == ("old.id > 0", "member_id")


def test_somebody_elses_answer_is_kept(desk: Desk) -> None:
    with subprocess.Popen(
        [sys.executable, *EDIT],
        cwd=desk.folder,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as mine:
        assert mine.stdin is not None and mine.stdout is not None
        while (line := mine.stdout.readline()) and not line.startswith("1 of 5"):
            pass
        assert "1 answer saved" in edit(desk, "s", "1", "theirs", "q", more=("--as", "Bob")).stdout
        mine.stdin.write("a\na\n")
        mine.stdin.close()
        said = mine.stdout.read()
    assert "TS140" in said and "by Bob" in said and "1 answer saved" in said
    assert {entry["_decided"]["by"] for own in decisions(desk).values() for entry in own} == {"Ann", "Bob"}


def test_the_next_generate_keeps_what_was_accepted_and_suggests_the_rest(desk: Desk) -> None:
    assert "1 answer saved" in edit(desk, "a", "q").stdout
    accepted = decisions(desk)["member -> profile"]
    said = desk.type(f"tranship resolve generate {CHANGES} --prefix my")
    assert said.status == 0 and "To answer them one by one: tranship resolve edit" in said.stdout, said
    assert decisions(desk)["member -> profile"] == accepted
    (left,) = desk.json(RESOLUTIONS)["_suggestions"]
    assert left["question"] == "Do only rows move that 'deleted_at' of 'post' does not mark?"
    assert shown(edit(desk, "a")) == [f"1 of 2. [post] Suggestion: {left['question']}"]
    assert "Nothing is open" in edit(desk).stdout


WRITTEN_OLD = """
CREATE TABLE person (id int PRIMARY KEY, mail text NOT NULL);
INSERT INTO person VALUES (1, 'Ada@x.org'), (2, 'bob@x.org');
"""
WRITTEN_NEW = "CREATE TABLE person (id int PRIMARY KEY, mail text NOT NULL CHECK (mail = lower(mail)))"
IN_ONE_WAY = "Is 'mail' of 'person' written in one way?"


@pytest.mark.parametrize("sql", [None, "upper(old.mail)"], ids=["accepted", "decided otherwise"])
def test_what_the_file_decides_is_not_said_to_be_undecided(
    desk_of: Callable[[str, str], Desk], sql: str | None
) -> None:
    desk = asked(desk_of, WRITTEN_OLD, WRITTEN_NEW)
    if sql is None:
        assert edit(desk, "a").status == 0
    else:
        entry = {"action": "transform", "old_column": "mail", "new_column": "mail", "transform_sql": sql}
        desk.write(RESOLUTIONS, desk.json(RESOLUTIONS) | {"resolutions": {"person": [entry]}})
    again = desk.type(f"tranship resolve generate {CHANGES} --prefix my")
    assert IN_ONE_WAY not in again.stdout and "Nothing is open" in again.stdout, again
    assert "resolve edit" not in again.stdout, "there is nothing to answer"
    assert [one["question"] for one in desk.json(RESOLUTIONS)["_suggestions"]] == [IN_ONE_WAY]
    assert "Nothing is open" in edit(desk).stdout
    # It stands there still, for a person who thinks otherwise later.
    assert IN_ONE_WAY in edit(desk, more=("--all",)).stdout


def test_analyze_says_what_the_file_leaves_of_the_questions(desk: Desk) -> None:
    analyze = f"tranship analyze {CONFIG} --prefix my"
    assert (
        "3 questions need an answer before anything can be moved: results/my_manual"
        in desk.type(analyze).stdout
    )
    edit(desk, "a", "q")
    some = desk.type(analyze).stdout
    assert f"1 question needs an answer before anything can be moved: {RESOLUTIONS} leaves it open." in some
    assert "Next: tranship resolve generate" in some
    edit(desk, "a", "q")
    done = desk.type(analyze)
    assert f"Verdict: {RESOLUTIONS} answers every question about these changes." in done.stdout, done
    assert f"Next: tranship migrate {CONFIG} --prefix my --resolutions {RESOLUTIONS}" in done.stdout
    assert "To decide" not in done.stdout and "what else may become of rows" not in done.stdout
