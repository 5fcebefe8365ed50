"""What is said of a wrong name that begins with a schema, and of a new key that lacks something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.build import catalog, table
from tranship.codec import read_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.planning.deciding.resolve import decide
from tranship.planning.matching.scope import make_scope

OLD = catalog(
    table("users", "no int", "city text", key=["no"], schema="app"),
    table("city", "name text", schema="app"),
    schemas=("app", "public"),
)
NEW = catalog(
    table("users", "no bigint", "city_id int", key=["no"], schema="core"),
    table("city", "id int", "name text", schema="core"),
    schemas=("core", "public"),
)
RENAMED = {"action": "rename_table", "new_table": "users", "new_schema": "core"}
KEYS = '"uuid", {"uuid": "a namespace"}, {"offset": 1000000} or "number"'


def lookup(relation: str) -> dict[str, object]:
    found = {"table": relation, "key_column": "name", "value_column": "id"}
    return {"action": "transform", "old_column": "city", "new_column": "city_id", "lookup_table": found}


@pytest.mark.parametrize(
    ("tables", "message", "hint"),
    [
        ({"app.usrs": [RENAMED]}, "OLD has no table 'app.usrs' (schema 'app')", "did you mean 'app.users'?"),
        (
            {"app.users": [{**RENAMED, "new_schema": "cor"}]},
            "NEW has no table 'users' in schema 'cor'",
            "NEW has a table of this name in schema 'core'",
        ),
        (
            {"app.users": [RENAMED, lookup("core.cty")]},
            "NEW has no lookup table 'cty' in schema 'core'",
            "did you mean 'city'?",
        ),
        (
            {"app.users": [RENAMED, {"action": "new_key", "column": "no"}]},
            "action 'new_key' needs 'as'",
            f"'as' is {KEYS}",
        ),
        (
            {"app.users": [RENAMED, {"action": "new_key", "column": "no", "as": "serial"}]},
            "unknown value 'serial'",
            f"'as' is {KEYS}",
        ),
        (
            {"app.users": [RENAMED, {"action": "new_key", "column": "id", "as": "number"}]},
            "OLD's app.users has no column 'id'",
            "'column' is OLD's name of the key; known: 'city', 'no'",
        ),
    ],
)
def test_the_hint_leads_on(
    tmp_path: Path, tables: dict[str, list[dict[str, object]]], message: str, hint: str
) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"resolutions": tables}), encoding="utf-8")
    file = parse_resolutions(read_jsonc(path))
    problems = decide(file, OLD, NEW, make_scope(OLD, NEW, None)[0])[2]
    assert (message, hint) in [(one.message, one.hint) for one in problems]
