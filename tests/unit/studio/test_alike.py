"""What is known of a question beside its text: which others one answer may settle, and how sure it is."""

from __future__ import annotations

from typing import Any

from support.build import pg_type
from tranship.api.questions import question
from tranship.planning.deciding.resolve.targets import Target

INT, TEXT = (pg_type(one) for one in ("integer", "text"))


def like(table: str, text: str, old: str | None, new: str | None) -> str:
    entry = {"description": text, "old_column": old, "new_column": new, "action": "SPECIFY_ACTION"}
    given = {name: value for name, value in entry.items() if value is not None}
    target = Target(old_type=TEXT, type=INT)
    return question(f"$.resolutions.{table}[0]", table, given, None, target, settled=False).like


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


def asked(name: str, target: Target, *, gone: bool = False, **more: object) -> str:
    """What a question about one column of the table t asks."""
    text = f"Column '{name}' only exists in {'old' if gone else 'new'} DB"
    entry: Any = {"description": text, "old_column" if gone else "new_column": name, "_evidence": ["a fact"]}
    entry |= {"action": "SPECIFY_ACTION", **more}
    return question("$.resolutions.t[0]", "t", entry, None, target, settled=False).like


def test_a_value_is_asked_alike_of_columns_of_one_type() -> None:
    zero = {"confidence": "guess", "action": "default", "default_value": "0"}
    first = asked("loyalty", Target(type=INT, required=True), _suggestion={**zero, "new_column": "loyalty"})
    assert first
    assert first == asked(
        "stock", Target(type=INT, required=True), _suggestion={**zero, "new_column": "stock"}
    )
    assert first != asked("studio", Target(type=TEXT, required=True), _suggestion=zero)
    assert first != asked("stock", Target(type=INT), _suggestion=zero), "NEW gives one of them a value"
    ten = {**zero, "default_value": "10"}
    assert first != asked("stock", Target(type=INT, required=True), _suggestion=ten)


def test_a_column_whose_type_nobody_knows_yet_is_asked_alone() -> None:
    """Its table is not paired: what fits one such column need not fit another one."""
    assert asked("login", Target()) == ""
    assert asked("login", Target(type=TEXT)) != ""


def test_data_is_left_behind_together_only_by_one_name_and_one_type() -> None:
    fax = asked("fax", Target(old_type=TEXT), gone=True)
    assert fax == asked("fax", Target(old_type=TEXT), gone=True) != ""
    assert fax != asked("notes", Target(old_type=TEXT), gone=True)
    assert fax != asked("fax", Target(old_type=INT), gone=True)
    marks = {"confidence": "guess", "action": "filter", "where": "old.fax IS NULL"}
    assert fax != asked("fax", Target(old_type=TEXT), gone=True, _suggestion=marks), "rows would come alive"
    empty = {"confidence": "high", "action": "ignore"}
    nothing = [asked(one, Target(old_type=TEXT), gone=True, _suggestion=empty) for one in ("fax", "notes")]
    assert nothing[0] == nothing[1] not in ("", fax), "nothing would be lost"


def test_a_table_with_rows_is_left_out_by_itself() -> None:
    entry: Any = {"description": "Table 't' only exists in old DB", "_evidence": ["all its rows (1 row) …"]}
    entry |= {"action": "SPECIFY_ACTION", "_suggestion": {"confidence": "guess", "action": "drop_table"}}
    assert question("$.resolutions.t[0]", "t", entry, None, Target(), settled=False).like == ""


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
