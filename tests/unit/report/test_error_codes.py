"""The table of error codes in words, and the manual's copy of it."""

from __future__ import annotations

import pytest

from support import ROOT
from tranship.errors import table
from tranship.report.error_codes import explain, explain_state, explanation_text, manual_table


def test_the_manual_has_the_table_as_it_is() -> None:
    """``python3 dev.py manual`` writes it."""
    assert (ROOT / "docs/errors.md").read_text(encoding="utf-8").endswith(f"\n{manual_table()}\n")


@pytest.mark.parametrize("code", table.rows())
def test_every_code_can_be_explained(code: str) -> None:
    lines = explanation_text(explain(code)).splitlines()
    assert lines[0].startswith(f"{code}  ") and lines[0].endswith(".")
    assert lines[1].startswith("  What to do: ") and lines[1].endswith(".")
    fields = {field for one in table.messages(code) for field in one.__struct_fields__}
    assert [field for field in fields if f"{{{field}" in "".join(lines)] == []


RAISED_FOR_ROWS = [
    "0A000",
    "21000",
    "22000",
    "22001",
    "22003",
    "22004",
    "22007",
    "22008",
    "2200M",
    "2200N",
    "22012",
    "2201B",
    "2201E",
    "22021",
    "22023",
    "22025",
    "2202E",
    "22030",
    "22032",
    "22P01",
    "22P02",
    "22P03",
    "22P05",
    "23000",
    "23001",
    "23502",
    "23503",
    "23505",
    "23514",
    "23P01",
    "25006",
    "38000",
    "39004",
    "428C9",
    "42501",
    "42601",
    "42602",
    "42703",
    "42704",
    "42804",
    "42883",
    "42P01",
    "42P22",
    "44000",
    "54000",
    "54001",
    "57014",
    "P0001",
    "P0002",
    "P0003",
    "P0004",
]
"""SQLSTATEs with which a server can refuse a row: by input, functions, triggers, constraints and limits."""


@pytest.mark.parametrize("state", RAISED_FOR_ROWS)
def test_every_state_of_a_rejected_row_is_explained(state: str) -> None:
    explained = explain_state(state)
    assert explained is not None
    assert explained.meaning != "NEW refuses the row."
    assert explained.what_to_do.endswith(".")


@pytest.mark.parametrize("code", ["", "22", "2200", "220000", "XX000", "08006", "TS301", "22 00"])
def test_what_is_no_state_of_a_row_is_not(code: str) -> None:
    assert explain_state(code) is None


def test_an_explanation_shows_where_fields_go_and_the_way_to_the_manual() -> None:
    explained = explain("TS379")
    assert explained.exit_status == (3,)
    assert explained.messages[0].message.startswith("sequence <sequence> of NEW has <left> values left")
    assert explained.messages[0].fields == {"sequence": "TableName", "left": "int", "rows": "int"}
    assert "(docs/decisions.md)" in explain("TS301").what_to_do


def test_a_warning_has_no_exit_status_and_an_unforeseen_failure_two() -> None:
    assert explain("TS340").exit_status == ()
    assert explain("TS900").exit_status == (2, 4)


def test_a_code_of_warnings_and_refusals_says_which_is_which() -> None:
    """TS308 refuses a run only where a foreign key of NEW refers to keys that nobody can compare."""
    told = explanation_text(explain("TS308"))
    assert "\n  Exit status: 3; none where it is a warning (⚠)\n" in told
    assert "\n    ⚠ <flow>: <column> keeps the values" in told
    assert "\n    <flow>: what foreign key <key> refers to" in told


@pytest.mark.parametrize("code", table.rows())
def test_every_warning_is_marked(code: str) -> None:
    explained = explain(code)
    marked = [one.warning for one in explained.messages]
    assert marked == [one.warning for one in table.messages(code)]
    assert bool(explained.exit_status) is (not all(marked))
    assert (" warning" in explanation_text(explained).partition("Exit status: ")[2].split("\n")[0]) is any(
        marked
    )
