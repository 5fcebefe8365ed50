"""``for_all``: one decision about all columns that change from one type to another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.build import parse_catalog
from tranship.codec import encode, read_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.codec.schema import resolutions_schema
from tranship.model.catalog import Catalog
from tranship.model.change import ChangeClass
from tranship.model.evidence import ColumnFacts, Evidence
from tranship.model.names import ColumnRef, TableName
from tranship.model.resolution import Answers, Problem, ResolutionFile
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.resolve import asked_about, decide
from tranship.planning.deciding.suggest import Suggestions, suggest
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope

OLD = "a(id int pk, at timestamp, upto timestamp); b(id int pk, On timestamp(3)); c(id int pk, s text)"
NEW = "a(id int pk, at timestamptz, upto timestamptz); b(id int pk, On timestamptz); c(id int pk, s int)"
ZONE = {"tables": "*", "when": "timestamp -> timestamptz", "action": "transform"}
UTC = {**ZONE, "transform_sql": "old.{old_column} AT TIME ZONE 'UTC'"}
OPEN = {**ZONE, "action": "SPECIFY_ACTION"}


def catalogs(zone: str = "Asia/Tokyo", old: str = OLD, new: str = NEW) -> tuple[Catalog, Catalog]:
    before, after = parse_catalog(old, database="old"), parse_catalog(new, database="new")
    return replace(before, timezone=zone), after


def read(folder: Path, patterns: object, **tables: object) -> ResolutionFile:
    path = folder / "r.json"
    path.write_text(json.dumps({"for_all": patterns, "resolutions": tables}), encoding="utf-8")
    return parse_resolutions(read_jsonc(path))


def ask(folder: Path, patterns: object, **tables: object) -> tuple[Answers, tuple[Problem, ...]]:
    old, new = catalogs()
    answers, _, problems = decide(read(folder, patterns, **tables), old, new, make_scope(old, new, None)[0])
    return answers, problems


def made(answers: Answers) -> list[tuple[str, str | None, str | None]]:
    """What was decided: table and column, action or expression."""
    return [
        (f"{d.old_table.name}.{d.resolution.new_column}", str(d.action), d.resolution.transform_sql)
        for d in answers.decisions
    ]


def test_a_pattern_becomes_an_entry_for_each_of_its_columns(tmp_path: Path) -> None:
    answers, problems = ask(tmp_path, [UTC])
    assert not problems
    assert made(answers) == [
        ("a.at", "transform", "old.at AT TIME ZONE 'UTC'"),
        ("a.upto", "transform", "old.upto AT TIME ZONE 'UTC'"),
        ("b.On", "transform", "old.\"On\" AT TIME ZONE 'UTC'"),
    ]
    quoted = {**ZONE, "transform_sql": "coalesce(old.\"{old_column}\", '{old_column}'::timestamp)"}
    assert made(ask(tmp_path, [quoted])[0])[2][2] == "coalesce(old.\"On\", '{old_column}'::timestamp)"


@pytest.mark.parametrize(
    ("tables", "when", "columns"),
    [
        ("*", "timestamp without time zone → timestamp with time zone", ["a.at", "a.upto", "b.On"]),
        ("*", "TIMESTAMP(3) without time zone -> timestamptz", ["b.On"]),
        ("a", "timestamp->timestamptz", ["a.at", "a.upto"]),
        ("public.?", "timestamp  ->  timestamptz", ["a.at", "a.upto", "b.On"]),
        ("*c", "text -> integer", ["c.s"]),
    ],
)
def test_tables_and_types_are_named_as_people_write_them(
    tmp_path: Path, tables: str, when: str, columns: Sequence[str]
) -> None:
    answers, problems = ask(tmp_path, [{**ZONE, "tables": tables, "when": when}])
    assert not problems
    assert [name for name, _, _ in made(answers)] == list(columns)


@pytest.mark.parametrize(
    "own",
    [
        {"action": "transform", "old_column": "at", "new_column": "at"},
        {"action": "default", "new_column": "at", "default_value": None},
        {"action": "ignore", "old_column": "at"},
    ],
)
def test_an_entry_under_the_name_of_the_table_beats_a_pattern(tmp_path: Path, own: dict[str, Any]) -> None:
    answers, problems = ask(tmp_path, [UTC], a=[own])
    assert [p.code for p in problems if not p.warning] in ([], ["TS325"])  # ignore + default contradict OLD
    others = [entry for entry in made(answers) if entry[2] is not None]
    assert [name for name, _, _ in others] == ["a.upto", "b.On"]


def test_an_open_entry_of_the_table_is_not_answered_by_a_pattern(tmp_path: Path) -> None:
    own = {"action": "SPECIFY_ACTION", "old_column": "at", "new_column": "at"}
    answers, problems = ask(tmp_path, [UTC], a=[own])
    assert [name for name, _, _ in made(answers)] == ["a.upto", "b.On"]
    assert [(p.code, p.object[:20]) for p in problems] == [("TS330", "$.resolutions.a[0] (")]


def test_a_table_that_is_left_out_takes_no_pattern(tmp_path: Path) -> None:
    answers, problems = ask(tmp_path, [UTC], a=[{"action": "drop_table"}])
    assert not problems
    assert [name for name, _, _ in made(answers)] == ["a.None", "b.On"]


def test_two_patterns_that_decide_one_column_differently_are_an_error(tmp_path: Path) -> None:
    _, problems = ask(tmp_path, [UTC, ZONE])
    assert [(p.code, p.object.split(" (")[0]) for p in problems] == [("TS325", "$.for_all[1]")]
    assert "$.for_all[0]" in problems[0].message
    assert not ask(tmp_path, [UTC, {**UTC, "tables": "a", "because": "the same"}])[1]
    assert not ask(tmp_path, [{**UTC, "tables": "a"}, {**ZONE, "tables": "b"}])[1]


def test_a_pattern_about_tables_that_the_command_line_leaves_out_is_no_error(tmp_path: Path) -> None:
    old, new = catalogs()
    scope = replace(make_scope(old, new, None)[0], only=(TableName("public", "c"),))
    answers, _, problems = decide(read(tmp_path, [UTC]), old, new, scope)
    assert (answers.decisions, problems) == ((), ())
    assert [one.code for one in decide(read(tmp_path, [{**UTC, "action": "x"}]), old, new, scope)[2]]


@pytest.mark.parametrize(
    ("pattern", "code", "words"),
    [
        ({**ZONE, "tables": "z*"}, "TS318", "check 'tables'"),
        ({**ZONE, "when": "timestam -> timestamptz"}, "TS318", "did you mean 'timestamp -> timestamptz'?"),
        ({**ZONE, "when": "uuid -> bytea"}, "TS318", "types that change: text -> int4, timestamp"),
        ({**ZONE, "when": "timestamptz"}, "TS320", "an old and a new type"),
        ({"tables": "*", "action": "transform"}, "TS320", "needs 'when'"),
        ({**ZONE, "old_column": "at"}, "TS320", "unknown field 'old_column'"),
        ({**ZONE, "action": "ignore"}, "TS323", "use 'transform'"),
        ({**ZONE, "action": "transfrom"}, "TS323", "did you mean 'transform'?"),
        ({**ZONE, "transform_sql": "old.{column}"}, "TS324", "{column}"),
        ("transform", "TS320", "an object with"),
    ],
)
def test_a_wrong_pattern_is_one_error(tmp_path: Path, pattern: object, code: str, words: str) -> None:
    answers, problems = ask(tmp_path, [pattern])
    assert [p.code for p in problems if not p.warning] == [code]
    assert problems[0].object.startswith("$.for_all[0]")
    assert words in f"{problems[0].message} {problems[0].hint}"
    assert not answers.decisions


def test_the_list_of_patterns_has_a_shape(tmp_path: Path) -> None:
    assert [p.code for p in read(tmp_path, {}).problems] == ["TS320"]
    assert not read(tmp_path, []).problems
    assert set(resolutions_schema()["properties"]) >= {"for_all", "resolutions"}


def test_comments_stay_with_their_patterns(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(
        '{"for_all": [\n// as Ada says\n{"tables": "*", "when": "text -> integer", "action": "transform"}],\n'
        '"resolutions": {"a": [\n// as Bob says\n{"action": "ignore", "old_column": "at"}]}\n}',
        encoding="utf-8",
    )
    file = parse_resolutions(read_jsonc(path))
    assert "as Ada says" in file.for_all[0].entry.source
    assert "as Bob says" in file.entries[0].source
    assert not file.remarks


def test_an_open_pattern_is_one_question(tmp_path: Path) -> None:
    answers, problems = ask(tmp_path, [OPEN])
    assert [(p.code, p.object.split(" (")[0]) for p in problems] == [("TS330", "$.for_all[0]")]
    assert not answers.decisions
    old, new = catalogs()
    places = asked_about(read(tmp_path, [OPEN]), (old, new), make_scope(old, new, None)[0])
    assert set(places.values()) == {"$.for_all[0]"}
    assert ("public.b", "old", "On") in places
    assert not ask(tmp_path, [OPEN, UTC])[1]


def test_an_open_pattern_about_tables_that_are_not_paired_yet_is_a_question(tmp_path: Path) -> None:
    """It is counted as `generate` counts it."""
    old, new = catalogs(old="old_a(id int pk, at timestamp)", new="new_a(id int pk, at timestamptz)")
    scope = make_scope(old, new, None)[0]
    _, _, problems = decide(read(tmp_path, [OPEN]), old, new, scope)
    assert [(p.code, p.object.split(" (")[0]) for p in problems] == [("TS330", "$.for_all[0]")]
    assert not decide(read(tmp_path, [UTC]), old, new, scope)[2]
    far = {**OPEN, "when": "integer -> timestamptz"}
    assert not decide(read(tmp_path, [far]), old, new, scope)[2], "no pair of columns has these types"


def suggested(
    *facts: ColumnFacts, zone: str = "Asia/Tokyo", file: ResolutionFile | None = None
) -> Suggestions:
    old, new = catalogs(zone)
    return suggest(old, new, make_scope(old, new, None)[0], Evidence(columns=facts), file)


def document(suggestions: Suggestions) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(encode(suggestions.document))
    return read


def held(column: str, rows: int, nulls: int, table: str = "a") -> ColumnFacts:
    return ColumnFacts(ColumnRef(TableName("public", table), column), rows, nulls, int(rows > nulls))


def test_equal_questions_are_asked_once_with_both_readings() -> None:
    made = suggested(held("at", 5, 0), held("upto", 5, 5))
    written = document(made)
    (pattern,) = written["for_all"]
    assert (pattern["tables"], pattern["when"]) == ("*", "timestamp -> timestamptz")
    assert pattern["action"] == "SPECIFY_ACTION"
    assert pattern["_suggestion"]["action"] == "transform"
    evidence = "\n".join(pattern["_evidence"])
    assert "time zone Asia/Tokyo" in evidence
    assert "transform_sql old.{old_column} AT TIME ZONE 'UTC'" in evidence
    assert "columns: a.at, b.On" in evidence
    assert "without a value, so not asked about: a.upto" in evidence
    assert set(written["resolutions"]) == {"c"}
    assert [(q.number, q.table) for q in made.questions] == [(1, "*"), (2, "c")]


def test_the_question_is_answered_where_the_zone_of_old_is_utc() -> None:
    (pattern,) = document(suggested(held("at", 5, 0), zone="Etc/UTC"))["for_all"]
    assert pattern["action"] == "transform"
    assert any("Etc/UTC" in line for line in pattern["_evidence"])


def test_columns_that_hold_no_value_ask_nothing() -> None:
    (pattern,) = document(suggested(held("at", 5, 5), held("upto", 0, 0), held("On", 0, 0, table="b")))[
        "for_all"
    ]
    assert pattern["action"] == "transform"
    assert any("OLD holds no value in any of them" in line for line in pattern["_evidence"])


def test_decided_patterns_are_kept_and_open_ones_asked_again(tmp_path: Path) -> None:
    kept = suggested(file=read(tmp_path, [UTC]))
    assert kept.kept == 1
    assert document(kept)["for_all"] == [UTC]
    (again,) = document(suggested(file=read(tmp_path, [OPEN])))["for_all"]
    assert "_evidence" in again
    remarked = {**OPEN, "because": "ask Ada"}
    assert document(suggested(file=read(tmp_path, [remarked])))["for_all"] == [remarked]
    partly = suggested(file=read(tmp_path, [{**UTC, "tables": "a"}]))
    assert [entry.get("new_column") for entry in document(partly)["resolutions"]["b"]] == ["On"]
    gone = suggested(file=read(tmp_path, [{**UTC, "tables": "gone"}]))
    assert [one.path for one in gone.dropped] == ["$.for_all[0]"]


@pytest.mark.parametrize("pattern", [UTC, ZONE, {**OPEN, "because": "ask Ada"}])
def test_a_pattern_speaks_of_a_table_whose_rename_is_proposed(
    tmp_path: Path, pattern: dict[str, object]
) -> None:
    old, new = catalogs(
        old="bill(id int pk, made timestamp, seen timestamp, sum int, who text); a(id int pk, at timestamp)",
        new="bills(id int pk, made timestamptz, seen timestamptz, sum int, who text); a(id int pk, at timestamptz)",
    )
    scope = make_scope(old, new, None)[0]
    facts = (held("made", 5, 0, table="bill"), held("seen", 5, 0, table="bill"))
    fresh = document(suggest(old, new, scope, Evidence(columns=facts)))
    assert [entry["action"] for entry in fresh["resolutions"]["bill"]] == ["rename_table"]
    again = suggest(old, new, scope, Evidence(columns=facts), read(tmp_path, [pattern]))
    assert document(again)["for_all"] == [pattern]
    assert [question.table for question in again.questions if question.table != "*"] == ["bill"]


def test_the_generated_file_is_a_file_that_can_be_decided(tmp_path: Path) -> None:
    path = tmp_path / "made.json"
    path.write_bytes(encode(suggested(held("at", 5, 0), zone="UTC").document))
    old, new = catalogs("UTC")
    answers, _, problems = decide(
        parse_resolutions(read_jsonc(path)), old, new, make_scope(old, new, None)[0]
    )
    assert [name for name, _, _ in made(answers)] == ["a.at", "a.upto", "b.On"]
    assert {p.object.split(".")[1] for p in problems} <= {"resolutions"}


RENAMED = (
    "event(event_id int pk, label text, noted timestamp); visit(visit_id int pk, who text, came timestamp)",
    "events(id bigint pk, label text, noted timestamptz); visits(id int pk, who text, came timestamptz)",
)


def test_a_pattern_waits_for_tables_that_nobody_has_paired_yet(tmp_path: Path) -> None:
    """Its columns may be those of a table that is renamed: what a person decided is not dropped meanwhile."""
    old, new = catalogs("Etc/UTC", *RENAMED)
    scope = make_scope(old, new, None)[0]
    first = suggest(old, new, scope, Evidence(), read(tmp_path, []))
    assert document(first)["for_all"][0]["when"] == "timestamp -> timestamptz"
    file = read(tmp_path, [UTC])
    assert "TS318" not in {one.code for one in decide(file, old, new, scope)[2]}
    again = suggest(old, new, scope, Evidence(), file)
    assert (again.dropped, document(again)["for_all"]) == ((), [UTC])
    assert not [one for one in again.questions if one.table == "for_all" or "time zone" in one.text]


def test_a_pattern_does_not_wait_for_tables_that_are_left_out(tmp_path: Path) -> None:
    old, new = catalogs("Etc/UTC", *RENAMED)
    scope = make_scope(old, new, None)[0]
    out = {name: [{"action": "drop_table"}] for name in ("event", "visit")}
    for patterns, tables in (([UTC], out), ([{**UTC, "when": "date -> timestamptz"}], {})):
        problems = decide(read(tmp_path, patterns, **tables), old, new, scope)[2]
        assert "TS318" in {one.code for one in problems}


def test_a_rename_stands_while_the_question_about_its_types_is_open(tmp_path: Path) -> None:
    """Its column was asked about as if nobody had said what becomes of it."""
    new = "a(id int pk, occurred timestamptz!, upto timestamptz); b(id int pk, On timestamptz); c(id int pk, s int)"
    old_side, new_side = catalogs(new=new)
    rename = {"action": "rename", "old_column": "at", "new_column": "occurred"}
    file = read(tmp_path, [OPEN], a=[rename])
    scope = make_scope(old_side, new_side, None)[0]
    answers, decided, _ = decide(file, old_side, new_side, scope)
    assert not made(answers), "how its values are read is not decided"
    matching = match(old_side, new_side, scope, decided)
    left = compare(old_side, new_side, matching, answers).of(ChangeClass.BREAKING)
    assert [one.old_column for one in left if one.table == "public.a"] == ["at", "upto"]
    assert {one.new_column for one in left if one.table == "public.a"} == {"occurred", "upto"}
    asked = [one.text for one in suggest(old_side, new_side, scope, Evidence(), file).questions]
    assert len([one for one in asked if "in which time zone" in one]) == 1
    assert not [one for one in asked if "'occurred'" in one or "'at'" in one], asked
