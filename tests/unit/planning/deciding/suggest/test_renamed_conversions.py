"""A question about a rename brings what is known of the conversion, as the same question under one name does."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from support.build import parse_catalog
from tranship.codec import encode
from tranship.model.evidence import ColumnFacts, Evidence, NumberFacts, Refusals, ValueCount
from tranship.model.names import ColumnRef, TableName
from tranship.planning.comparing.meaning import Observed, concern_of
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.scope import make_scope

T = TableName("public", "t")


def asked(old: str, new: str, *, zone: str = "UTC", **evidence: object) -> dict[str, object]:
    """Returns the one entry of the file, with the words of the question under ``_words``."""
    before, after = replace(parse_catalog(old), timezone=zone), parse_catalog(new)
    found = suggest(before, after, make_scope(before, after, None)[0], Evidence(**evidence))  # type: ignore[arg-type]
    (entry,) = json.loads(encode(found.document))["resolutions"]["t"]
    return {**entry, "_words": found.questions[0].suggestion}


def facts(column: str) -> ColumnFacts:
    return ColumnFacts(ColumnRef(T, column), 3, 0, 3, (ValueCount("x", 3),), True)


MOMENTS = (
    "t(id int pk, name text, created timestamp, note text)",
    "t(id int pk, name text, created_at timestamptz, tag text, note text)",
)


def test_the_zone_of_a_renamed_time_is_named() -> None:
    entry = asked(*MOMENTS, columns=(facts("created"),))
    told = str(entry["_evidence"])
    types = "current(timestamp without time zone) vs new(timestamp with time zone)"
    assert f"the types differ, too: {types}" in told
    assert "the time zone of OLD's database decides which moment is meant: UTC" in told
    assert "values may change: " in told
    assert "another time zone: transform_sql old.created AT TIME ZONE 'Europe/Berlin'" in told
    berlin = str(asked(*MOMENTS, zone="Europe/Berlin", columns=(facts("created"),))["_evidence"])
    assert "which moment is meant: Europe/Berlin" in berlin
    assert "transform_sql old.created AT TIME ZONE 'UTC'" in berlin


def test_the_other_zone_is_named_under_one_name_as_well() -> None:
    told = str(asked("t(a timestamp)", "t(a timestamptz)", columns=(facts("a"),))["_evidence"])
    assert "another time zone: transform_sql old.a AT TIME ZONE 'Europe/Berlin'" in told
    back = str(asked("t(a timestamptz)", "t(a timestamp)", columns=(facts("a"),))["_evidence"])
    assert "another time zone: transform_sql old.a AT TIME ZONE 'Europe/Berlin'" in back


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("created timestamp", "created_at date", "the time of day is dropped"),
        ("weight numeric(10,3)", "weight_net numeric(10,1)", "values may change: "),
        ("serial_no text", "serial_number uuid", "text that is not a valid uuid is refused"),
    ],
)
def test_what_any_conversion_of_a_rename_does_is_named(before: str, after: str, told: str) -> None:
    column = before.split()[0]
    entry = asked(
        f"t(id int pk, {before}, note text)", f"t(id int pk, {after}, note text)", columns=(facts(column),)
    )
    assert told in str(entry["_evidence"])
    same = f"t(id int pk, {after.replace(after.split()[0], column)}, note text)"
    under_one_name = asked(f"t(id int pk, {before}, note text)", same, columns=(facts(column),))
    lines = [line for line in under_one_name["_evidence"] if line not in entry["_evidence"]]  # type: ignore[attr-defined]
    assert lines == [], "what is said under one name is said of the rename, too"


def test_what_the_new_type_refuses_of_a_renamed_column_is_counted() -> None:
    refs = ColumnRef(T, "serial_no"), ColumnRef(T, "serial_number")
    refused = Refusals(*refs, "uuid", 2, 3, 1, ("x",))
    entry = asked(
        "t(id int pk, serial_no text, note text)",
        "t(id int pk, serial_number uuid, note text)",
        columns=(facts("serial_no"),),
        refusals=(refused,),
    )
    assert "2 rows hold values that uuid refuses" in str(entry["_evidence"])


def test_how_sure_a_suggestion_is_is_said_in_one_place() -> None:
    """The suggestion is "likely" or "a guess"; the evidence says what speaks for the rename."""
    entry = asked(*MOMENTS, columns=(facts("created"),))
    assert "(a guess; " in str(entry["_words"])
    told = str(entry["_evidence"])
    assert "(score 0." in told
    assert "likely" not in told, told


def numbers(column: str, median: float) -> NumberFacts:
    return NumberFacts(ColumnRef(T, column), 40, 40, 30, 1.0, median, 400.0)


@pytest.mark.parametrize(
    ("after", "there", "words"),
    [
        ("pay", None, "(a guess)"),
        ("pay", 2100.0, "(likely)"),
    ],
)
def test_a_word_for_money_alone_makes_a_guess(after: str, there: float | None, words: str) -> None:
    evidence: dict[str, object] = {"columns": (facts("pay"),), "numbers": (numbers("pay", 20.5),)}
    if there is not None:
        evidence["numbers_there"] = (numbers(after, there),)
    entry = asked("t(id int pk, pay numeric(10,2))", f"t(id int pk, {after} int)", **evidence)
    assert entry["_suggestion"]["transform_sql"] == "round(old.pay * 100)"  # type: ignore[index]
    assert words in str(entry["_words"]), entry


@pytest.mark.parametrize("name", ["pay_cts", "pay_minor", "pay_cents", "PayCents"])
def test_a_name_that_says_cents_is_more_than_a_word_for_money(name: str) -> None:
    before = parse_catalog("t(id int pk, pay numeric(10,2))").table(T)
    after = parse_catalog(f"t(id int pk, {name} int)").table(T)
    assert before is not None and after is not None
    concern = concern_of(before, after, ("pay", name), Observed(), "UTC")
    assert concern is not None
    assert (concern.sql, concern.guess) == ("round(old.pay * 100)", False)


@pytest.mark.parametrize(
    ("kind", "sql"),
    [
        ("float8", "round(CAST(old.pay AS numeric) * 100)"),
        ("float4", "round(CAST(CAST(old.pay AS text) AS numeric) * 100)"),
        ("money", "round(CAST(old.pay AS numeric) * 100)"),
    ],
)
def test_cents_of_a_float_are_those_that_it_is_printed_with(kind: str, sql: str) -> None:
    before = parse_catalog(f"t(id int pk, pay {kind})").table(T)
    after = parse_catalog("t(id int pk, pay_cents int)").table(T)
    assert before is not None and after is not None
    concern = concern_of(before, after, ("pay", "pay_cents"), Observed(), "UTC")
    assert concern is not None and concern.sql == sql


def test_rows_of_new_in_the_same_unit_speak_against_cents() -> None:
    entry = asked(
        "t(id int pk, pay numeric(10,2))",
        "t(id int pk, pay int)",
        columns=(facts("pay"),),
        numbers=(numbers("pay", 20.5),),
        numbers_there=(numbers("pay", 21.0),),
    )
    assert "cents" not in str(entry), entry


def test_whole_numbers_that_may_be_cents_are_a_guess() -> None:
    entry = asked(
        "t(id int pk, pay int)",
        "t(id int pk, pay numeric(10,2))",
        columns=(facts("pay"),),
        numbers=(numbers("pay", 2050.0),),
    )
    assert "are they cents?" in str(entry["_evidence"])
    assert "(a guess)" in str(entry["_words"])
