"""A suggested mapping or lookup says what becomes of NULL where the new column refuses it."""

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

ENUMS = {"st": ("open", "paid")}


def asked(old: str, new: str, nulls: int, *values: str, sampled: bool = False) -> dict[str, Any]:
    """The one entry about a column ``s`` that holds each of these values once."""
    before, after = (parse_catalog(f"t(id int pk, s {one})", enums=ENUMS) for one in (old, new))
    counted = tuple(ValueCount(value, 1) for value in values)
    ref, rows = ColumnRef(TableName("public", "t"), "s"), len(values) + nulls
    facts = ColumnFacts(ref, rows, nulls, len(values), counted, complete=not sampled, sampled=sampled)
    made = suggest(before, after, make_scope(before, after, None)[0], Evidence(columns=(facts,)))
    ((entry,),) = json.loads(encode(made.document["resolutions"])).values()
    return dict(entry)


@pytest.mark.parametrize(
    ("new", "value", "told"),
    [
        ("st! = 'open'::st", "open", "null_value makes them NEW's default, 'open'"),
        ("st!", "SPECIFY_DEFAULT_VALUE", "null_value says what they become"),
        ("st! = first_of(1)", "SPECIFY_DEFAULT_VALUE", "null_value says what they become"),
    ],
)
def test_null_is_part_of_the_mapping(new: str, value: str, told: str) -> None:
    for values in (("Open", "PAID"), ("open", "paid")):
        entry = asked("text", new, 3, *values)
        assert entry["action"] == "SPECIFY_ACTION", "what NULL becomes is a decision"
        assert entry["_suggestion"]["null_value"] == value
        assert f"3 of 5 rows hold NULL, which NEW refuses: {told}" in entry["_evidence"]


def test_rows_of_a_sample_are_called_so() -> None:
    entry = asked("text", "bool! = false", 1, "y", "n", sampled=True)
    assert entry["_suggestion"]["null_value"] == "false"
    told = "1 of 3 sampled rows holds NULL, which NEW refuses: null_value makes them NEW's default, 'false'"
    assert told in entry["_evidence"]


@pytest.mark.parametrize(("new", "nulls"), [("st", 3), ("st! = 'open'::st", 0)])
def test_nothing_is_said_of_null_that_new_takes_or_old_lacks(new: str, nulls: int) -> None:
    entry = asked("text", new, nulls, "Open", "PAID")
    assert entry["action"] == "transform"
    assert "null_value" not in entry
