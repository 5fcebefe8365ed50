"""Each answer of ``resolve edit`` is checked where it is given, and what was typed before is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.cli.test_editing import Edit, editing

OLD = "t(id int pk, fax text, state text, sums numeric)"
NEW = "t(id int pk, state int, phone text)"


@pytest.fixture
def edit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Edit:
    return editing(tmp_path, capsys, OLD, NEW)


def _before(said: str, first: str, then: str) -> bool:
    return -1 < said.find(first) < said.find(then)


def test_a_wrong_value_of_a_mapping_is_asked_for_alone(edit: Edit, tmp_path: Path) -> None:
    said = edit("3", '{"on": 1, "off": "zero"}', "nought", "0", "why", "q")
    assert "'zero' is no value of type integer" in said, said
    assert said.count("value_mapping (") == 1, said
    assert said.count("new value for 'off'") == 2, said
    assert _before(said, "'zero' is no value", "because"), said
    (file,) = tmp_path.glob("*manual_resolutions.json")
    assert '"on": 1' in file.read_text() and '"off": "0"' in file.read_text()


@pytest.mark.parametrize(
    ("lines", "refused", "prompt"),
    [
        (("3", "{}", '{"on": 1}', "why"), "TS324", "value_mapping ("),
        (
            ("4", '{"table": "towns"}', '{"table": "t", "key_column": "id", "value_column": "id"}', ""),
            "TS320",
            "lookup_table (",
        ),
        (("j", '{"action": "no"}', '{"action": "ignore"}', ""), "TS32", "fields as JSON: "),
        (("e", "{x}", "1", ""), "TS324", "transform_sql ("),
    ],
)
def test_a_wrong_answer_is_refused_before_why_is_asked(
    edit: Edit, lines: tuple[str, ...], refused: str, prompt: str
) -> None:
    said = edit(*lines, "q")
    assert said.count(refused) >= 1 and _before(said, refused, "because"), said
    assert said.count(prompt) == 2 and said.count("because") == 1, said
    assert "✓ saved" in said, said


def test_a_wrong_column_is_asked_for_before_the_expression(edit: Edit) -> None:
    said = edit("s", "4", "phon", "phone", "old.fax", "", "q")
    assert "TS322" in said and _before(said, "TS322", "transform_sql ("), said
    assert said.count("new_column (") == 2 and said.count("transform_sql (") == 1, said
    assert "✓ saved" in said, said


def test_a_choice_that_does_not_fit_is_refused_before_why_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = editing(tmp_path, capsys, OLD, NEW)("j", '{"action": "drop_table"}', "b", "q")
    assert "because" not in said and "TS324" in said, said


def test_what_a_suggestion_leaves_open_is_checked_where_it_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit = editing(tmp_path, capsys, "t(id int pk)", "t(id int pk, size int!)")
    said = edit("1", "big", "3", "", "q")
    assert "'big' is no value of type integer" in said and "✓ saved" in said, said


def test_a_question_that_comes_again_has_the_same_numbers(edit: Edit) -> None:
    """An answer may take a choice away or bring one: what stays keeps its number."""
    said = edit("s", "3", "state", "", "b", "q")
    shown = [part.splitlines() for part in said.split("[t] Column 'fax' ")[1:]]
    first, again = (_numbers(lines) for lines in shown)
    assert first["convert"] == "3" and first["expression"] == "4", said
    assert {name: number for name, number in again.items() if name in first}.items() <= first.items(), said
    assert again["lookup"] == "6" and [*again.values()] == sorted(again.values()), said


def test_the_number_that_is_shown_is_the_one_that_is_taken(edit: Edit) -> None:
    said = edit("s", "3", "state", "", "b", "4", "1", "", "b", "1", "", "q")
    assert said.count("transform_sql (") == 1, said
    assert said.count("✓ saved") == 3, said


def _numbers(lines: list[str]) -> dict[str, str]:
    """The names of the choices of a question with their numbers."""
    words = [line.replace(":", "").split() for line in lines if line.startswith("  ")]
    return {name: number for number, name, *_ in words if number.isdecimal()}
