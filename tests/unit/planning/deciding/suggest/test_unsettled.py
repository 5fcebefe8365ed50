"""What is open as long as nobody has agreed to a new table that is proposed stands in the file, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec.json import encode

from support.build import parse_catalog
from tranship.codec import parse_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.model.catalog import Catalog
from tranship.model.evidence import Evidence
from tranship.model.resolution import ResolutionFile
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.resolve import decide, open_questions
from tranship.planning.deciding.resolve.answered import without_answered
from tranship.planning.deciding.resolve.words import entry_path
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope

OLD = parse_catalog(
    "members(id int pk, login text!, email text!, pw_hash text!, full_name text, bio text, born date);"
    "posts(id int pk, member_id int! -> members.id, body text)"
)
NEW = parse_catalog(
    "users(id int8 pk, login text!, email text!, pw_hash text!);"
    "profiles(id int8 pk = 1, user_id int8! -> users.id, full_name text, bio text, born date);"
    "posts(id int8 pk, user_id int8! -> users.id, body text)"
)
SIDES = OLD, NEW
AGREED = {"action": "rename_table", "new_table": "users"}


def entries(file: ResolutionFile | None = None) -> dict[str, list[Any]]:
    made = suggest(*SIDES, make_scope(*SIDES, None)[0], Evidence(), file)
    return dict(json.loads(encode(made.document["resolutions"])))


def read(written: dict[str, list[Any]]) -> ResolutionFile:
    return parse_resolutions(parse_jsonc(Path("r.json"), json.dumps({"resolutions": written})))


def left(file: ResolutionFile, sides: tuple[Catalog, Catalog] = SIDES) -> tuple[list[str], list[str]]:
    """The columns about which a run would be refused with such a file, and the entries that are open."""
    scope, _ = make_scope(*sides, None)
    answers, decided, problems = decide(file, *sides, scope)
    comparison = compare(*sides, match(*sides, scope, decided), answers)
    open_entries = without_answered(problems, file, sides, comparison, answers)
    assert {one.code for one in open_entries} <= {"TS330"}
    changes = (change for change in open_questions(comparison, answers) if change.old_column is not None)
    return [f"{one.table}.{one.old_column}" for one in changes], list(map(entry_path, open_entries))


def test_a_rename_that_follows_from_an_open_one_is_asked() -> None:
    made = entries()
    assert made["members"][0]["action"] == "SPECIFY_ACTION", "profiles and users may be meant"
    (asked,) = made["posts"]
    assert (asked["old_column"], asked["new_column"], asked["action"]) == (
        "member_id",
        "user_id",
        "SPECIFY_ACTION",
    )
    assert asked["_evidence"][-1] == "it needs no answer once 'members' becomes what is proposed"
    assert left(read(made))[0] == ["public.posts.member_id"]


def test_it_is_answered_by_the_table_that_it_waits_for() -> None:
    """Its placeholder may stay, and the next file lacks it."""
    made = entries()
    made["members"][0] |= AGREED
    changes, open_ = left(read(made))
    assert changes == [f"public.members.{name}" for name in ("full_name", "bio", "born")]
    assert "$.resolutions.posts[0]" not in open_
    assert "posts" not in entries(read({"members": [AGREED]}))


def test_columns_of_an_open_table_wait_for_it() -> None:
    """Nobody is told that NEW has no counterpart of a table beside the question which one it is."""
    decided = {"old_column": "bio", "action": "ignore"}
    asked = {"members": [{"action": "SPECIFY_ACTION"}, decided]}
    assert left(read(asked))[1] == ["$.resolutions.members[0]"]
