"""Where a person's answer no longer applies, its question is open again, whatever the evidence speaks for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.build import parse_catalog
from tranship.codec import encode, read_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.model.evidence import Evidence
from tranship.planning.deciding.suggest import Suggestions, suggest
from tranship.planning.matching.scope import make_scope

OLD = parse_catalog(
    "t(id int pk, gone text, came timestamp, went timestamp); people(id int pk, name text, mail text)",
    database="old",
)
NEW = parse_catalog(
    "t(id int pk, came timestamptz, went timestamptz); peoples(id int pk, name text, mail text)",
    database="new",
)
FOR_ALL = {"tables": "*", "when": "timestamp -> timestamptz", "action": "transform"}


def _again(folder: Path, **file: object) -> Suggestions:
    path = folder / "r.json"
    path.write_text(json.dumps({"resolutions": {}, **file}), encoding="utf-8")
    return suggest(OLD, NEW, make_scope(OLD, NEW, None)[0], Evidence(), parse_resolutions(read_jsonc(path)))


def _answered(made: Suggestions) -> set[str]:
    return {one.text for one in made.questions if one.answered}


@pytest.mark.parametrize(
    ("file", "about"),
    [
        ({"for_all": [{**FOR_ALL, "transform_sql": "1", "value_mapping": {"a": "b"}}]}, "time zone"),
        ({"resolutions": {"people": [{"action": "rename_table", "new_table": "nowhere"}]}}, "people"),
    ],
)
def test_the_question_of_a_dropped_answer_is_open(
    tmp_path: Path, file: dict[str, object], about: str
) -> None:
    (told,) = (text for text in _answered(_again(tmp_path)) if about in text)
    made = _again(tmp_path, **file)
    assert len(made.dropped) == 1
    assert told not in _answered(made), "it would be filled in without the file"
    (asked,) = (one for one in made.questions if one.text == told)
    assert f"an answer to it was dropped: {made.dropped[0].reason}" in map(str, asked.evidence)
    assert "SPECIFY_ACTION" in encode(made.document).decode()


def test_questions_of_other_columns_are_filled_in_as_before(tmp_path: Path) -> None:
    wrong = {"action": "rename", "old_column": "gone", "new_column": "nowhere"}
    made = _again(tmp_path, resolutions={"t": [wrong]})
    assert len(made.dropped) == 1
    assert _answered(made) == _answered(_again(tmp_path))


def test_a_question_that_is_asked_anew_is_not_said_to_be_settled(tmp_path: Path) -> None:
    """All its columns are in a table of which nobody has said yet what it becomes."""
    old = parse_catalog("people(id int pk, name text, born timestamp, died timestamp)", database="old")
    new = parse_catalog("peoples(id int pk, name text, born timestamptz, died timestamptz)", database="new")
    path = tmp_path / "r.json"

    def again(when: str) -> Suggestions:
        entry = {**FOR_ALL, "when": when, "action": "SPECIFY_ACTION"}
        path.write_text(json.dumps({"resolutions": {}, "for_all": [entry]}), encoding="utf-8")
        file = parse_resolutions(read_jsonc(path))
        return suggest(old, new, make_scope(old, new, None)[0], Evidence(), file)

    made = again("timestamp -> timestamptz")
    assert any("time zone" in one.text for one in made.questions)
    assert made.dropped == ()
    assert [one.reason for one in again("text -> timestamptz").dropped] == ["the question is settled"]
