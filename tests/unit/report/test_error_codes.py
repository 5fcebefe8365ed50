"""The table of error codes in words, and the manual's copy of it."""

from __future__ import annotations

import pytest

from support import ROOT
from tranship.errors import table
from tranship.report.error_codes import explain, explanation_text, manual_table


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


def test_an_explanation_shows_where_fields_go_and_the_way_to_the_manual() -> None:
    explained = explain("TS379")
    assert explained.exit_status == (3,)
    assert explained.messages[0].message.startswith("sequence <sequence> of NEW has <left> values left")
    assert explained.messages[0].fields == {"sequence": "TableName", "left": "int", "rows": "int"}
    assert "(docs/decisions.md)" in explain("TS301").what_to_do


def test_a_warning_has_no_exit_status_and_an_unforeseen_failure_two() -> None:
    assert explain("TS340").exit_status == ()
    assert explain("TS900").exit_status == (2, 4)
