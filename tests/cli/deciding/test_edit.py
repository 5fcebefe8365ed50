"""``resolve edit``: answering by keyboard, with everything saved at once."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import CliResult
from support.desk import CONFIG, Desk
from support.editing import CHANGES, EDIT, ENVIRONMENT, RESOLUTIONS, asked, edit

OLD = """
CREATE TABLE users (id int PRIMARY KEY, state text, fax bytea, mail text);
INSERT INTO users VALUES (1, 'A', 'f', 'A@x'), (2, 'B', NULL, 'B@x');
CREATE TABLE scratch (line text); INSERT INTO scratch VALUES ('x');
"""
NEW = """
CREATE TYPE state AS ENUM ('on', 'off');
CREATE TABLE users (id int PRIMARY KEY, state state, mail text, origin date NOT NULL);
"""


@pytest.fixture
def desk(desk_of: Callable[[str, str], Desk]) -> Desk:
    """A desk with open questions."""
    return asked(desk_of, OLD, NEW)


def entries(desk: Desk) -> dict[str, dict[str, Any]]:
    """By the column (or table) that each entry is about."""
    found = desk.json(RESOLUTIONS)["resolutions"]
    return {
        entry.get("old_column") or entry.get("new_column") or key: entry
        for key, own in found.items()
        for entry in own
    }


def test_every_question_is_answered_and_the_file_is_valid(desk: Desk) -> None:
    said = edit(desk, *["s"] * 10)
    order = [line for line in said.stdout.splitlines() if " of " in line and "[" in line]
    assert len(order) == 4, said
    typed: list[str] = []
    for line in order:
        if "'scratch'" in line or "[scratch]" in line:
            typed += ["1", "not needed"]
        elif "fax" in line:
            typed += ["1", ""]
        elif "origin" in line:
            typed += ["1", "2020-01-01", ""]
        else:
            typed += ["e", "CASE old.state WHEN 'A' THEN 'on' ELSE 'off' END", "as the forms have it"]
    said = edit(desk, *typed)
    assert said.status == 0, said
    assert "4 answers saved" in said.stdout
    assert "Every question is answered. Next: tranship migrate config" in said.stdout
    found = entries(desk)
    assert found["scratch"]["action"] == "drop_table"
    assert found["scratch"]["because"] == "not needed"
    assert found["fax"]["action"] == "ignore" and "new_column" not in found["fax"]
    assert (found["origin"]["action"], found["origin"]["default_value"]) == ("default", "2020-01-01")
    assert found["state"]["transform_sql"].startswith("CASE")
    assert found["state"]["_decided"]["by"] == "Ann" and found["state"]["_decided"]["how"] == "expression"
    assert "\x1b" not in said.stdout, "no colours and no cursor"
    check = desk.type(f"tranship resolve validate {RESOLUTIONS} {CHANGES}")
    assert check.status == 0, check
    moved = desk.type(f"tranship migrate {CONFIG} --prefix my --resolutions {RESOLUTIONS} --live")
    assert moved.status == 0, moved
    assert "Nothing is open" in edit(desk).stdout
    reviewed = edit(desk, "b", "q", more=("--all",)).stdout
    assert "(Ann, " in reviewed


def test_wrong_answers_are_told_and_not_saved(desk: Desk) -> None:
    before = desk.read(RESOLUTIONS)
    said = edit(desk, "x", "99", "j", "{", "j", "[1]", "j", '{"action": "ignor", "old_column": "fax"}', "")
    assert said.status == 1
    assert "'x' is no answer here" in said.stdout
    assert "not JSON" in said.stdout
    assert "An object is expected" in said.stdout
    assert "did you mean 'ignore'?" in said.stdout and "Nothing was saved" in said.stdout
    assert desk.read(RESOLUTIONS) == before


def test_back_leads_to_an_answered_question_and_quit_ends(desk: Desk) -> None:
    said = edit(desk, "1", "", "b", "q", "1")
    shown = [line.split(".")[0] for line in said.stdout.splitlines() if " of 4." in line]
    assert shown[:3] == ["1 of 4", "2 of 4", "1 of 4"], said
    assert "answered:" in said.stdout
    assert "1 answer saved" in said.stdout


def test_a_question_that_is_answered_twice_counts_once(desk: Desk) -> None:
    said = edit(desk, "1", "", "b", "1", "better said")
    assert said.stdout.count("✓ saved") == 2, said
    assert "1 answer saved" in said.stdout


def test_a_suggestion_is_accepted_with_one_key(desk: Desk) -> None:
    assert entries(desk)["scratch"]["_suggestion"]["action"] == "drop_table"
    said = edit(desk, "a")
    assert "1 answer saved" in said.stdout, said
    found = entries(desk)["scratch"]
    assert found["action"] == "drop_table"
    assert found["_decided"]["how"] == "suggestion"


def test_a_suggestion_with_a_placeholder_is_not_an_answer(desk_of: Callable[[str, str], Desk]) -> None:
    desk = desk_of(
        "CREATE TABLE t (id int, state text); INSERT INTO t SELECT n, (ARRAY['on','off','gone'])[1 + n % 3]"
        " FROM generate_series(1, 30) n;",
        "CREATE TYPE state AS ENUM ('on', 'off'); CREATE TABLE t (id int, state state);",
    )
    desk.config()
    desk.type(f"tranship analyze {CONFIG} --prefix my")
    desk.type(f"tranship resolve generate {CHANGES} --prefix my")
    before = desk.read(RESOLUTIONS)
    said = edit(desk, "a")
    assert "new value for 'gone' (empty: its rows are rejected; one of: on, off): " in said.stdout, said
    assert "0 answers saved" in said.stdout
    assert desk.read(RESOLUTIONS) == before
    (typed,) = [
        line for line in (edit(desk, "a", "of").stdout.splitlines()) if "TS3" in line or "saved" in line
    ][:1]
    assert typed
    assert "1 answer saved" in edit(desk, "a", "off", more=("--all",)).stdout
    assert entries(desk)["state"]["value_mapping"] == {"on": "on", "off": "off", "gone": "off"}
    assert "1 answer saved" in edit(desk, "a", "", more=("--all",)).stdout
    assert entries(desk)["state"]["value_mapping"] == {"on": "on", "off": "off"}


def test_another_persons_answer_is_kept_and_shown(desk: Desk) -> None:
    """The other one saves while this one looks at the first question."""
    with subprocess.Popen(
        [sys.executable, *EDIT],
        cwd=desk.folder,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as mine:
        assert mine.stdin is not None and mine.stdout is not None
        while (line := mine.stdout.readline()) and not line.startswith("1 of 4"):
            pass
        other = edit(desk, "s", "1", "theirs", "q", more=("--as", "Bob"))
        assert "1 answer saved" in other.stdout, other
        mine.stdin.write("1\nmine\n1\nmine\n")
        mine.stdin.close()
        said = mine.stdout.read()
    assert "TS140" in said and "by Bob" in said
    assert "1 answer saved" in said
    whose = {
        entry["because"]: entry["_decided"]["by"] for entry in entries(desk).values() if "because" in entry
    }
    assert whose.get("mine") == "Ann" and len(whose) == 2, whose


def test_ctrl_c_loses_nothing(desk: Desk) -> None:
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, *EDIT],
        cwd=desk.folder,
        env=ENVIRONMENT,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        # A shell has the processes that it starts in the background ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        os.close(terminal)
        assert process.stdout is not None and process.stderr is not None
        os.write(controller, b"1\n\n")
        while (line := process.stdout.readline()) and "saved" not in line:
            pass
        # A signal between the answer and the next read is seen only after that read: a person presses once more.
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
        said = process.stderr.read()
    os.close(controller)
    assert process.returncode == 130
    assert "1 answer is saved" in said
    assert sum("_decided" in entry for entry in entries(desk).values()) == 1


def test_the_file_is_named_that_is_missing(tmp_path: Path, invoke: Callable[..., CliResult]) -> None:
    said = invoke("resolve", "edit", "nowhere.json", "changes.json")
    assert said.status == 2
    assert "TS102" in said.stderr


GRADES = (
    "CREATE TABLE t (id int PRIMARY KEY, grade text, town text);"
    " INSERT INTO t SELECT n, (ARRAY['q','on','gone','lost'])[1 + n % 4], 'X' FROM generate_series(1, 40) n;",
    "CREATE TYPE grade AS ENUM ('on', 'off', 'q'); CREATE TABLE towns (id int PRIMARY KEY, name text);"
    " CREATE TABLE t (id int PRIMARY KEY, grade grade NOT NULL, town uuid);",
)


@pytest.fixture
def grades(desk_of: Callable[[str, str], Desk]) -> Desk:
    """A desk whose first question suggests a mapping that leaves two values open."""
    return asked(desk_of, *GRADES)


def test_values_of_the_new_column_are_named_before_anything_is_typed(grades: Desk) -> None:
    said = edit(grades, "3", "", "q").stdout
    assert (
        'value_mapping (old value to new value, for example {"A": 1, "B": 2}; each new value is one of: on, off, q)'
        in said
    )
    said = edit(grades, "a", "of").stdout
    assert (
        "new value for 'gone' (empty: its rows are rejected; one of: on, off, q): 'of' is no value of type public.grade, but one of: on, off, q"
        in said
    )


def test_a_mapping_can_be_gone_back_in_and_quit(grades: Desk) -> None:
    before = grades.read(RESOLUTIONS)
    said = edit(grades, "a", "off", "b", "on", "quit", "a").stdout
    assert [word for word in ("gone", "lost") if said.count(f"new value for '{word}'") == 2] == [
        "gone",
        "lost",
    ]
    assert "0 answers saved" in said
    assert grades.read(RESOLUTIONS) == before
    said = edit(grades, "a", "b", "q").stdout
    assert said.count("1 of ") == 2, "the question is shown again"
    assert grades.read(RESOLUTIONS) == before


def test_a_letter_that_is_a_value_of_the_column_is_a_value(grades: Desk) -> None:
    assert "1 answer saved" in edit(grades, "a", "off", "q").stdout
    assert entries(grades)["grade"]["value_mapping"] == {"on": "on", "q": "q", "gone": "off", "lost": "q"}


def test_fields_can_be_gone_back_from_and_quit(desk: Desk) -> None:
    before = desk.read(RESOLUTIONS)
    for field in ("q", "quit", "b", "back"):
        said = edit(desk, "e" if field != "b" else "j", field, "q").stdout
        assert "0 answers saved" in said, said
    said = edit(desk, "1", "q").stdout
    assert "because (may be empty): " in said and "0 answers saved" in said
    assert desk.read(RESOLUTIONS) == before
    assert "1 answer saved" in edit(desk, "1", "=q").stdout
    assert "q" in {entry.get("because") for entry in entries(desk).values()}


def test_a_key_is_no_reason(desk: Desk) -> None:
    before = desk.read(RESOLUTIONS)
    for word in ("s", "skip"):
        said = edit(desk, "1", word, "q").stdout
        assert "Skipped: nothing is saved" in said and "0 answers saved" in said, said
        assert "\n2 of " in said, "the next question is shown"
    said = edit(desk, "1", "?", "b", "q").stdout
    assert "s skip · b back · q quit · ? help" in said and said.count("because (") == 2
    assert desk.read(RESOLUTIONS) == before
    assert "1 answer saved" in edit(desk, "1", "=s").stdout
    assert "s" in {entry.get("because") for entry in entries(desk).values()}


def test_a_lookup_that_is_no_json_is_asked_again_with_an_example(grades: Desk) -> None:
    shown = edit(grades, "s", "q").stdout
    number = next(line.split()[0] for line in shown.splitlines() if " lookup (" in line)
    said = edit(grades, number, "towns", "[1]", "", "q").stdout
    example = 'for example {"table": "towns", "key_column": "name", "value_column": "id"}'
    assert f"Write it as JSON, {example}" in said
    assert f"An object is expected, {example}" in said
    assert said.count("lookup_table (") == 3, said


def test_leaving_a_column_behind_is_not_offered_where_the_new_one_needs_a_value(grades: Desk) -> None:
    first, second = edit(grades, "s", "q").stdout.split("\n2 of ")
    assert "'grade'" in first and "leave behind" not in first
    assert "'town'" in second and "leave behind" in second


def test_a_value_that_the_new_type_does_not_take_is_asked_for_again(
    desk_of: Callable[[str, str], Desk],
) -> None:
    desk = asked(
        desk_of,
        "CREATE TABLE t (id int PRIMARY KEY, size text); INSERT INTO t VALUES (1, 'S'), (2, 'L');",
        "CREATE TABLE t (id int PRIMARY KEY, size int, depth int NOT NULL);",
    )
    said = edit(desk, "a", "1", "big", "2", "1", "deep", "3", "").stdout
    assert " (empty: its rows are rejected; integer): 'big' is no value of type integer\n" in said
    assert (
        "default_value (the constant; each new value is of type integer): 'deep' is no value of type integer\n"
        in said
    )
    assert "2 answers saved" in said
    assert set(entries(desk)["size"]["value_mapping"].values()) == {"1", "2"}
