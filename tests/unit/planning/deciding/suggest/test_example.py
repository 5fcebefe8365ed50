"""The example beside each open question: an entry that is right, about the columns of the question."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec.structs import replace

from support.build import parse_catalog
from tranship.codec import encode, read_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.codec.schema import SCHEMA_FILE, resolutions_schema
from tranship.model.evidence import Evidence
from tranship.model.resolution import Action
from tranship.planning.deciding.resolve.words import check_fields
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.scope import make_scope

OLD = parse_catalog(
    "users(id int pk, first_name text, last_name text, state text, fax text, came timestamp, went timestamp);"
    " gone(id int pk, a text); orders(id int pk, at timestamp)",
    database="old",
)
NEW = parse_catalog(
    "users(id int pk, full_name text!, state int, size int!, came timestamptz, went timestamptz);"
    " orders(id int pk, at timestamptz)",
    database="new",
)


def _document(folder: Path) -> dict[str, object]:
    existing = folder / "first.json"
    existing.write_text('{"resolutions": {}}', encoding="utf-8")
    file = parse_resolutions(read_jsonc(existing))
    made = suggest(OLD, NEW, make_scope(OLD, NEW, None)[0], Evidence(), file)
    found: dict[str, object] = json.loads(encode(made.document))
    return found


def test_each_open_question_has_an_example_of_its_own_columns(tmp_path: Path) -> None:
    document = _document(tmp_path)
    tables = document["resolutions"]
    assert isinstance(tables, dict)
    entries = [(table, entry) for table, own in tables.items() for entry in own]
    assert {table for table, _ in entries} == {"users", "gone"}
    for table, entry in entries:
        asked = {name: value for name, value in entry.items() if not name.startswith("_")}
        assert ("_example" in entry) == ("SPECIFY_" in json.dumps(asked)), entry
        example = entry.get("_example", entry)
        named = {name: entry[name] for name in ("old_column", "new_column") if name in entry}
        assert "old_columns" in example or named.items() <= example.items(), (table, entry)


def test_an_example_taken_as_the_answer_is_a_right_entry(tmp_path: Path) -> None:
    tables = _document(tmp_path)["resolutions"]
    assert isinstance(tables, dict)
    answered = {
        table: [{**one.get("_example", one), "because": "tried"} for one in own]
        for table, own in tables.items()
    }
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"resolutions": answered}), encoding="utf-8")
    file = parse_resolutions(read_jsonc(path))
    assert file.problems == ()
    assert [told for entry in file.entries for told in check_fields(entry, Action(entry.action))] == []


def test_the_example_of_a_pattern_names_another_time_zone() -> None:
    existing = replace(
        parse_catalog("a(id int pk, x timestamp, y timestamp)", database="old"), timezone="Europe/Berlin"
    )
    new = parse_catalog("a(id int pk, x timestamptz, y timestamptz)", database="new")
    made = suggest(existing, new, make_scope(existing, new, None)[0], Evidence())
    (entry,) = json.loads(encode(made.document))["for_all"]
    assert entry["action"] == "SPECIFY_ACTION", entry
    assert entry["_example"]["transform_sql"] == "old.{old_column} AT TIME ZONE 'Europe/Berlin'"
    assert entry["_example"]["when"] == entry["when"]


def test_the_file_names_its_schema(tmp_path: Path) -> None:
    document = _document(tmp_path)
    assert document["$schema"] == SCHEMA_FILE
    assert "$schema" in resolutions_schema()["properties"]
    path = tmp_path / "r.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert parse_resolutions(read_jsonc(path)).problems == ()
