"""What is known of a question beside its text: which others one answer may settle, and how sure it is."""

from __future__ import annotations

from tranship.api.questions import question
from tranship.planning.deciding.resolve.targets import Target


def like(table: str, text: str, old: str | None, new: str | None) -> str:
    entry = {"description": text, "old_column": old, "new_column": new, "action": "SPECIFY_ACTION"}
    given = {name: value for name, value in entry.items() if value is not None}
    return question(f"$.resolutions.{table}[0]", table, given, None, Target(), settled=False).like


def test_what_names_one_column_is_asked_alike_of_many_tables() -> None:
    text = "Column '{}' type mismatch: current(text) vs new(integer)"
    first, second = (like(t, text.format(t + "_size"), t + "_size", t + "_size") for t in ("a", "b"))
    assert first == second != ""
    gone = "Column '{}' only exists in old DB"
    specify = "SPECIFY_NEW_COLUMN_NAME"
    first, second = (like(t, gone.format(t + "_gone"), t + "_gone", specify) for t in ("a", "b"))
    assert first == second != ""


def test_whether_one_column_became_another_is_asked_of_these_two_alone() -> None:
    text = "Column '{}' likely renamed to '{}' in new DB"
    assert like("addresses", text.format("zip", "postal_code"), "zip", "postal_code") == ""
    assert like("orders", text.format("status", "status_id"), "status", "status_id") == ""


def test_a_guess_is_known_as_one() -> None:
    """It is not among those that are accepted together."""
    for confidence in ("high", "likely", "guess"):
        suggested = {"confidence": confidence, "old_column": "fax", "action": "ignore"}
        entry = {
            "description": "it is gone",
            "old_column": "fax",
            "action": "SPECIFY_ACTION",
            "_suggestion": suggested,
        }
        asked = question("$.resolutions.a[0]", "a", entry, None, Target(), settled=False)
        assert asked.guess == (confidence == "guess")
        assert asked.suggestion == {"old_column": "fax", "action": "ignore"}
