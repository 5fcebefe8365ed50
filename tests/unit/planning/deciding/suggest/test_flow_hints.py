"""What speaks for a flow or a filter is told with the question, and never filled in."""

from __future__ import annotations

import json

import pytest

from support.build import parse_catalog
from tranship.codec import encode
from tranship.model.evidence import ColumnFacts, Evidence, ValueCount
from tranship.model.names import ColumnRef, TableName
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.scope import make_scope


def entries(old: str, new: str, *columns: ColumnFacts) -> list[dict[str, object]]:
    """The entries that are written for the old table ``t``."""
    before, after = parse_catalog(old), parse_catalog(new)
    made = suggest(before, after, make_scope(before, after, None)[0], Evidence(columns=columns))
    return json.loads(encode(made.document))["resolutions"]["t"]


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
    (entry,) = entries(f"t(id int pk, {column})", "t(id int pk)", facts(name, values, nulls=2))
    assert entry["action"] == "SPECIFY_ACTION"
    assert entry["_suggestion"] == {"confidence": "guess", "action": "filter", "where": where}
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
    assert '"t -> profile"' in str(made[0]["_evidence"])


def test_lists_lead_to_a_table_with_one_text() -> None:
    old, new = "t(id int pk, tags text)", "t(id int pk); t_tag(t_id int -> t.id, tag text)"
    (entry,) = entries(old, new, facts("tags", {"warm,veg": 2, "sweet": 1, "cold, slow": 1}))
    (line,) = [line for line in entry["_evidence"] if "t_tag" in str(line)]  # type: ignore[attr-defined]
    assert "regexp_split_to_table(old.tags, '\\\\s*[,]\\\\s*') AS item(value)" in str(line)
    prose = facts("tags", {"a sentence with many words, and a comma": 2})
    assert "t_tag" not in str(entries(old, new, prose))
