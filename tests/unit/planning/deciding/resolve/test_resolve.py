"""Resolutions: right ones become answers, wrong ones are all named at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from support import SHARED
from support.build import parse_catalog
from tranship.codec import read_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.errors import UsageError
from tranship.model.catalog import Catalog
from tranship.model.change import Change, ChangeClass, Comparison, Matching
from tranship.model.names import TableName
from tranship.model.resolution import Answers, Problem, ResolutionFile
from tranship.planning.deciding.resolve import decide, open_questions
from tranship.planning.matching.match import Decided
from tranship.planning.matching.scope import make_scope

OLD = "t(id int pk, a text, b text, s text); other(id int pk)"
NEW = "t(id int pk, a text!, c text, s int); lk(id int, name text); other(id int pk)"
GOOD = {"old_column": "s", "new_column": "s", "action": "transform", "value_mapping": {"X": 1}}
RENAME = {"old_column": "b", "new_column": "c", "action": "rename"}


@pytest.fixture
def read(tmp_path: Path) -> object:
    def read(text: str) -> ResolutionFile:
        path = tmp_path / "r.json"
        path.write_text(text, encoding="utf-8")
        return parse_resolutions(read_jsonc(path))

    return read


class Asked:
    """What ``decide`` said."""

    def __init__(
        self,
        folder: Path,
        entries: Mapping[str, object],
        old: Catalog,
        new: Catalog,
        tables: Sequence[str] | None = None,
    ) -> None:
        path = folder / "resolutions.json"
        path.write_text(json.dumps({"resolutions": entries}), encoding="utf-8")
        made, problems = make_scope(old, new, tables)
        assert not [p for p in problems if not p.warning]
        self.answers: Answers
        self.decided: Decided
        self.problems: tuple[Problem, ...]
        self.answers, self.decided, self.problems = decide(
            parse_resolutions(read_jsonc(path)), old, new, made
        )

    @property
    def wrong(self) -> list[str]:
        return [f"{p.object}: {p.message} {p.hint}" for p in self.problems if not p.warning]

    @property
    def codes(self) -> list[str]:
        return sorted(p.code for p in self.problems)


def ask(
    folder: Path, entries: Sequence[object], old: str = OLD, new: str = NEW, **enums: Sequence[str]
) -> Asked:
    return Asked(
        folder,
        {"t": list(entries)},
        parse_catalog(old, database="old", enums=enums),
        parse_catalog(new, database="new", enums=enums),
    )


def test_right_ones_become_answers(tmp_path: Path) -> None:
    asked = ask(tmp_path, [RENAME, GOOD])
    assert not asked.problems
    assert [d.action for d in asked.answers.decisions] == ["rename", "transform"]
    t = TableName("public", "t")
    assert asked.decided.columns == ((t, "b", "c"), (t, "s", "s"))
    assert asked.answers.decisions[1].resolution.value_mapping == (("X", "1"),)


WRONG = {
    "unknown old column": (
        [{"old_column": "bb", "new_column": "c", "action": "rename"}, GOOD],
        ["'bb'", "did you mean 'b'"],
    ),
    "unknown new column": (
        [{"old_column": "b", "new_column": "cc", "action": "rename"}, GOOD],
        ["'cc'", "did you mean 'c'"],
    ),
    "unknown action": (
        [{"old_column": "b", "new_column": "c", "action": "renmae"}],
        ["'renmae'", "did you mean 'rename'"],
    ),
    "no action": ([{"old_column": "b", "new_column": "c"}], ["has no action"]),
    "two fill one": (
        [RENAME, {"new_column": "c", "action": "default", "default_value": "x"}],
        ["'c' is already filled", "$.resolutions.t[1] (t.c)"],
    ),
    "unknown lookup table": (
        [
            {
                **RENAME,
                "action": "transform",
                "lookup_table": {"table": "nope", "key_column": "name", "value_column": "id"},
            }
        ],
        ["'nope'"],
    ),
    "unknown lookup column": (
        [
            {
                **RENAME,
                "action": "transform",
                "lookup_table": {"table": "lk", "key_column": "nam", "value_column": "id"},
            }
        ],
        ["'nam'", "did you mean 'name'"],
    ),
    "mapping and lookup": (
        [{**GOOD, "lookup_table": {"table": "lk", "key_column": "name", "value_column": "id"}}],
        ["exclude each other"],
    ),
    "default for what OLD fills": (
        [{"new_column": "a", "action": "default", "default_value": "x"}],
        ["'a' fills 'a'", "ignore"],
    ),
    "default of another type": (
        [{**GOOD, "default_value": "none"}],
        ["default_value 'none' is no value of column 's' (integer)"],
    ),
    "misspelt field": (
        [{"old_column": "s", "new_column": "s", "action": "transform", "value_maping": {"X": 1}}],
        ["unknown field 'value_maping'", "did you mean 'value_mapping'", "$.resolutions.t[0].value_maping"],
    ),
    "ignore of a NOT NULL": (
        [{"old_column": "a", "action": "ignore"}],
        ["'a' is NOT NULL without a default"],
    ),
    "rename over a breaking conversion": (
        [{"old_column": "s", "new_column": "s", "action": "rename"}],
        ["action 'transform'"],
    ),
    "missing field": ([{"old_column": "b", "action": "rename"}], ["needs 'new_column'"]),
    "default without value": ([{"new_column": "c", "action": "default"}], ["needs 'default_value'"]),
    "a field of another action": ([{**RENAME, "value_mapping": {}}], ["takes no 'value_mapping'"]),
    "default in a bare transform": (
        [{"old_column": "s", "new_column": "s", "action": "transform", "default_value": 0}],
        ["no meaning"],
    ),
    "key columns without old columns": (
        [
            {
                **RENAME,
                "action": "transform",
                "lookup_table": {"table": "lk", "key_columns": ["id", "name"], "value_column": "id"},
            }
        ],
        ["2 key columns", "1 old column"],
    ),
    "unedited placeholder": (
        [{**RENAME, "action": "transform", "transform_sql": "upper({old_column})"}],
        ["placeholder {old_column}"],
    ),
    "renamed twice": (
        [RENAME, {"old_column": "b", "new_column": "a", "action": "rename"}],
        ["renames 'b' to 'c' already"],
    ),
    "repeated": ([RENAME, RENAME], ["already filled"]),
    "ignored and renamed": (
        [{"old_column": "b", "action": "ignore"}, RENAME],
        ["is not left behind", "$.resolutions.t[0]"],
    ),
    "dropped and more": ([RENAME, {"action": "drop_table"}], ["leaves the table out"]),
    "target unknown": ([{"action": "rename_table", "new_table": "lkk"}], ["'lkk'", "did you mean 'lk'"]),
    "mapping to no scalar": ([{**GOOD, "value_mapping": {"X": [1]}}], ["must be a single value"]),
    "an empty mapping": ([{**GOOD, "value_mapping": {}}], ["value_mapping is empty"]),
    "null for NOT NULL": ([{"new_column": "d", "action": "default", "default_value": None}], ["is NOT NULL"]),
    "a schema default that is none": (
        [{"new_column": "d", "action": "default", "default_value": "USE_SCHEMA_DEFAULT"}],
        ["has no default"],
    ),
    "generated": ([{"old_column": "b", "new_column": "g", "action": "rename"}], ["generated column"]),
    "no list": ({"action": "drop_table"}, ["must be a list"]),
    "keys that are one value": (
        [
            {
                "old_column": "id",
                "new_column": "c",
                "action": "transform",
                "value_mapping": {"1": "a", "01": "b"},
            }
        ],
        ["are the same integer value"],
    ),
    "a key that is no old value": (
        [{"old_column": "id", "new_column": "c", "action": "transform", "value_mapping": {"x": "a"}}],
        ["key 'x'"],
    ),
}


@pytest.mark.parametrize(
    "field",
    [{"value_mapping": {"X": "Today 10:00"}}, {"value_mapping": {"X": "2020-01-01"}, "default_value": "now"}],
)
def test_no_constant_stands_for_the_moment_of_reading(tmp_path: Path, field: Mapping[str, object]) -> None:
    entry = {"old_column": "s", "new_column": "s", "action": "transform", **field}
    wrong = ask(tmp_path, [entry], "t(id int pk, s text)", "t(id int pk, s date)").wrong
    assert len(wrong) == 1 and "is no value of column 's' (date)" in wrong[0]
    assert "the moment at which it is read" in wrong[0]


@pytest.mark.parametrize("name", WRONG)
def test_wrong_ones_are_named(tmp_path: Path, name: str) -> None:
    entries, words = WRONG[name]
    new = NEW.replace("s int)", "s int, d int!, g text gen)")
    asked = Asked(tmp_path, {"t": entries}, parse_catalog(OLD), parse_catalog(new))
    messages = "\n".join(asked.wrong)
    assert messages
    for word in words:
        assert word in messages


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    entries = [
        {"old_column": "bb", "new_column": "cc", "action": "rename"},
        {"action": "nothing"},
        {**GOOD, "default_value": "x"},
    ]
    asked = Asked(
        tmp_path,
        {"t": entries, "no_such_table": [{"action": "drop_table"}], "othr": []},
        parse_catalog(OLD),
        parse_catalog(NEW),
    )
    messages = "\n".join(asked.wrong)
    for word in ("'bb'", "'cc'", "'nothing'", "'x' is no value", "'no_such_table'"):
        assert word in messages


@pytest.mark.skipif(not SHARED.exists(), reason="the acceptance cases are not beside the checkout")
def test_shared_variants_of_bad_resolutions(tmp_path: Path) -> None:
    folder = SHARED / "cases" / "67_bad_resolutions"
    variants = [
        json.loads((folder / "resolutions.json").read_text()),
        *json.loads((folder / "more_bad.json").read_text()),
    ]
    assert len(variants) == 12
    for variant in variants:
        assert Asked(tmp_path, variant["resolutions"], parse_catalog(OLD), parse_catalog(NEW)).wrong, variant


def test_a_wrong_enum_label_is_found_with_the_nearest(tmp_path: Path) -> None:
    entry = {
        "old_column": "s",
        "new_column": "s",
        "action": "transform",
        "value_mapping": {"A": "actve", "B": "closed"},
    }
    asked = ask(tmp_path, [entry], "t(s text)", "t(s st)", st=("active", "closed"))
    assert len(asked.wrong) == 1
    assert "'actve'" in asked.wrong[0]
    assert "did you mean 'active'?" in asked.wrong[0]
    assert "(t.s)" in asked.wrong[0]


def test_falsy_values_are_values_and_digits_are_kept(tmp_path: Path, read: object) -> None:
    text = """{"_instructions": ["x"], "resolutions": { // a comment
      "_note": "y", "t": [{"_why": 1, "action": "transform", "old_column": "a", "new_column": "b",
        "value_mapping": {"": 9007199254740993, "_x": 1.10, "n": null, "f": false},
        "default_value": 0, "null_value": ""}]}}"""
    file = read(text)  # type: ignore[operator]
    assert not file.problems
    entry = file.entries[0]
    assert entry.value_mapping == (("", "9007199254740993"), ("_x", "1.10"), ("n", None), ("f", "false"))
    assert (entry.default_value, entry.null_value) == ("0", "")
    assert entry.line == 2
    assert "9007199254740993" in entry.source


def test_a_key_twice_and_another_kind_of_file_are_refused(read: object) -> None:
    for text in ('{"resolutions": {"t": [], "t": []}}', '{"old_database": {}}', "[]", '{"resolutions": []}'):
        with pytest.raises(UsageError):
            read(text)  # type: ignore[operator]


def test_a_placeholder_is_an_open_question_unless_resolved_elsewhere(tmp_path: Path) -> None:
    gap = {"old_column": "b", "new_column": "SPECIFY_NEW_COLUMN_NAME", "action": "SPECIFY_ACTION"}
    default = {"new_column": "c", "action": "default", "default_value": "SPECIFY_DEFAULT_VALUE"}
    asked = ask(tmp_path, [gap, default, GOOD])
    assert asked.codes == ["TS330", "TS330"]
    assert [d.resolution.new_column for d in asked.answers.decisions] == ["s"]
    assert not ask(tmp_path, [gap, default, GOOD, RENAME]).problems
    ignored = ask(tmp_path, [{**gap, "action": "ignore"}, {**default, "default_value": "x"}])
    assert not ignored.problems
    assert [d.action for d in ignored.answers.decisions] == ["ignore", "default"]


def test_swaps_and_splits_are_allowed(tmp_path: Path) -> None:
    swap = [
        {"old_column": "a", "new_column": "b", "action": "rename"},
        {"old_column": "b", "new_column": "a", "action": "rename"},
    ]
    assert not ask(tmp_path, swap, "t(a text, b text)", "t(a text!, b text)").problems
    parts = {"x": "split_part(old.a, '{', 1)", "y": "('{b}'::text[])[1] || old.a"}
    split = [
        {"old_column": "a", "new_column": n, "action": "transform", "transform_sql": sql}
        for n, sql in parts.items()
    ]
    assert not ask(tmp_path, split, "t(a text)", "t(x text!, y text)").problems


def test_ignore_and_default_of_one_name_go_together(tmp_path: Path) -> None:
    entries = [
        {"old_column": "a", "action": "ignore"},
        {"new_column": "a", "action": "default", "default_value": ""},
    ]
    assert not ask(tmp_path, entries).problems


def test_keys_are_old_names_and_an_exact_name_wins_over_the_dot(tmp_path: Path) -> None:
    old = parse_catalog("crm.orders(x int); crm.users(x int); u(x int)", schemas=("crm", "public"))
    new = parse_catalog("crm.orders(x int); crm.members(x int); u(x int)", schemas=("crm", "public"))
    asked = Asked(
        tmp_path,
        {"crm.users": [{"action": "rename_table", "new_table": "members", "new_schema": "crm"}]},
        old,
        new,
    )
    assert asked.decided.tables == ((TableName("crm", "users"), TableName("crm", "members")),)
    assert not asked.problems
    asked = Asked(tmp_path, {"crm.members": [{"action": "drop_table"}]}, old, new)
    assert "old table's name" in asked.wrong[0]


def test_out_of_scope_is_a_problem_and_not_used(tmp_path: Path) -> None:
    asked = Asked(
        tmp_path,
        {"other": [{"action": "drop_table"}], "t": [RENAME, GOOD]},
        parse_catalog(OLD),
        parse_catalog(NEW),
        tables=("t",),
    )
    assert [(p.code, p.warning) for p in asked.problems] == [("TS319", True)]
    assert len(asked.answers.decisions) == 2


def test_columns_of_a_table_without_counterpart(tmp_path: Path) -> None:
    tables = {"gone": [{"old_column": "x", "action": "ignore"}]}
    assert (
        "no counterpart"
        in Asked(tmp_path, tables, parse_catalog("gone(x int)"), parse_catalog("u(y text)")).wrong[0]
    )
    renamed = {
        "gone": [
            {"action": "rename_table", "new_table": "u"},
            {"old_column": "x", "new_column": "y", "action": "rename"},
        ]
    }
    assert not Asked(tmp_path, renamed, parse_catalog("gone(x int)"), parse_catalog("u(y text)")).problems


def _change(kind: str, old: str | None, new: str | None, conversion: str | None = None) -> Change:
    return Change(
        ChangeClass.BREAKING, kind, "public.t", kind, old_column=old, new_column=new, conversion=conversion
    )


def test_one_entry_resolves_both_sides(tmp_path: Path) -> None:
    changes = (
        _change("column_removed", "b", None),
        _change("column_added", None, "c"),
        _change("type_changed", "s", "s", "asked"),
    )
    comparison = Comparison(Matching((), (), ()), changes)
    assert open_questions(comparison, Answers()) == changes
    assert not open_questions(comparison, ask(tmp_path, [RENAME, GOOD]).answers)
    assert open_questions(comparison, ask(tmp_path, [RENAME]).answers) == changes[2:]


@pytest.mark.parametrize("action", ["transform", "rename"])
def test_a_reference_without_a_conversion_names_the_key_that_has_to_be_decided_first(
    tmp_path: Path, action: str
) -> None:
    old = "t(id int pk, owner int -> p.id); p(id int pk)"
    new = "t(id int pk, owner uuid -> p.id); p(id uuid pk)"
    entry = {"old_column": "owner", "new_column": "owner", "action": action}
    (wrong,) = ask(tmp_path, [entry], old, new).wrong
    assert "integer has no conversion of its own to uuid" in wrong
    assert "if NEW's public.p.id gets values of its own, decide action 'new_key' there first" in wrong
    sides = parse_catalog(old), parse_catalog(new)
    new_key = {"action": "new_key", "column": "id", "as": "uuid"}
    assert Asked(tmp_path, {"t": [entry], "p": [new_key]}, *sides).wrong == []


def test_a_suggestion_that_stays_a_comment_is_told(tmp_path: Path) -> None:
    mapping = {"action": "transform", "value_mapping": {"a": "1"}}
    names = {"old_column": "a", "new_column": "a", "action": "transform"}
    old, new = "t(a text)", "t(a int)"
    said = ask(tmp_path, [{**names, "_suggestion": mapping}], old, new)
    assert (said.codes, said.wrong) == (["TS316"], [])
    assert "the value_mapping in _suggestion is a comment" in said.problems[0].message
    for entry in (
        {**names, "_suggestion": mapping, "value_mapping": {"a": "2"}},
        {**names, "_suggestion": mapping, "transform_sql": "old.a::int"},
        {**names, "_suggestion": mapping, "_decided": {"by": "Ann"}},
        {**names, "_suggestion": {"action": "transform"}},
        {**names, "_suggestion": "filled in: transform"},
        names,
    ):
        assert ask(tmp_path, [entry], old, new).codes == [], entry
