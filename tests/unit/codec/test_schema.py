"""The JSON Schema for editors knows what the reader of a resolutions file knows."""

from __future__ import annotations

from tranship.codec.entry_fields import FIELDS, OF_A_PATTERN
from tranship.codec.schema import resolutions_schema
from tranship.model.resolution import Action


def test_the_schema_has_the_fields_of_the_reader() -> None:
    defined = resolutions_schema()["$defs"]
    assert set(defined["entry"]["properties"]) == set(FIELDS)
    assert set(defined["pattern"]["properties"]) == set(OF_A_PATTERN)
    assert set(defined["entry"]["properties"]["action"]["enum"]) == {*Action, "SPECIFY_ACTION"}
