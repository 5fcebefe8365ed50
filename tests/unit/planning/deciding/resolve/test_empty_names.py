"""An empty name in any field of an entry is refused: such an entry decides nothing, and is no answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.build import catalog, table
from tranship.codec import read_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.model.resolution import Problem
from tranship.planning.deciding.resolve import decide
from tranship.planning.deciding.resolve.flows import with_queries
from tranship.planning.matching.scope import make_scope

OLD = catalog(
    table("users", "id int", "active boolean", "title text", key=["id"]), table("city", "name text")
)
NEW = catalog(
    table("users", "id int", "state text", "title text", key=["id"]), table("city", "id int", "name text")
)
LOOKUP = {"table": "city", "key_column": "name", "value_column": "id"}
FROM_LOOKUP = {"action": "transform", "old_column": "title", "new_column": "state"}


def problems_of(tmp_path: Path, tables: dict[str, list[dict[str, object]]]) -> list[Problem]:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"resolutions": tables}), encoding="utf-8")
    file = parse_resolutions(read_jsonc(path))
    old = with_queries(file, OLD, NEW)
    return list(decide(file, old, NEW, make_scope(old, NEW, None)[0])[2])


@pytest.mark.parametrize(
    ("field", "entry"),
    [
        ("new_column", {"action": "rename", "old_column": "active", "new_column": ""}),
        ("old_column", {"action": "rename", "old_column": "", "new_column": "state"}),
        ("old_column", {"action": "ignore", "old_column": ""}),
        ("new_column", {"action": "transform", "old_column": "active", "new_column": ""}),
        (
            "new_column",
            {"action": "transform", "old_column": "active", "new_column": "", "value_mapping": None},
        ),
        (
            "new_column",
            {
                "action": "transform",
                "old_column": "title",
                "new_column": "",
                "transform_sql": "upper(old.title)",
            },
        ),
        (
            "old_columns",
            {
                "action": "transform",
                "old_columns": ["title", ""],
                "new_column": "state",
                "transform_sql": "old.title",
            },
        ),
        ("new_column", {"action": "default", "new_column": "", "default_value": "x"}),
        ("column", {"action": "new_key", "column": "", "as": "number"}),
        ("constraint", {"action": "adopt", "constraint": ""}),
        ("key", {"action": "existing", "key": [""], "rows": "keep"}),
        ("rows", {"action": "existing", "key": ["id"], "rows": ""}),
        *(
            (f"lookup_table.{field}", {**FROM_LOOKUP, "lookup_table": {**LOOKUP, field: ""}})
            for field in ("table", "schema", "key_column", "value_column")
        ),
    ],
)
def test_one_message_says_which_name_is_empty(tmp_path: Path, field: str, entry: dict[str, object]) -> None:
    (problem,) = problems_of(tmp_path, {"users": [entry]})
    action = entry["action"]
    assert (problem.code, problem.warning) == ("TS324", False)
    assert problem.message == f"{field!r} is empty: action {action!r} needs a name there, or no such field"


def test_the_column_by_whose_ranges_a_query_is_cut(tmp_path: Path) -> None:
    entry = {"action": "query", "sql": "SELECT id FROM public.users", "key": ["id"], "cut_by": ""}
    told = [one.message for one in problems_of(tmp_path, {"all users -> users": [entry]})]
    assert told == ["'cut_by' is empty: action 'query' needs a name there, or no such field"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"action": "filter", "where": "old.active", "children": {"": "leave_out"}},
            "needs the name of an old table before each word",
        ),
        (
            {**FROM_LOOKUP, "lookup_table": {**LOOKUP, "database": ""}},
            'must be "new" or "old", not \'\'',
        ),
        ({"action": "rename_table", "new_table": ""}, "NEW has no table ''"),
        (
            {"action": "rename_table", "new_table": "users", "new_schema": ""},
            "NEW has no table 'users' in schema ''",
        ),
        (
            {"action": "rename", "old_column": "active", "new_column": " "},
            "NEW's public.users has no column ' '",
        ),
    ],
)
def test_names_that_are_looked_up_or_read_before(
    tmp_path: Path, entry: dict[str, object], message: str
) -> None:
    assert [one.message for one in problems_of(tmp_path, {"users": [entry]})] == [message]


def test_a_transform_that_fills_no_column_is_no_answer(tmp_path: Path) -> None:
    told = problems_of(tmp_path, {"users": [{"action": "transform", "old_column": "active"}]})
    assert [one.message for one in told] == ["action 'transform' needs 'new_column'"]
