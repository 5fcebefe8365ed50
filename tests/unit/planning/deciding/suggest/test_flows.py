"""What ``resolve generate`` makes of a file that names flows, and the examples in every file."""

from __future__ import annotations

import json
from pathlib import Path

from support.build import parse_catalog
from tranship.codec import encode, read_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.model.evidence import Evidence
from tranship.model.resolution import Action
from tranship.planning.deciding.resolve import decide
from tranship.planning.deciding.resolve.words import action_of, check_fields
from tranship.planning.deciding.suggest import Suggestions, suggest
from tranship.planning.deciding.suggest.document import examples
from tranship.planning.matching.scope import make_scope

OLD = parse_catalog("members(id int pk, name text, bio text, gone text); attr(e int, v text)", database="old")
NEW = parse_catalog(
    "members(id int pk, name text); profiles(user_id int pk, bio text, rank int!); looks(e int pk, v text)",
    database="new",
)
SCOPE = make_scope(OLD, NEW, None)[0]


def again(folder: Path, entries: dict[str, object]) -> Suggestions:
    path = folder / "r.json"
    path.write_text(json.dumps({"resolutions": entries}), encoding="utf-8")
    return suggest(OLD, NEW, SCOPE, Evidence(), parse_resolutions(read_jsonc(path)))


def keys(made: Suggestions) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(encode(made.document))["resolutions"]
    return found


def test_flows_are_kept_and_asked_under_their_names(tmp_path: Path) -> None:
    made = again(tmp_path, {"members→profiles": [{"action": "filter", "where": "old.bio <> ''"}]})
    written = keys(made)
    assert written["members -> profiles"][0] == {"action": "filter", "where": "old.bio <> ''"}
    assert [entry.get("new_column") for entry in written["members -> profiles"][1:]] == ["user_id", "rank"]
    assert [entry["old_column"] for entry in written["members"]] == ["gone"]
    assert made.kept == 1
    assert {question.table for question in made.questions} == {"members", "members -> profiles", "attr"}


def test_a_key_without_entries_is_kept(tmp_path: Path) -> None:
    new = parse_catalog("members(id int pk, name text); profiles(id int pk, bio text)", database="new")
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"resolutions": {"members -> profiles": []}}), encoding="utf-8")
    made = suggest(OLD, new, SCOPE, Evidence(), parse_resolutions(read_jsonc(path)))
    assert keys(made)["members -> profiles"] == []


def test_what_sql_names_is_not_asked_about(tmp_path: Path) -> None:
    looks = {"action": "query", "key": "e", "sql": "SELECT e, max(v) AS v FROM public.attr GROUP BY e"}
    use = {
        "action": "transform",
        "new_column": "name",
        "transform_sql": "concat(old.name, old.gone, old.bio)",
    }
    made = again(tmp_path, {"x -> looks": [looks], "members": [use]})
    assert not made.questions
    assert made.dropped == ()


def test_each_action_has_an_example_that_is_right(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(f'{{"resolutions": {examples()}}}', encoding="utf-8")
    file = parse_resolutions(read_jsonc(path))
    assert file.problems == ()
    actions = {action_of(entry): entry for entry in file.entries}
    assert actions.keys() == set(Action)
    assert [told for entry in file.entries for told in check_fields(entry, Action(entry.action))] == []


def test_examples_decide_nothing(tmp_path: Path) -> None:
    first = again(tmp_path, {})
    path = tmp_path / "again.json"
    path.write_bytes(encode(first.document))
    file = parse_resolutions(read_jsonc(path))
    assert decide(file, OLD, NEW, SCOPE)[0].decisions == ()
    assert encode(suggest(OLD, NEW, SCOPE, Evidence(), file).document) == encode(first.document)
