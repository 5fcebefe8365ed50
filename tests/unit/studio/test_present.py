"""An answered question's form is filled in with the answer in the file, and would save the same again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tranship.api.present import Present, present
from tranship.codec.decision_file import Entry
from tranship.planning.deciding.choices import Asked, additions, choices

BOTH = choices(Asked("state", "state"))
NOTES: Entry = {
    "description": "Column 'state' type mismatch",
    "old_column": "state",
    "new_column": "state",
    "_suggestion": {"action": "transform", "value_mapping": {"A": "1"}},
    "_evidence": ["3 distinct values"],
    "because": "as agreed",
    "_decided": {"by": "Ann", "at": "2026-01-01", "how": "expression"},
}


def shown(entry: Entry, offered: Any = BOTH) -> tuple[str | None, dict[str, str]]:
    """The name of the choice, and what its fields hold."""
    made = present(entry, offered)
    return (offered[made.choice].name if made.choice is not None else None), dict(made.values)


def test_it_is_the_persons_own_answer_and_not_the_suggestion() -> None:
    sql = "CASE old.state WHEN 'on' THEN 'on'\n ELSE 'off' END"
    entry: Entry = {**NOTES, "action": "transform", "transform_sql": sql}
    assert shown(entry) == ("expression", {"transform_sql": sql})
    assert json.loads(present(entry, BOTH).text) == {
        "old_column": "state",
        "new_column": "state",
        "action": "transform",
        "transform_sql": sql,
    }


def test_each_choice_is_found_by_its_fields() -> None:
    assert shown({**NOTES, "action": "transform"}) == ("convert", {})
    mapping: Entry = {**NOTES, "action": "transform", "value_mapping": {"A": "x"}}
    assert shown(mapping) == ("mapping", {"value_mapping": '{"A": "x"}'})
    assert shown({**NOTES, "action": "ignore"}) == ("leave behind", {})
    gone = choices(Asked("fax"))
    assert shown({"old_column": "fax", "new_column": "tel", "action": "rename"}, gone) == (
        "rename",
        {"new_column": "tel"},
    )
    constant: Entry = {"new_column": "origin", "action": "default", "default_value": ""}
    assert shown(constant, choices(Asked(None, "origin"))) == ("constant", {"default_value": ""})


@pytest.mark.parametrize(
    ("entry", "values"),
    [
        ({"action": "filter", "where": "old.id > 1"}, {"where": "old.id > 1"}),
        (
            {"action": "filter", "where": "true", "children": "leave_out"},
            {"where": "true", "children": "leave_out"},
        ),
        (
            {"action": "merge", "key": ["old.a", "old.b"], "keep": "old.c", "repoint_children": True},
            {"key": "old.a\nold.b", "keep": "old.c", "repoint_children": "true"},
        ),
    ],
)
def test_decisions_beside_the_questions_are_filled_in(entry: Entry, values: dict[str, str]) -> None:
    assert shown(entry, additions())[1] == values


@pytest.mark.parametrize(
    "entry",
    [
        {"action": "transform", "transform_sql": "old.a", "null_value": "x"},
        {"action": "transform", "transform_sql": "old.a\r\n"},
        {"action": "filter", "where": "true", "children": "burn"},
        {"action": "merge", "key": ["old.a\n, old.b"], "keep": "old.c"},
        {"action": "merge", "key": ["old.a"], "keep": "old.c", "repoint_children": False},
        {"action": "adopt", "constraint": "fk"},
    ],
)
def test_what_no_choice_would_save_again_is_shown_as_json(entry: Entry) -> None:
    made = present(entry, (*BOTH, *additions()))
    assert made == Present(made.text) and json.loads(made.text) == entry
