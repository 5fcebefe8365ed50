"""Rows that OLD marks as deleted, of which nothing in NEW says so any more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.build import parse_catalog
from tranship.codec import parse_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.model.evidence import ColumnFacts, ValueCount
from tranship.model.names import ColumnRef, TableName
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.come_alive import come_alive, marks_left
from tranship.planning.deciding.resolve import decide
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope
from tranship.planning.plan.build import build

IGNORED = {"action": "ignore", "old_column": "deleted"}


def warnings(old: str, new: str, facts: ColumnFacts | None, *entries: dict[str, Any]) -> list[str]:
    sides = parse_catalog(f"t(id int pk, price int, {old})"), parse_catalog(f"t(id int pk, price int{new})")
    scope, _ = make_scope(*sides, None)
    document = json.dumps({"resolutions": {"t": [IGNORED, *entries]}})
    file = parse_resolutions(parse_jsonc(Path("r.json"), document))
    answers, decided, problems = decide(file, *sides, scope)
    assert not problems
    comparison = compare(*sides, match(*sides, scope, decided), answers)
    plan, _ = build(*sides, comparison, answers, scope.tables)
    known = {facts.column: facts} if facts is not None else {}
    return [problem.message for problem in come_alive(marks_left(plan, answers, *sides), known)]


def facts(values: dict[str, int], nulls: int = 0, *, sampled: bool = False) -> ColumnFacts:
    counted = tuple(ValueCount(value, rows) for value, rows in values.items())
    ref, rows = ColumnRef(TableName("public", "t"), "deleted"), sum(values.values()) + nulls
    return ColumnFacts(ref, rows, nulls, len(values), counted, sampled=sampled)


@pytest.mark.parametrize(
    ("type_", "held", "rows"),
    [
        ("char(1)", facts({"Y": 2, "N": 3, " ": 4}), "2 rows"),
        ("bool", facts({"true": 1, "false": 3}), "1 row"),
        ("int", facts({"0": 1, "3": 3}), "3 rows"),
        ("timestamp", facts({"2030-01-01 00:00:00": 2}, 7), "2 rows"),
        ("bool", facts({"true": 1, "false": 3}, sampled=True), "rows (1 of 4 in a sample)"),
        ("bool", facts({"false": 3}, sampled=True), "perhaps rows (0 of 3 in a sample)"),
        ("bool", None, "rows (nobody counted them)"),
    ],
)
def test_marked_rows_are_counted(type_: str, held: ColumnFacts | None, rows: str) -> None:
    (told,) = warnings(f"deleted {type_}", "", held)
    assert f"t: {rows} that OLD marks as deleted in 'deleted' would come alive in NEW: " in told


MARKED = facts({"true": 1, "false": 3})


def test_nothing_is_said_where_no_row_is_marked_or_a_filter_names_the_mark() -> None:
    assert not warnings("deleted bool", "", facts({"false": 3}))
    assert not warnings("deleted bool", "", MARKED, {"action": "filter", "where": "old.deleted IS NOT TRUE"})
    (told,) = warnings("deleted bool", "", MARKED, {"action": "filter", "where": "old.price > 0"})
    assert "up to 1 row that" in told


def test_nothing_is_said_where_new_says_it_otherwise() -> None:
    assert not warnings("deleted bool, deleted_at timestamp", ", deleted_at timestamp", MARKED)
    state = {
        "action": "transform",
        "new_column": "state",
        "transform_sql": "CASE WHEN old.deleted THEN 1 END",
    }
    assert not warnings("deleted bool", ", state int", MARKED, state)
    # NEW has a place for it, and one value for all rows.
    assert warnings("deleted bool", ", deleted_at timestamp", MARKED)
    same = {"action": "default", "new_column": "archived", "default_value": "false"}
    assert warnings("deleted bool", ", archived bool!", MARKED, same)


def test_a_column_of_another_kind_marks_nothing() -> None:
    assert not warnings("deleted uuid", "", MARKED)
