"""Which open entries are answered because other decisions take up what they ask about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.build import parse_catalog
from tranship.codec import parse_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.resolve import decide
from tranship.planning.deciding.resolve.answered import without_answered
from tranship.planning.deciding.resolve.mentions import with_mentions
from tranship.planning.deciding.resolve.words import entry_path
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope

OLD = "m(id int pk, login text, bio text, tags text); attr(m_id int, v text); lost(id int)"
NEW = "m(id int pk, login text, size int!); p(m_id int pk, bio text); tag(m_id int, tag text)"
ASKS = {"action": "SPECIFY_ACTION"}
BIO, TAGS = {**ASKS, "old_column": "bio"}, {**ASKS, "old_column": "tags"}
SPLIT = {"m -> p": [{"action": "transform", "old_column": "id", "new_column": "m_id"}]}
ROWS = {
    "m -> tag": [
        {"action": "rows", "from": "regexp_split_to_table(old.tags, ',') AS item(v)"},
        {"action": "transform", "old_column": "id", "new_column": "m_id"},
        {"action": "transform", "new_column": "tag", "transform_sql": "item.v"},
    ]
}
READ = {
    "action": "transform",
    "new_column": "size",
    "transform_sql": "(SELECT count(*) FROM public.attr AS a WHERE a.m_id = old.id)",
}


@pytest.mark.parametrize(
    ("entries", "left"),
    [
        ({"m": [BIO, TAGS]}, ["$.resolutions.m[0]", "$.resolutions.m[1]"]),
        ({"m": [BIO, TAGS], **SPLIT}, ["$.resolutions.m[1]"]),
        ({"m": [BIO, TAGS], **SPLIT, **ROWS}, []),
        ({"m": [{**BIO, "new_column": "SPECIFY_NEW_COLUMN_NAME"}], **SPLIT}, []),
        # It asks for a new column of its own table, too, or is half decided.
        ({"m": [{**BIO, "new_column": "size"}], **SPLIT}, ["$.resolutions.m[0]"]),
        (
            {"m": [{**BIO, "action": "rename", "new_column": "SPECIFY_NEW_COLUMN_NAME"}], **SPLIT},
            ["$.resolutions.m[0]"],
        ),
        # One of two columns is not taken up.
        ({"m": [{**ASKS, "old_columns": ["bio", "login"]}], **SPLIT}, ["$.resolutions.m[0]"]),
        ({"m": [READ], "attr": [ASKS], "lost": [ASKS]}, ["$.resolutions.lost[0]"]),
        # A table that is moved asks about its rows.
        ({"m": [READ, ASKS], **SPLIT}, ["$.resolutions.m[1]"]),
    ],
)
def test_what_is_taken_up_is_answered(entries: dict[str, list[Any]], left: list[str]) -> None:
    assert open_entries(OLD, NEW, entries) == left


def test_references_that_follow_a_new_key_are_answered() -> None:
    """The columns of the question may stand beside the action: whoever fills it in need not delete them."""
    old, new = (
        "team(id int pk); player(id int pk, team int -> team.id)",
        "team(id uuid pk); player(id int pk, team uuid -> team.id)",
    )
    asked = {**ASKS, "old_column": "team", "new_column": "team"}
    given = {"action": "new_key", "column": "id", "as": "uuid", "old_column": "id", "new_column": "id"}
    assert open_entries(old, new, {"team": [given], "player": [asked]}) == []
    assert open_entries(old, new, {"player": [asked]}) == ["$.resolutions.player[0]"]


def open_entries(old_text: str, new_text: str, entries: dict[str, list[Any]]) -> list[str]:
    """Returns the paths of the entries that are still open or wrong."""
    old, new = parse_catalog(old_text), parse_catalog(new_text)
    scope, _ = make_scope(old, new, None)
    file = parse_resolutions(parse_jsonc(Path("r.json"), json.dumps({"resolutions": entries})))
    answers, decided, problems = decide(file, old, new, scope)
    matching = match(old, new, scope, decided)
    comparison = compare(old, new, matching, answers)
    answers = with_mentions(answers, comparison)
    found = without_answered(problems, file, (old, new), comparison, answers)
    return [entry_path(one) for one in found if not one.warning]
