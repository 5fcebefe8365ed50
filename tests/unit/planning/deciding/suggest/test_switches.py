"""A column that says whether a row still counts, and what of NEW may say it in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.build import parse_catalog
from tranship.codec import encode
from tranship.model.evidence import ColumnFacts, Evidence, ValueCount
from tranship.model.names import ColumnRef, TableName
from tranship.planning.deciding.suggest import Suggestions, suggest
from tranship.planning.matching.scope import make_scope

ENUMS = {
    "tier": ("gold", "silver"),
    "state": ("active", "suspended"),
    "three": ("active", "suspended", "closed"),
    "work": ("open", "done"),
}


def suggested(old: str, new: str, column: str, values: dict[str, int]) -> Suggestions:
    """What is suggested for a table ``t`` of which a column holds these values."""
    before = parse_catalog(f"t(id int pk, {old})")
    after = parse_catalog(f"t(id int pk, {new})" if new else "t(id int pk)", enums=ENUMS)
    counted = tuple(ValueCount(value, rows) for value, rows in values.items())
    facts = ColumnFacts(
        ColumnRef(TableName("public", "t"), column), sum(values.values()), 0, len(values), counted, True
    )
    return suggest(before, after, make_scope(before, after, None)[0], Evidence(columns=(facts,)))


def entries(old: str, new: str, column: str, values: dict[str, int]) -> list[dict[str, Any]]:
    """The entries that are written for it."""
    document = json.loads(encode(suggested(old, new, column, values).document))
    found: list[dict[str, Any]] = document["resolutions"]["t"]
    return found


@pytest.mark.parametrize(
    ("old", "column", "values", "gone"),
    [
        ("activebool bool", "activebool", {"true": 6, "false": 3}, "NOT old.activebool"),
        ("is_active int", "is_active", {"1": 6, "0": 3}, "old.is_active = 0"),
        ("active text", "active", {"Y": 6, "N": 3}, "old.active IN ('N')"),
        ("enabled bool", "enabled", {"true": 6, "false": 3}, "NOT old.enabled"),
        ("disabled bool", "disabled", {"true": 3, "false": 6}, "old.disabled"),
    ],
)
@pytest.mark.parametrize("target", ["deleted_at", "deactivated_at"])
def test_a_switch_may_become_a_moment(
    old: str, column: str, values: dict[str, int], gone: str, target: str
) -> None:
    (entry,) = entries(old, f"{target} timestamptz", column, values)
    assert entry["action"] == "SPECIFY_ACTION"
    assert entry["_suggestion"]["new_column"] == target
    assert entry["_suggestion"]["transform_sql"] == f"CASE WHEN {gone} THEN run.started END"
    told = "\n".join(entry["_evidence"])
    assert "3 of 9 values say that a row no longer counts" in told
    assert f"({gone}) IS NOT TRUE" in told
    assert "OLD does not hold since when" in told


def test_the_moment_of_the_last_change_stands_in_where_there_is_one() -> None:
    (entry,) = entries(
        "activebool bool, last_update timestamptz",
        "deactivated_at timestamptz, last_update timestamptz",
        "activebool",
        {"true": 6, "false": 3},
    )
    assert entry["_suggestion"]["transform_sql"] == "CASE WHEN NOT old.activebool THEN old.last_update END"


def test_a_rename_of_a_flag_to_a_moment_is_offered_the_same_way() -> None:
    found = entries("name text, deleted bool", "name text, deleted_at timestamptz", "deleted", {"true": 3})
    (entry,) = found
    assert entry["_suggestion"]["transform_sql"] == "CASE WHEN old.deleted THEN run.started END"


@pytest.mark.parametrize(("type_", "away"), [("state", "suspended"), ("three", "SPECIFY_DEFAULT_VALUE")])
def test_a_switch_may_become_a_status(type_: str, away: str) -> None:
    (entry,) = entries("active bool", f"status {type_}!", "active", {"true": 6, "false": 3})
    assert entry["action"] == "SPECIFY_ACTION"
    assert entry["_suggestion"]["value_mapping"] == {"true": "active", "false": away}


@pytest.mark.parametrize(
    ("old", "column", "new"),
    [
        ("activity bool", "activity", "deleted_at timestamptz"),
        ("active bool", "active", "published_at timestamptz"),
        ("active bool", "active", "status work"),
    ],
)
def test_other_columns_are_no_place_for_it(old: str, column: str, new: str) -> None:
    found = entries(old, new, column, {"true": 6, "false": 3})
    assert all("transform" not in json.dumps(entry.get("_suggestion", "")) for entry in found)


def test_a_condition_that_names_values_of_rows_is_not_for_a_terminal() -> None:
    (question,) = suggested("active text", "", "active", {"Y": 6, "N": 3}).questions
    assert "'N'" in "\n".join(question.facts(values=True))
    assert "'N'" not in "\n".join(question.facts(values=False))


@pytest.mark.parametrize(("old", "values"), [("vip bool", ("true", "false")), ("vip text", ("Y", "N"))])
def test_the_first_label_is_no_suggestion_beside_a_flag_that_may_say_it(
    old: str, values: tuple[str, str]
) -> None:
    flag, tier = entries(old, "tier tier!", "vip", dict.fromkeys(values, 4))
    assert "_suggestion" not in flag
    assert "_suggestion" not in tier
    assert any(line.startswith("'vip'") and "value_mapping" in line for line in tier["_evidence"])


def test_of_several_labels_none_is_suggested_without_a_flag_either() -> None:
    found = entries("vip text", "tier tier!", "vip", {"red": 4, "blue": 4})
    tier = next(entry for entry in found if entry.get("new_column") == "tier")
    assert "_suggestion" not in tier
    assert any("of which nothing says one: gold" in line for line in tier["_evidence"])
