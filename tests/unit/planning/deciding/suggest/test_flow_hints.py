"""What speaks for a flow or a filter is told with the question, and never filled in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.build import parse_catalog
from tranship.codec import encode
from tranship.model.evidence import ColumnFacts, Evidence, ValueCount
from tranship.model.names import ColumnRef, TableName
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.scope import make_scope


def document(old: str, new: str, *columns: ColumnFacts) -> dict[str, Any]:
    """The whole document."""
    before, after = parse_catalog(old), parse_catalog(new)
    made = suggest(before, after, make_scope(before, after, None)[0], Evidence(columns=columns))
    return json.loads(encode(made.document))


def entries(old: str, new: str, *columns: ColumnFacts) -> list[dict[str, object]]:
    """The entries that are written for the old table ``t``."""
    return document(old, new, *columns)["resolutions"]["t"]


def shapes(old: str, new: str, *columns: ColumnFacts) -> list[dict[str, Any]]:
    """The other shapes that are suggested."""
    return document(old, new, *columns).get("_suggestions", [])


def facts(column: str, values: dict[str, int], *, nulls: int = 0) -> ColumnFacts:
    """What the data say of a column of ``t``."""
    counted = tuple(ValueCount(value, rows) for value, rows in values.items())
    rows = sum(values.values()) + nulls
    return ColumnFacts(ColumnRef(TableName("public", "t"), column), rows, nulls, len(values), counted, True)


@pytest.mark.parametrize(
    ("column", "where", "values"),
    [
        ("deleted_at timestamptz", "old.deleted_at IS NULL", {"2024-01-01": 3}),
        ("is_deleted bool", "old.is_deleted IS NOT TRUE", {"true": 3, "false": 5}),
        ("archived int", "COALESCE(old.archived, 0) = 0", {"1": 3, "0": 5}),
    ],
)
def test_rows_that_are_marked_deleted_are_asked_about_with_their_number(
    column: str, where: str, values: dict[str, int]
) -> None:
    name = column.split()[0]
    sides = f"t(id int pk, {column})", "t(id int pk)"
    (entry,) = entries(*sides, facts(name, values, nulls=2))
    assert entry["action"] == "SPECIFY_ACTION"
    # A filter alone would leave the question about the column open: both are suggested as one.
    assert "_suggestion" not in entry
    assert "see _suggestions 1: " in str(entry["_evidence"])
    (shape,) = shapes(*sides, facts(name, values, nulls=2))
    assert shape["resolutions"] == {
        "t": [
            {"action": "filter", "where": where, "children": "leave_out"},
            {"action": "ignore", "old_column": name},
        ]
    }
    assert any("3 of" in str(line) and "come alive" in str(line) for line in entry["_evidence"])  # type: ignore[union-attr, attr-defined]


@pytest.mark.parametrize(
    "column", ["deletion_reason text", "delete_count int", "undeleted bool", "deleted text"]
)
def test_other_names_and_types_mark_nothing(column: str) -> None:
    name = column.split()[0]
    (entry,) = entries(f"t(id int pk, {column})", "t(id int pk)", facts(name, {"x": 3}))
    assert "filter" not in str(entry.get("_suggestion", ""))


def test_a_new_table_that_nothing_fills_is_named() -> None:
    made = entries(
        "t(id int pk, bio text)", "t(id int pk); profile(user_id int pk, bio text)", facts("bio", {"a": 1})
    )
    asked = "Do columns of 't' fill 'profile'?"
    assert f"see _suggestions 1: {asked}" in str(made[0]["_evidence"])
    (found,) = shapes("t(id int pk, bio text)", "t(id int pk); profile(user_id int pk, bio text)")
    assert (found["question"], list(found["resolutions"])) == (asked, ["t -> profile"])


def test_a_name_that_all_tables_have_leads_nowhere() -> None:
    assert shapes("t(id int pk, name text)", "t(id int pk); profile(user_id int pk, name text)") == []


def test_lists_lead_to_a_table_with_one_text() -> None:
    old, new = "t(id int pk, tags text)", "t(id int pk); t_tag(t_id int -> t.id, tag text)"
    values = facts("tags", {"warm,veg": 2, "sweet": 1, "cold, slow": 1})
    (entry,) = entries(old, new, values)
    assert "see _suggestions 1: Does 'tags' of 't' become rows of 't_tag'?" in str(entry["_evidence"])
    (found,) = shapes(old, new, values)
    (rows, *_) = found["resolutions"]["t -> t_tag"]
    trimmed = r"regexp_replace(old.tags, '^\s+|\s+$', '', 'g')"
    assert rows["from"] == rf"regexp_split_to_table({trimmed}, '\s*[,]\s*') AS item(value)"
    prose = facts("tags", {"a sentence with many words, and a comma": 2})
    assert shapes(old, new, prose) == []
