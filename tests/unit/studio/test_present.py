"""An answered question's form is filled in with the answer in the file, and would save the same again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tranship.api.present import Present, drafted, present
from tranship.codec.decision_file import Entry
from tranship.planning.deciding.choices import Asked, additions, choices, with_null

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


def half_done(
    suggestion: Entry, offered: Any = BOTH, entry: Entry = NOTES
) -> tuple[str, dict[str, str]] | None:
    """The name of the choice in which a suggestion is filled in, and what its fields hold."""
    made = drafted(entry, suggestion, offered)
    assert made is None or made.choice is not None
    return None if made is None or made.choice is None else (offered[made.choice].name, dict(made.values))


def test_a_suggestion_that_is_to_be_filled_in_is_shown_in_the_form_of_its_kind() -> None:
    """The fields as JSON are the last resort."""
    mapping: Entry = {"action": "transform", "value_mapping": {"A": "1", "B": "SPECIFY_DEFAULT_VALUE"}}
    assert half_done(mapping) == ("mapping", {"value_mapping": '{"A": "1", "B": "SPECIFY_DEFAULT_VALUE"}'})
    constant: Entry = {"action": "default", "default_value": "SPECIFY_DEFAULT_VALUE"}
    lacking = choices(Asked(None, "origin"))
    assert half_done(constant, lacking) == ("constant", {"default_value": ""})
    renamed: Entry = {"action": "rename", "new_column": "SPECIFY_NEW_COLUMN_NAME"}
    assert half_done(renamed, choices(Asked("fax"))) == ("rename", {"new_column": ""})
    filtered: Entry = {"action": "filter", "where": "SPECIFY_CONDITION"}
    assert half_done(filtered, additions()) == ("take only some rows", {"where": ""})
    nulls: Entry = {**mapping, "null_value": "SPECIFY_DEFAULT_VALUE"}
    made = half_done(nulls, with_null(BOTH))
    assert made is not None
    assert (made[0], made[1]["null_value"]) == ("mapping", "")


def test_a_suggestion_about_other_columns_is_not_put_into_a_form_that_loses_them() -> None:
    suggestion: Entry = {"action": "transform", "old_column": "other", "value_mapping": {"A": "1"}}
    assert half_done(suggestion) is None
    assert half_done({}) is None


def test_only_ways_that_read_the_old_value_ask_what_null_becomes() -> None:
    """Beside an expression the file may not say it."""
    asking = [one.name for one in with_null(BOTH) if any(field.name == "null_value" for field in one.fields)]
    assert asking == ["convert", "mapping", "lookup"]
