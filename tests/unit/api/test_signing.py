"""An answer keeps the name of who gave it, and says where somebody changed it by hand afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tranship.api.signing import by_whom, sealed, signature
from tranship.codec.jsonc import JsonValue, Number

MAPPED: dict[str, JsonValue] = {
    "old_column": "state",
    "action": "transform",
    "value_mapping": {"a": Number("1.50"), "b": None},
}
SIGNED = sealed({**MAPPED, **signature("Ann", "expression"), "because": "as agreed"})
ENDS = "by expression"


def test_an_answer_says_who_gave_it() -> None:
    assert by_whom(SIGNED).startswith("Ann, 20") and by_whom(SIGNED).endswith(ENDS)
    assert by_whom(MAPPED) == ""


@pytest.mark.parametrize(
    "hand",
    [
        {"value_mapping": {"a": Number("1.5"), "b": None}},
        {"action": "ignore"},
        {"because": "as I like it"},
        {"default_value": "x"},
    ],
    ids=str,
)
def test_an_answer_that_was_changed_by_hand_says_so(hand: dict[str, JsonValue]) -> None:
    assert by_whom({**SIGNED, **hand}).endswith(f"{ENDS}; changed by hand since")


@pytest.mark.parametrize(
    "beside", [{"description": "x"}, {"_evidence": ["x"]}, {"_comments": ["// x"]}], ids=str
)
def test_what_stands_beside_an_answer_may_change(beside: dict[str, Any]) -> None:
    assert by_whom({**SIGNED, **beside}).endswith(ENDS)
    assert by_whom(dict(reversed([*SIGNED.items()]))).endswith(ENDS)


def test_an_answer_without_a_seal_is_taken_as_it_is() -> None:
    assert by_whom({**MAPPED, **signature("Ann", "ignore")}).endswith("by ignore")
