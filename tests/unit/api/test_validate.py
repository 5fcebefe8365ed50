"""What ``resolve validate`` says of a file as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.changes import changes_of
from tranship import api
from tranship.model.resolution import Problem

ANSWER = {"action": "rename", "old_column": "active", "new_column": "state"}
ASKS = {"action": "default", "new_column": "state", "default_value": "SPECIFY_DEFAULT_VALUE"}


def validate(
    folder: Path,
    old: str,
    new: str,
    entries: Sequence[Mapping[str, object]],
    for_all: Sequence[Mapping[str, object]] = (),
) -> list[Problem]:
    """Returns the problems of entries about the table ``t``; that they name no schemas is not among them."""
    changes, file = changes_of(folder, old, new), folder / "resolutions.json"
    file.write_text(json.dumps({"for_all": for_all, "resolutions": {"t": entries}}), encoding="utf-8")
    return [one for one in api.validate(file, changes) if one.code != "TS341"]


def test_a_placeholder_that_another_entry_answers_is_named_and_is_no_error(tmp_path: Path) -> None:
    old, new = "t(id int pk, active text!)", "t(id int pk, state text!)"
    (said,) = validate(tmp_path, old, new, [ANSWER, ASKS])
    assert (said.code, said.warning) == ("TS316", True)
    assert said.object.startswith("$.resolutions.t[1] (t.state)")
    assert said.message.endswith("they count, and this entry has no effect")
    assert [one.code for one in validate(tmp_path, old, new, [ANSWER])] == []


def test_an_entry_that_asks_or_is_wrong_is_not_said_to_be_answered(tmp_path: Path) -> None:
    old, new = "t(id int pk, active text!)", "t(id int pk, state text!, more text!)"
    more = {**ASKS, "new_column": "more"}
    assert [one.code for one in validate(tmp_path, old, new, [ANSWER, more])] == ["TS330"]
    unknown = {**ASKS, "old_column": "none_such"}
    assert "TS316" not in {one.code for one in validate(tmp_path, old, new, [ANSWER, unknown])}


def test_a_value_of_the_wrong_type_is_the_only_problem(tmp_path: Path) -> None:
    old, new = "t(id int pk, active text!)", "t(id int pk, state text!)"
    wrong = {"action": "default", "new_column": "state", "default_value": [1]}
    gone = {"action": "ignore", "old_column": "active"}
    (said,) = validate(tmp_path, old, new, [gone, wrong])
    assert said.object.startswith("$.resolutions.t[1].default_value"), said
    # What it is not about is asked as before.
    also = "t(id int pk, state text!, counted int!)"
    assert {one.code for one in validate(tmp_path, old, also, [gone, wrong])} == {"TS301", said.code}


def test_a_pattern_with_a_value_of_the_wrong_type_is_the_only_problem(tmp_path: Path) -> None:
    old, new = "t(id int pk, at timestamp, bt timestamp)", "t(id int pk, at timestamptz, bt timestamptz)"
    pattern = {"tables": "*", "when": "timestamp -> timestamptz", "action": "transform"}
    assert validate(tmp_path, old, new, [], [pattern]) == []
    (said,) = validate(tmp_path, old, new, [], [{**pattern, "transform_sql": 5}])
    assert said.object.startswith("$.for_all[0].transform_sql"), said
