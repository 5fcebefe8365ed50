"""Old flags that ask the opposite of a new column, and old columns of the new column's own name."""

from __future__ import annotations

import json

import pytest
from msgspec.json import encode

from support.build import parse_catalog
from tranship.model.evidence import ColumnFacts, Evidence, ValueCount
from tranship.model.names import ColumnRef, TableName
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.scope import make_scope

_YES = frozenset({"Y", "y", "1", "true", "t", "yes", "T", "x"})


def entries(old: str, new: str, **values: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """Returns the open entries by old column, where the columns of OLD hold these values."""
    before, after = parse_catalog(f"t(id int pk, {old})"), parse_catalog(f"t(id int pk, {new})")
    held = tuple(
        ColumnFacts(
            ColumnRef(TableName("public", "t"), column),
            len(own),
            0,
            len(own),
            tuple(ValueCount(value, 1) for value in own),
            True,
        )
        for column, own in values.items()
    )
    made = suggest(before, after, make_scope(before, after, None)[0], Evidence(columns=held))
    listed = json.loads(encode(made.document["resolutions"]))["t"]
    return {entry["old_column"]: entry for entry in listed if "old_column" in entry}


def suggested(entry: dict[str, object]) -> dict[str, object]:
    """Returns what an entry suggests, or says where it is filled in."""
    found = entry.get("_suggestion", {})
    return found if isinstance(found, dict) else entry


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Deleted", "is_active"),
        ("disabled", "enabled"),
        ("hidden", "visible"),
        ("is_deleted", "active"),
        ("inactive", "active"),
        ("not_deleted", "deleted"),
    ],
)
@pytest.mark.parametrize(
    ("types", "values"),
    [
        (("boolean", "boolean!"), ("true", "false")),
        (("boolean", "int!"), ("true", "false")),
        (("boolean", "text!"), ("true", "false")),
        (("char(1)", "boolean!"), ("Y", "N")),
        (("char(1)", "char(1)!"), ("Y", "N")),
        (("text", "text!"), ("yes", "no")),
        (("char(1)", "char(1)!"), ("x", " ")),
        (("text", "text!"), ("on", "off")),
        (("int", "boolean!"), ("1", "0")),
        (("int", "int!"), ("1", "0")),
        (("int", "text!"), ("1", "0")),
    ],
)
def test_no_suggestion_makes_a_yes_of_a_yes_where_the_opposite_is_asked(
    before: str, after: str, types: tuple[str, str], values: tuple[str, str]
) -> None:
    found = entries(f"{before} {types[0]}", f"{after} {types[1]}", **{before: values})
    entry = found[before]
    assert entry["action"] in ("SPECIFY_ACTION", "ignore")
    answer = suggested(entry)
    assert answer.get("action") in (None, "ignore", "transform", "filter"), answer
    if answer.get("action") == "transform":
        turned = answer.get("value_mapping")
        if isinstance(turned, dict):
            assert all((key in _YES) != (value in _YES) for key, value in turned.items()), turned
        else:
            assert str(answer["transform_sql"]).startswith(("NOT ", "CASE ")) or "= 0" in str(answer)


def test_a_yes_becomes_a_no_with_its_reason() -> None:
    entry = entries("Deleted char(1)", "is_active boolean!", Deleted=("N", "Y"))["Deleted"]
    assert suggested(entry)["value_mapping"] == {"N": "true", "Y": "false"}
    assert entry["action"] == "SPECIFY_ACTION"
    assert "'is_active' asks the opposite of 'Deleted': true would become false" in str(entry["_evidence"])


@pytest.mark.parametrize(
    ("before", "after", "mapped"),
    [
        # A word for the state itself says what it says, whatever its column is called.
        ("disabled", "is_active", {"active": "true", "inactive": "false"}),
        ("state_active", "active", {"active": "true", "inactive": "false"}),
        ("disabled", "is_disabled", {"enabled": "false", "disabled": "true"}),
    ],
)
def test_a_word_for_the_state_is_not_turned_round(before: str, after: str, mapped: dict[str, str]) -> None:
    entry = entries(f"{before} text", f"{after} boolean!", **{before: tuple(mapped)})[before]
    assert suggested(entry).get("value_mapping", mapped) == mapped


@pytest.mark.parametrize("kind", ["char(1)", "int", "timestamp", "text"])
def test_the_column_of_the_same_name_comes_first(kind: str) -> None:
    found = entries(
        f"Deleted char(1), IsActive {kind}, note text",
        "is_active boolean!, memo text",
        Deleted=("N", "Y"),
        IsActive=("Y", "y", "N", " "),
    )
    assert suggested(found["Deleted"]).get("new_column") != "is_active"
    assert "is_active" in (found["IsActive"]["new_column"], suggested(found["IsActive"]).get("new_column"))
