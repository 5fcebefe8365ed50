"""Suggestions: every open question comes with the answer that the evidence speaks for, and nothing is decided
by itself.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from support.build import parse_catalog
from tranship.codec import encode, read_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.model.catalog import Catalog, Key
from tranship.model.evidence import (
    ColumnFacts,
    Evidence,
    LookupFacts,
    LookupQuestion,
    Misfits,
    Refusals,
    RowsOfOld,
    TrialFacts,
    ValueCount,
)
from tranship.model.names import ColumnRef, Side, TableName
from tranship.planning.deciding.data_questions import data_questions, provisional_comparison
from tranship.planning.deciding.resolve import decide
from tranship.planning.deciding.suggest import Suggestions, suggest, trial_questions
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import Scope, make_scope

T = TableName("public", "t")


def scope_of(old: Catalog, new: Catalog) -> Scope:
    return make_scope(old, new, None)[0]


def facts(column: str, values: dict[str, int], *, nulls: int = 0, complete: bool = True) -> ColumnFacts:
    counted = tuple(ValueCount(value, rows) for value, rows in values.items())
    return ColumnFacts(
        ColumnRef(T, column), sum(values.values()) + nulls, nulls, len(values), counted, complete
    )


def run(
    old: str, new: str, *columns: ColumnFacts, folder: Path | None = None, existing: str = "", **more: object
) -> Suggestions:
    enums = {"st": ("active", "closed", "on_hold")}
    before, after = parse_catalog(old, enums=enums), parse_catalog(new, enums=enums)
    file = None
    if folder is not None:
        path = folder / "r.json"
        path.write_text(existing, encoding="utf-8")
        file = parse_resolutions(read_jsonc(path))
    return suggest(before, after, scope_of(before, after), Evidence(columns=columns, **more), file)  # type: ignore[arg-type]


def entries(made: Suggestions, table: str = "t") -> list[dict[str, object]]:
    return json.loads(encode(made.document))["resolutions"].get(table, [])


def test_nothing_open_says_so() -> None:
    made = run("t(id int pk, a varchar(10))", "t(id bigint pk, a text, b text)")
    assert made.nothing_open
    assert not made.questions


def test_the_file_opens_with_instructions_and_is_the_same_every_time() -> None:
    make = lambda: encode(run("t(a text, b text)", "t(a int, c text!)").document)  # noqa: E731
    assert make() == make()
    assert [*json.loads(make())][:2] == ["_instructions", "$schema"]


def test_a_bare_transform_that_would_reject_rows_is_not_filled_in() -> None:
    refs = ColumnRef(T, "a"), ColumnRef(T, "a")
    made = run(
        "t(a varchar(100))", "t(a varchar(10))", misfits=(Misfits(*refs, 3, "longer than 10 characters"),)
    )
    (entry,) = entries(made)
    assert (entry["action"], entry["_suggestion"]["action"]) == ("SPECIFY_ACTION", "transform")  # type: ignore[index]
    assert any("3 rows are longer than 10" in str(line) for line in entry["_evidence"])  # type: ignore[attr-defined]
    none = run(
        "t(a varchar(100))", "t(a varchar(10))", misfits=(Misfits(*refs, 0, "longer than 10 characters"),)
    )
    assert none.questions[0].answered
    assert not run("t(a varchar(100))", "t(a varchar(10))").questions[0].answered


def test_a_conversion_that_no_value_survives_is_not_filled_in() -> None:
    (entry,) = entries(run("t(a text)", "t(a int)", facts("a", {"abc": 5, "def": 1})))
    assert entry["action"] == "SPECIFY_ACTION"
    assert entry["_suggestion"]["value_mapping"] == {
        "abc": "SPECIFY_DEFAULT_VALUE",
        "def": "SPECIFY_DEFAULT_VALUE",
    }  # type: ignore[index]


def test_texts_that_are_no_json_become_json_strings() -> None:
    """A list of placeholders for every text that a column holds would be no answer."""
    column, values = ColumnRef(T, "a"), {"Bank": 5, "Cash": 1}
    refused = Refusals(column, column, "jsonb", 6, 2, 2, ("Bank", "Cash"))
    (entry,) = entries(run("t(a text)", "t(a jsonb)", facts("a", values), refusals=(refused,)))
    assert entry["_suggestion"]["transform_sql"] == "to_jsonb(old.a)"  # type: ignore[index]
    assert "under a key: jsonb_build_object('en', old.a)" in str(entry["_evidence"])
    some = replace(refused, values=3)
    (mixed,) = entries(run("t(a text)", "t(a jsonb)", facts("a", {"[1]": 1, **values}), refusals=(some,)))
    assert "to_jsonb" not in str(mixed), "a document would be quoted"


def test_values_meet_enum_labels() -> None:
    (entry,) = entries(run("t(s text)", "t(s st)", facts("s", {"ACTIVE": 5, "On Hold": 2, "closed": 1})))
    assert entry["action"] == "transform"
    assert entry["value_mapping"] == {"ACTIVE": "active", "On Hold": "on_hold", "closed": "closed"}


def test_values_that_are_labels_need_no_mapping() -> None:
    (entry,) = entries(run("t(s text)", "t(s st)", facts("s", {"active": 5})))
    assert entry["action"] == "transform"
    assert "value_mapping" not in entry


def test_guesses_and_gaps_stay_open() -> None:
    (entry,) = entries(run("t(s text)", "t(s st)", facts("s", {"a": 5, "c": 2})))
    assert entry["action"] == "SPECIFY_ACTION"
    assert entry["_suggestion"]["value_mapping"] == {"a": "active", "c": "closed"}  # type: ignore[index]
    (entry,) = entries(run("t(s text)", "t(s st)", facts("s", {"active": 5, "closed": 1, "zombie": 2})))
    assert entry["action"] == "SPECIFY_ACTION"
    assert entry["_suggestion"]["value_mapping"]["zombie"] == "SPECIFY_DEFAULT_VALUE"  # type: ignore[index]


def test_boolean_words() -> None:
    (entry,) = entries(run("t(f text)", "t(f bool)", facts("f", {"Y": 5, "n": 2})))
    assert entry["value_mapping"] == {"Y": "true", "n": "false"}


@pytest.mark.parametrize(
    ("before", "after", "filled"),
    [
        ("stream_sounds bool", "stream_audible_notices bool!", False),
        ("news_mail bool", "promotion_news bool!", False),
        ("mail_wanted text", "mail_confirmed_by_post bool!", False),
        ("is_active text", "active bool!", True),
    ],
)
def test_truths_fit_every_boolean_and_so_prove_no_rename(before: str, after: str, filled: bool) -> None:
    """Of other values a complete mapping says that the columns belong together; of yes and no it does not."""
    name = before.split()[0]
    made = run(f"t({before}, n int)", f"t(n int, {after})", facts(name, {"true": 5, "false": 2}))
    (entry,) = entries(made)
    assert (entry["old_column"], entry["new_column"]) == (name, after.split()[0])
    assert (entry["action"] == "transform") is filled, entry


OLD_ORDERS = "t(id int pk, category_name text)"
NEW_ORDERS = "t(id int pk, category_id int! -> categories.id); categories(id int pk, name text)"


def lookup(found: int, distinct: int, missing: tuple[str, ...] = ()) -> LookupFacts:
    question = LookupQuestion(
        ColumnRef(T, "category_name"),
        ColumnRef(T, "category_id"),
        Side.NEW,
        TableName("public", "categories"),
        "name",
        "id",
        "foreign key",
    )
    inserts = tuple(f"INSERT {value};" for value in missing)
    return LookupFacts(
        question, distinct, found, 10, 10 - len(missing), missing=missing, complete=True, inserts=inserts
    )


def test_a_covering_lookup_joins_removed_and_added() -> None:
    made = run(OLD_ORDERS, NEW_ORDERS, lookups=(lookup(3, 3),))
    (entry,) = entries(made)
    assert (entry["old_column"], entry["new_column"], entry["action"]) == (
        "category_name",
        "category_id",
        "transform",
    )
    assert entry["lookup_table"] == {
        "table": "categories",
        "key_column": "name",
        "value_column": "id",
        "schema": "public",
    }
    assert "covers 100 % of 3" in str(entry["_evidence"])


def test_a_lookup_with_gaps_stays_open_and_brings_its_inserts() -> None:
    made = run(OLD_ORDERS, NEW_ORDERS, lookups=(lookup(3, 4, ("Books",)),))
    (entry,) = entries(made)
    assert entry["action"] == "SPECIFY_ACTION"
    assert entry["_suggestion"]["lookup_table"]["table"] == "categories"  # type: ignore[index]
    assert made.inserts == ("INSERT Books;",)


def test_the_lookup_is_asked_for() -> None:
    before, after = parse_catalog(OLD_ORDERS), parse_catalog(NEW_ORDERS)
    asked = data_questions(
        provisional_comparison(before, after, scope_of(before, after)).comparison, before, after
    )
    assert [(q.old.column, q.new.column, q.key_column, q.value_column, q.side) for q in asked.lookups] == [
        ("category_name", "category_id", "name", "id", Side.NEW)
    ]
    assert asked.columns == (ColumnRef(T, "category_name"),)


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        ("int", "int", []),
        ("smallint", "int", []),
        ("bigint", "int", ["outside of -2147483648 to 2147483647"]),
        ("numeric(8,2)", "int", ["outside of -2147483648 to 2147483647"]),
        ("varchar(10)", "varchar(16)", []),
        ("varchar(16)", "varchar(10)", ["longer than 10 characters"]),
        ("text", "varchar(10)", ["longer than 10 characters"]),
    ],
)
def test_rows_are_counted_that_a_type_may_refuse(before: str, after: str, asked: list[str]) -> None:
    old, new = (
        parse_catalog(f"t(id int pk, supplier_no {before})"),
        parse_catalog(f"t(id int pk, supplier_id {after})"),
    )
    comparison = provisional_comparison(old, new, scope_of(old, new)).comparison
    assert [one.what(in_bytes=False) for one in data_questions(comparison, old, new).misfits] == asked


def test_a_table_that_the_run_fills_is_looked_up_as_it_will_be() -> None:
    before = parse_catalog("t(id int pk, kind text); kinds(no int pk, title text)")
    after = parse_catalog("t(id int pk, kind_id int! -> kinds.no); kinds(no int pk, title text)")
    comparison = provisional_comparison(before, after, scope_of(before, after)).comparison
    there, brought = data_questions(comparison, before, after).lookups
    assert there.filled_by is None
    assert brought.filled_by == RowsOfOld(TableName("public", "kinds"), "title", "no")
    empty, covered = (
        LookupFacts(there, 3, 0, 9, 0, complete=True),
        LookupFacts(brought, 3, 3, 9, 9, complete=True),
    )
    made = suggest(before, after, scope_of(before, after), Evidence(lookups=(empty, covered)))
    (entry,) = entries(made)
    assert entry["action"] == "transform"
    assert entry["lookup_table"] == {
        "table": "kinds",
        "key_column": "title",
        "value_column": "no",
        "schema": "public",
    }
    assert "NEW's public.kinds (title → no), which OLD's public.kinds fills, covers 100 %" in str(
        entry["_evidence"]
    )


def test_a_table_that_leads_to_itself_is_looked_up_as_it_is() -> None:
    before = parse_catalog("t(id int pk, name text, boss text)")
    after = parse_catalog("t(id int pk, name text, boss_id int -> t.id)")
    comparison = provisional_comparison(before, after, scope_of(before, after)).comparison
    assert [one.filled_by for one in data_questions(comparison, before, after).lookups] == [None]


def test_an_id_that_becomes_a_name_is_looked_up_in_old() -> None:
    before = parse_catalog("t(id int pk, artist int -> artists.id); artists(id int pk, name text)")
    after = parse_catalog("t(id int pk, artist text)")
    asked = data_questions(
        provisional_comparison(before, after, scope_of(before, after)).comparison, before, after
    )
    (question,) = asked.lookups
    assert (question.side, question.table.name, question.key_column, question.value_column) == (
        Side.OLD,
        "artists",
        "id",
        "name",
    )
    covered = LookupFacts(question, 5, 5, 9, 9, complete=True)
    made = suggest(before, after, scope_of(before, after), Evidence(lookups=(covered,)))
    (entry,) = entries(made)
    assert entry["action"] == "transform"
    assert entry["lookup_table"]["database"] == "old"  # type: ignore[index]
    (open_entry,) = entries(suggest(before, after, scope_of(before, after), Evidence()))
    assert open_entry["action"] == "SPECIFY_ACTION"


def test_a_word_of_the_tables_own_name_says_nothing_of_what_it_refers_to() -> None:
    """``account_state`` of ``account`` speaks of the account itself, not of the ``account_plan``."""
    before = parse_catalog(
        "account(id int pk, account_plan_id int -> account_plan.id, n int); account_plan(id int pk, name text)"
    )
    found = {}
    for column in ("account_state", "plan_name"):
        after = parse_catalog(f"account(id int pk, n int, {column} text)")
        question = LookupQuestion(
            ColumnRef(TableName("public", "account"), "account_plan_id"),
            ColumnRef(TableName("public", "account"), column),
            Side.OLD,
            TableName("public", "account_plan"),
            "id",
            "name",
            "foreign key",
        )
        covered = LookupFacts(question, 5, 5, 9, 9, complete=True)
        made = suggest(before, after, scope_of(before, after), Evidence(lookups=(covered,)))
        found[column] = {q.suggestion for q in made.questions if q.table == "account"}
    assert all("(a guess)" in one for one in found["account_state"]), found
    assert any("account_plan_id → plan_name" in one and "guess" not in one for one in found["plan_name"]), (
        found
    )


def test_ignore_drop_table_and_defaults_stay_placeholders() -> None:
    made = run(
        "t(a text, legacy text); gone(x int)", "t(a text, must int!)", facts("legacy", {"x": 3}, nulls=2)
    )
    gap, default = entries(made)
    assert (gap["old_column"], gap["new_column"], gap["action"]) == (
        "legacy",
        "SPECIFY_NEW_COLUMN_NAME",
        "SPECIFY_ACTION",
    )
    assert "3 of 5 rows hold a value that would be left behind" in str(gap["_evidence"])
    assert (default["action"], default["default_value"]) == ("default", "SPECIFY_DEFAULT_VALUE")
    assert default["_suggestion"]["default_value"] == "0"  # type: ignore[index]
    (table,) = entries(made, "gone")
    assert table["action"] == "SPECIFY_ACTION"
    assert table["_suggestion"]["action"] == "drop_table"  # type: ignore[index]
    assert [q.number for q in made.questions] == [1, 2, 3]
    assert not any(q.answered for q in made.questions)


def test_a_proposed_rename_is_filled_in_unless_another_column_could_be_meant() -> None:
    (entry,) = entries(
        run("t(id int pk, name text)", "t(id int pk, full_name text)", facts("name", {"A": 1}))
    )
    assert entry["action"] == "rename"
    trap = entries(
        run("t(id int pk, first_name text, last_name text)", "t(id int pk, surname text, name text)")
    )
    assert {entry["action"] for entry in trap} == {"SPECIFY_ACTION"}
    assert all("second best match" in str(entry["_evidence"]) for entry in trap)


def test_a_rename_names_the_second_candidate_in_its_own_line() -> None:
    trap = run("t(id int pk, first_name text, last_name text)", "t(id int pk, surname text, name text)")
    assert [q.suggestion for q in trap.questions if "may be meant as well" in q.suggestion]
    sure = run("t(id int pk, name text)", "t(id int pk, full_name text)", facts("name", {"A": 1}))
    assert [q.suggestion for q in sure.questions] == ["rename name → full_name (likely)"]


def test_a_rename_of_which_the_data_was_not_asked_is_not_filled_in() -> None:
    """Tables that a person pairs after the analysis, or questions for which there was no time."""
    (entry,) = entries(run("t(id int pk, name text)", "t(id int pk, full_name text)"))
    assert (entry["action"], entry["_suggestion"]["action"]) == ("SPECIFY_ACTION", "rename")  # type: ignore[index]
    assert "OLD's values were not looked at: `analyze` asks them" in str(entry["_evidence"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("remarks text! = ''", "headline text! = ''"),
        ("note varchar(20)! = ''", "slogan varchar(20)! = ''"),
    ],
)
def test_a_rename_for_which_only_its_place_speaks_is_not_filled_in(before: str, after: str) -> None:
    old, new = f"t(id int pk, a text, {before})", f"t(id int pk, a text, {after})"
    asked = entries(run(old, new, facts(before.split()[0], {"1": 2})))
    assert [entry["action"] for entry in asked] == ["SPECIFY_ACTION"] * len(asked)
    assert asked


def test_split_and_merge_are_proposed_as_sql() -> None:
    made = run("t(id int pk, first_name text, last_name text)", "t(id int pk, full_name text!)")
    suggested = [entry["_suggestion"] for entry in entries(made) if "_suggestion" in entry]
    parts = "NULLIF(btrim(old.first_name), ''), NULLIF(btrim(old.last_name), '')"
    assert any(f"concat_ws(' ', {parts})" in str(one) for one in suggested)


def test_what_is_filled_in_is_a_right_answer(tmp_path: Path) -> None:
    enums = {"st": ("active", "closed", "on_hold")}
    before = parse_catalog(OLD_ORDERS.replace(")", ", s text, n varchar(9))"), enums=enums)
    after = parse_catalog(NEW_ORDERS.replace("category_id", "s st, n varchar(5), category_id"), enums=enums)
    narrower = ColumnRef(T, "n"), ColumnRef(T, "n")
    evidence = Evidence(
        columns=(facts("s", {"ACTIVE": 1}),),
        lookups=(lookup(3, 3),),
        misfits=(Misfits(*narrower, 0, "longer than 5 characters"),),
    )
    made = suggest(before, after, scope_of(before, after), evidence)
    path = tmp_path / "made.json"
    path.write_bytes(encode(made.document))
    file = parse_resolutions(read_jsonc(path))
    answers, _, problems = decide(file, before, after, scope_of(before, after))
    assert not problems
    assert len(answers.decisions) == 3
    again = suggest(before, after, scope_of(before, after), evidence, file)
    assert again.nothing_open
    assert again.kept == 3


def test_decisions_are_kept_stale_ones_dropped_and_new_ones_added(tmp_path: Path) -> None:
    existing = """{"resolutions": {"t": [
      {"old_column": "b", "new_column": "c", "action": "rename", "_mine": 9007199254740993},
      {"old_column": "nomore", "action": "ignore"}]}}"""
    made = run("t(a text, b text)", "t(a int, c text!)", folder=tmp_path, existing=existing)
    first, second = entries(made)
    assert first["_mine"] == 9007199254740993
    assert second["old_column"] == "a"
    assert made.kept == 1
    assert [one.path for one in made.dropped] == ["$.resolutions.t[1]"]
    assert "'nomore'" in made.dropped[0].reason
    assert [q.text for q in made.questions] == ["Column 'a' type mismatch: current(text) vs new(integer)"]


def test_a_decision_whose_action_has_no_use_for_a_placeholder_beside_it_is_kept(tmp_path: Path) -> None:
    existing = """{"resolutions": {"t": [
        {"action": "ignore", "old_column": "b", "new_column": "SPECIFY_NEW_COLUMN_NAME"},
        {"action": "rename", "old_column": "d", "new_column": "c",
         "default_value": "SPECIFY_DEFAULT_VALUE"}]}}"""
    made = run("t(a text, b text, d text)", "t(a int, c text!)", folder=tmp_path, existing=existing)
    assert [entry["action"] for entry in entries(made)][:2] == ["ignore", "rename"]
    assert [question.text for question in made.questions] == [
        "Column 'a' type mismatch: current(text) vs new(integer)"
    ]
    assert (made.kept, made.dropped) == (2, ())


def test_what_fills_a_column_is_asked_once_the_one_that_may_fill_it_is_left_behind(tmp_path: Path) -> None:
    existing = """{"resolutions": {"t": [{"old_column": "gone", "action": "ignore"}]}}"""
    made = run("t(id int pk, gone bool)", "t(id int pk, lives bool!)", folder=tmp_path, existing=existing)
    (question,) = made.questions
    assert question.text == "Column 'lives' only exists in new DB"


def test_every_entry_of_a_table_that_does_not_exist_is_named_as_dropped(tmp_path: Path) -> None:
    existing = """{"resolutions": {"tt": [
      {"old_column": "b", "action": "ignore"}, {"new_column": "c", "action": "default", "default_value": "x"}]}}"""
    made = run("t(a text, b text)", "t(a text, c text!)", folder=tmp_path, existing=existing)
    assert [one.path for one in made.dropped] == ["$.resolutions.tt[0]", "$.resolutions.tt[1]"]
    assert made.dropped[1].reason == "no table is meant by 'tt'"
    assert made.kept == 0


def test_open_entries_of_the_file_are_not_asked_twice(tmp_path: Path) -> None:
    existing = """{"resolutions": {"t": [
        {"old_column": "b", "new_column": "SPECIFY_NEW_COLUMN_NAME", "action": "SPECIFY_ACTION",
         "_why": "mine"}
    ]}}"""
    made = run("t(a text, b text)", "t(a text)", folder=tmp_path, existing=existing)
    (entry,) = entries(made)
    assert entry["_why"] == "mine"
    assert len(made.questions) == 1


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("(s = ANY (ARRAY['a'::text, 'it''s'::text]))", ("a", "it's")),
        (
            "((s)::text = ANY ((ARRAY['a'::character varying, 'b, c'::character varying])::text[]))",
            ("a", "b, c"),
        ),
        ("(s = ANY (ARRAY[1, 2, -3]))", ("1", "2", "-3")),
        ("((s = 'a'::text) OR (s = 'b'::text))", ("a", "b")),
        ("((s = 'a'::text) AND (x > 1))", ()),
        ("(s <> 'a'::text)", ()),
        ("(length(s) = 3)", ()),
        ("((VALUE)::text = ANY ((ARRAY['x'::character varying])::text[]))", ("x",)),
    ],
)
def test_lists_in_checks(expression: str, values: tuple[str, ...]) -> None:
    from tranship.planning.printed.listed_values import listed_values

    assert listed_values(expression) == values


def tried(
    made_for: str, old: str, new: str, *columns: ColumnFacts, fitting: int = 9, rows: int = 9
) -> Suggestions:
    """As ``run``, every expression that would be proposed having been tried on ``rows`` rows."""
    before, after = parse_catalog(old), parse_catalog(new)
    evidence = Evidence(columns=columns)
    asked = trial_questions(
        provisional_comparison(before, after, scope_of(before, after)).comparison, before, after, evidence
    )
    assert any(made_for in question.sql for question in asked), [question.sql for question in asked]
    trials = tuple(
        TrialFacts(question, rows, fitting, ("odd",) if fitting < rows else ()) for question in asked
    )
    return suggest(before, after, scope_of(before, after), replace(evidence, trials=trials))


def test_a_trial_in_which_any_text_fits_proves_nothing() -> None:
    old, new = "t(id int pk, first_name text, last_name text)", "t(id int pk, full_name text!)"
    told = str(entries(tried("concat_ws", old, new)))
    assert "9 (100 %) have every part" in told
    assert "fit exactly" not in told


@pytest.mark.parametrize(
    ("old", "new", "values", "sql", "filled"),
    [
        ("d text", "d date", ["31.12.2020", "01.02.2021"], "to_date(old.d, 'DD.MM.YYYY')", True),
        ("d text", "d date", ["12/31/2020", "01/02/2021"], "to_date(old.d, 'MM/DD/YYYY')", True),
        ("d text", "d date", ["11/10/2020", "01/02/2021"], "to_date(old.d, 'MM/DD/YYYY')", False),
        ("d text", "d timestamp", ["31.12.2020 10:15"], "CAST(COALESCE(substring(old.d", True),
        ("d text", "d date", ["20201231"], "to_date(old.d, 'YYYYMMDD')", True),
        ("d text", "d date", ["31.12.2020", ""], "to_date(NULLIF(btrim(old.d), ''), 'DD.MM.YYYY')", True),
        (
            "n text",
            "n numeric(10,2)",
            ["1.234,56", "7,5"],
            "THEN replace(replace(old.n, '.', ''), ',', '.') ELSE 'not a number with a decimal comma: '",
            True,
        ),
        (
            "n text",
            "n numeric(10,2)",
            ["1,234.56", "7.5"],
            "THEN replace(old.n, ',', '') ELSE 'not a number",
            True,
        ),
        (
            "n text",
            "n numeric(10,2)",
            ["1,234", "5"],
            "THEN replace(old.n, ',', '') ELSE 'not a number",
            False,
        ),
        ("n text", "n numeric(10,2)", ["€ 12,50", "€ 3,00"], "regexp_replace(old.n", False),
        ("at int", "at timestamptz", ["1600000000"], "to_timestamp(old.at)", True),
        ("at bigint", "at timestamptz", ["1600000000000"], "to_timestamp(old.at / 1000.0)", True),
        ("at bigint", "at timestamp", ["1600000000"], "to_timestamp(old.at) AT TIME ZONE 'UTC'", False),
        ("d int", "d date", ["20201231"], "to_date(CAST(old.d AS text), 'YYYYMMDD')", True),
        ("zip int", "zip char(5)", ["10115", "1067"], "lpad(old.zip::text, 5, '0')", False),
        ("minutes int", "minutes interval", ["90"], "make_interval(secs => old.minutes * 60)", True),
        ("wait int", "wait interval", ["90"], "make_interval(secs => old.wait)", False),
        (
            "address text",
            "street text, zip text, city text",
            ["Weg 1, 10115 Berlin"],
            "COALESCE((regexp_match(old.address",
            None,
        ),
        (
            "coords text",
            "lat double precision, lng double precision",
            ["52.5,13.4"],
            "CAST(COALESCE((regexp_match(old.coords",
            True,
        ),
        ("phone text", "country_code text, number text", ["+49 30 12"], "(regexp_match(old.phone", True),
        ("name text", "first_name text, last_name text", ["Doe, Jane"], "(regexp_match(old.name", False),
        ("name text", "first_name text, last_name text", ["Jane Doe"], "split_part(old.name, ' ', 1)", False),
        (
            "price text",
            "amount numeric(9,2), currency text",
            ["12.50 EUR"],
            "CAST(COALESCE((regexp_match(old.price",
            True,
        ),
        (
            "size text",
            "size_width int, size_height int",
            ["10x20"],
            "CAST(split_part(old.size, 'x', 1) AS numeric)",
            False,
        ),
        (
            "day date, hour time without time zone",
            "starts_at timestamp without time zone",
            ["x"],
            "old.day + COALESCE(old.hour, '00:00')",
            True,
        ),
        (
            "starts_at timestamp without time zone",
            "day date, hour time without time zone",
            ["x"],
            "CAST(old.starts_at AS date)",
            True,
        ),
        (
            "street text, zip text, city text",
            "address text",
            ["x"],
            "concat_ws(', ', NULLIF(btrim(old.street), ''),"
            " NULLIF(concat_ws(' ', NULLIF(btrim(old.zip), ''), NULLIF(btrim(old.city), '')), ''))",
            False,
        ),
    ],
)
def test_expressions_are_found_on_the_values(
    old: str, new: str, values: list[str], sql: str, filled: bool | None
) -> None:
    """``filled``: whether the action may stand in the file once every row was tried; where that is None only
    the expression matters.
    """
    column = old.split()[0]
    shape = f"t(id int pk, {old}, z text)", f"t(id int pk, {new}, z text)"
    held = facts(column, dict.fromkeys(values, 1))
    found = entries(tried(sql, *shape, held))
    (entry,) = [
        e for e in found if sql in str(e.get("transform_sql", "")) or sql in str(e.get("_suggestion") or {})
    ][:1] or [None]  # type: ignore[arg-type]
    assert entry is not None, found
    assert filled is None or (entry["action"] == "transform") is filled, entry
    partly = entries(tried(sql, *shape, held, fitting=8))
    assert not [e for e in partly if "transform_sql" in e], "a row that does not fit leaves the question open"
    assert any("1 do not: look at them" in str(e["_evidence"]) for e in partly)


def test_a_code_that_becomes_a_number_keeps_no_zeros() -> None:
    for values, filled in (({"007": 2, "12": 1}, False), ({"7": 2, "0": 1, "12": 1}, True)):
        before, after = "t(c text)", "t(c int)"
        column = ColumnRef(T, "c")
        asked = Refusals(column, column, "integer", 0, len(values), 0)
        found = run(before, after, facts("c", values), refusals=(asked,))
        (entry,) = entries(found)
        assert (entry["action"] == "transform") is filled
        said = "2 rows hold leading zeros, which a number drops: it may be a code: '007'"
        assert (said in entry["_evidence"]) is not filled


def test_a_column_that_new_computes_is_compared_with_what_new_will_compute() -> None:
    before = parse_catalog("t(id int pk, amount int, price int, total int)")
    after = parse_catalog("t(id int pk, amount int, price int, total int gen)")
    table = after.tables[0]
    columns = [replace(c, generation="(amount * price)") if c.generated else c for c in table.columns]
    after = replace(after, tables=(replace(table, columns=tuple(columns)),))
    scope = scope_of(before, after)
    compared = provisional_comparison(before, after, scope).comparison
    (question,) = trial_questions(compared, before, after, Evidence())
    assert question.fits == "old.total IS NOT DISTINCT FROM (old.amount * old.price)"
    unknown = "it is not known how many of OLD's values differ from those that NEW will compute"
    differing = "OLD holds another value than NEW computes in 2 of 9 rows: with 'ignore' these are lost: '7'"
    equal = "OLD's value is the one that NEW computes in all 9 rows"
    for trials, said in (
        ((), unknown),
        ((TrialFacts(question, 9, 7, ("7",)),), differing),
        ((TrialFacts(question, 9, 9),), equal),
        ((TrialFacts(question, 0, 0, failed=True),), unknown),
    ):
        (entry,) = entries(suggest(before, after, scope, Evidence(trials=trials)))
        assert entry["_evidence"][-1] == said  # type: ignore[index]
        assert entry["action"] == "SPECIFY_ACTION"


def test_words_meet_labels_in_more_ways() -> None:
    enums = {"st": ("in_progress", "cancelled", "done")}
    before, after = parse_catalog("t(s text)", enums=enums), parse_catalog("t(s st)", enums=enums)
    evidence = Evidence(columns=(facts("s", {"IP": 3, "canceled": 2, "d": 1}),))
    (entry,) = entries(suggest(before, after, scope_of(before, after), evidence))
    assert entry["action"] == "SPECIFY_ACTION"
    assert entry["_suggestion"]["value_mapping"] == {
        "IP": "in_progress",
        "canceled": "cancelled",
        "d": "done",
    }  # type: ignore[index]
    for yes, no in (("oui", "non"), ("sí", "no"), ("да", "нет"), ("Tak", "Nie")):
        (entry,) = entries(run("t(f text)", "t(f bool)", facts("f", {yes: 5, no: 2})))
        assert entry["value_mapping"] == {yes: "true", no: "false"}


def test_letters_in_front_of_a_word_turn_its_meaning_round() -> None:
    enums = {"st": ("active", "dormant", "blocked")}
    before, after = parse_catalog("t(s text)", enums=enums), parse_catalog("t(s st)", enums=enums)
    evidence = Evidence(columns=(facts("s", {"active": 3, "inactive": 2, "blocked": 1}),))
    (entry,) = entries(suggest(before, after, scope_of(before, after), evidence))
    assert entry["_suggestion"]["value_mapping"]["inactive"] == "SPECIFY_DEFAULT_VALUE"  # type: ignore[index]


def test_a_constant_comes_with_its_reason() -> None:
    there = ColumnFacts(ColumnRef(T, "kind"), 9, 0, 2, (ValueCount("web", 8), ValueCount("shop", 1)), True)
    made = run(
        "t(id int pk)",
        "t(id int pk, kind text!, money text!); o(id int pk, money text = 'EUR'::text)",
        there=(there,),
    )
    kind, money = entries(made)
    assert kind["_suggestion"]["default_value"] == "web"  # type: ignore[index]
    assert "8 of the 9 rows that NEW holds already have it" in str(kind["_evidence"])
    assert money["_suggestion"]["default_value"] == "EUR"  # type: ignore[index]
    assert "the default of public.o.money" in str(money["_evidence"])


def test_a_mapping_is_not_filled_in_where_another_column_may_be_meant() -> None:
    """Pagila's customers say twice whether they are active, and not always the same."""
    for other, sure in (("activebool bool!", False), ("member bool!", True), ("active_since date", True)):
        held = facts("active", {"1": 8, "0": 1})
        made = run(
            f"t(id int pk, {other}, b text, c text, d text, active int)",
            "t(id int pk, x text, y text, z text, is_active bool!)",
            held,
        )
        (asked,) = (one for one in made.questions if "does it fill 'is_active'" in one.text)
        assert asked.answered is sure, (other, asked)
        assert ("may be meant as well" in asked.suggestion) is not sure


def test_the_most_frequent_of_many_values_is_no_constant() -> None:
    values = (ValueCount("28 MySQL Boulevard", 2), *(ValueCount(f"{n} Main Road", 1) for n in range(7)))
    there = ColumnFacts(ColumnRef(T, "street"), 9, 0, 8, values, True)
    (street,) = entries(run("t(id int pk)", "t(id int pk, street text!)", there=(there,)))
    assert street["_suggestion"]["default_value"] == ""  # type: ignore[index]
    assert "28 MySQL Boulevard" not in str(street)


def test_comments_outlive_the_next_writing_and_untouched_questions_are_asked_anew(tmp_path: Path) -> None:
    first = entries(run("t(a text, b text)", "t(a text)", facts("b", {"x": 1})))
    existing = f"""{{ // about this file
      "_owner": "me",
      "resolutions": {{"t": [
        {{"old_column": "c", "action": "ignore"}}, // in the archive
        {json.dumps(first[0])}]}}}}"""
    made = run(
        "t(a text, b text, c text)", "t(a text)", facts("b", {"y": 7}), folder=tmp_path, existing=existing
    )
    kept, asked = entries(made)
    assert kept["_comments"] == ["in the archive"]
    assert "7 of 7 rows" in str(asked["_evidence"])
    assert json.loads(encode(made.document))["_comments"] == ["about this file"]
    assert json.loads(encode(made.document))["_owner"] == "me"
    assert made.kept == 1


def test_a_rename_is_filled_in_only_where_no_other_old_column_may_be_meant() -> None:
    before = (
        "t(id int pk, currency text, price_excl_tax numeric, price_retail numeric, cost_price numeric, n int)"
    )
    made = entries(run(before, "t(id int pk, currency text, price numeric, n int)"))
    assert [entry["action"] for entry in made] == ["SPECIFY_ACTION"] * 3
    (asked,) = [entry for entry in made if entry.get("new_column") == "price"]
    assert "may be meant as well" in str(asked["_evidence"])


def test_a_column_that_is_nothing_like_it_keeps_no_rename_open() -> None:
    logins = facts("user_login", {"ada": 1, "bob": 1})
    made = entries(
        run("t(id int pk, user_login text, born date, n int)", "t(id int pk, login text, n int)", logins)
    )
    actions = {str(entry["old_column"]): entry["action"] for entry in made}
    assert actions == {"user_login": "rename", "born": "SPECIFY_ACTION"}


@pytest.mark.parametrize(
    ("column", "unique", "suggested"),
    [
        ("tenant_id int", (), "filled in"),
        ("currency text", (), "filled in"),
        ("created_at timestamp", (), "a guess"),
        ("state text", (), "a guess"),
        ("code uuid", ("song",), "a guess"),
        ("code uuid", ("song", "t"), "nothing"),
    ],
)
def test_what_a_row_has_for_itself_is_not_its_parents(
    column: str, unique: tuple[str, ...], suggested: str
) -> None:
    """A value over a foreign key covers all rows whatever it speaks of; a key of NEW takes it once only."""
    name, song = column.split()[0], f"song(id int pk, {column}!)"
    before = parse_catalog(f"{song}; t(id int pk, song int! -> song.id, n int)")
    after = parse_catalog(f"{song}; t(id int pk, song int! -> song.id, n int, {column}!)")
    before, after = (with_keys(side, unique, name) for side in (before, after))
    comparison = provisional_comparison(before, after, scope_of(before, after)).comparison
    (question,) = data_questions(comparison, before, after).lookups
    covered = LookupFacts(question, 5, 5, 9, 9, complete=True)
    (entry,) = entries(suggest(before, after, scope_of(before, after), Evidence(lookups=(covered,))))
    assert entry["new_column"] == name
    looked_up = "lookup_table" in str(entry)
    assert suggested == (
        "filled in" if entry["action"] == "transform" else "a guess" if looked_up else "nothing"
    ), entry


def with_keys(side: Catalog, tables: tuple[str, ...], column: str) -> Catalog:
    """Returns a catalog whose tables of these names have a unique key of one column, where they have it."""
    key = Key("own", False, (column,))
    return replace(
        side,
        tables=tuple(
            replace(one, keys=(*one.keys, key)) if one.name.name in tables and one.column(column) else one
            for one in side.tables
        ),
    )


@pytest.mark.parametrize(
    "columns", ["closed_at {}, bumped_at {}!", "is_big {}, is_odd {}!", "due_on {}, sent_on {}!"]
)
def test_a_word_of_the_type_makes_no_kin(columns: str) -> None:
    """Nearly every moment ends in ``at``: an old one is no answer for a new one that needs a value."""
    kind = "bool" if "is_" in columns else "timestamp"
    before, after = columns.format(kind, kind).split(", ")
    name = before.split()[0]
    made = run(
        f"t({before}, x int, y int)", f"t(x int, y int, {after})", facts(name, {"true": 5, "false": 2})
    )
    asked = {(entry.get("old_column"), entry.get("new_column")) for entry in entries(made)}
    assert (name, after.split()[0]) not in asked, asked


FLAWS = (
    "users(id int pk, name text); apps(id int pk, key text, secret text);"
    "city_flaws(id int pk, lat int!, lon int!, last_changed date!, date_made date!, nearby text, date_closed date);"
    "city_flaw_comment(id int pk, flaw_id int! -> city_flaws.id, visible bool!, date_made date!,"
    "author_name text, author_ip text, comment text, event text)"
)
NOTES = (
    "users(id int pk, name text); subs(user_id int pk, entry_id int pk);"
    "grants(id int pk, uid text!, secret text!);"
    "notes(id int pk, lat int!, lon int!, updated_at date!, created_at date!, closed_at date, description text!,"
    "user_id int, user_ip text);"
    "note_comments(id int pk, note_id int! -> notes.id, visible bool!, created_at date!, author_ip inet,"
    "body text, event text)"
)
"""Comments are likely renamed by themselves, and what they refer to is for their reference."""


def test_a_table_that_is_likely_renamed_for_the_sake_of_another_question_is_not_left_out() -> None:
    """What is asked about one table speaks for further ones, in the comparison and in the file."""
    old, new = parse_catalog(FLAWS), parse_catalog(NOTES)
    found = match(old, new, scope_of(old, new))
    asked = {(one.old.name, one.new.name) for one in found.proposals}
    assert asked >= {("city_flaw_comment", "note_comments"), ("city_flaws", "notes")}
    made = {
        q.table: (q.text, q.suggestion)
        for q in reversed(suggest(old, new, scope_of(old, new), Evidence()).questions)
    }
    assert made["city_flaws"] == (
        "Table 'city_flaws' likely renamed to 'notes' in new DB",
        "rename_table notes (a guess; 'grants' may be meant as well)",
    )
    for text, suggestion in made.values():
        assert ("likely renamed" in text) == ("rename" in suggestion), (text, suggestion)


def test_a_table_that_inherits_is_suggested_to_go_where_its_parent_goes() -> None:
    old = parse_catalog("events(id int pk, v text); calls(id int pk, v text, minutes int)")
    new = parse_catalog("events(id int pk, v text)")
    parent = TableName("public", "events")
    inheriting = replace(old.table(TableName("public", "calls")), parents=(parent,))
    old = replace(old, tables=(*(one for one in old.tables if one.name == parent), inheriting))
    made = suggest(old, new, make_scope(old, new, None)[0], Evidence())
    (question,) = made.questions
    assert "rename_table" in question.suggestion and "events" in question.suggestion
    assert not question.answered, "its column that NEW lacks would be left behind"
