"""What the second opinion says of single values, read off the documentation of PostgreSQL."""

from __future__ import annotations

import pytest

from support.build import array, domain, enum, pg_type, table
from tranship.model.expression import Constant, Conversion, MapValues, Rule, Sql, Take
from tranship.model.names import TableName
from tranship.model.plan import ColumnMapping, Origin, Source, TablePlan
from tranship.model.shape import Items, Shape
from tranship.planning.opinion.rows import Part, opinion_of
from tranship.planning.opinion.texts import Refused, Unsure, canonical
from tranship.planning.opinion.values import given, reading

SAME, INPUT, CAST, ROUND, ZONE = Rule.SAME, Rule.NEW_INPUT, Rule.OLD_CAST, Rule.ROUND, Rule.ZONE


@pytest.mark.parametrize(
    ("old", "new", "rule", "text", "expected"),
    [
        ("bigint", "integer", INPUT, "2147483647", "2147483647"),
        ("bigint", "integer", INPUT, "2147483648", Refused),
        ("text", "integer", INPUT, " +7\n", "7"),
        ("text", "integer", INPUT, "0x1F", Unsure),
        ("text", "integer", INPUT, "0" * 5000 + "7", "7"),
        ("numeric", "integer", ROUND, "-2.5", "-3"),
        ("double precision", "integer", ROUND, "2.5", "2"),
        ("double precision", "integer", ROUND, "NaN", Refused),
        ("numeric", "numeric(6,2)", INPUT, "1.005", "1.01"),
        ("numeric", "numeric(6,2)", INPUT, "-0.001", "0.00"),
        ("numeric", "numeric(6,2)", INPUT, "9999.995", Refused),
        ("numeric", "numeric(31,2)", INPUT, "9" * 29 + ".99", "9" * 29 + ".99"),
        ("numeric", "numeric(6,2)", INPUT, "NaN", Unsure),
        ("integer", "numeric(6,2)", INPUT, "7", "7.00"),
        ("numeric(6,2)", "numeric", SAME, "1.50", "1.50"),
        ("boolean", "text", CAST, "true", "true"),
        ("boolean", "integer", CAST, "true", "1"),
        ("integer", "boolean", CAST, "-7", "true"),
        ("text", "boolean", INPUT, " Yes", "true"),
        ("text", "boolean", INPUT, "Fal", "false"),
        ("text", "boolean", INPUT, "o", Unsure),
        ("text", "boolean", INPUT, "perhaps", Unsure),
        ("text", "varchar(3)", INPUT, "abc  ", "abc"),
        ("text", "varchar(3)", INPUT, "abcd", Refused),
        ("text", "varchar(3)", INPUT, "äöü", "äöü"),
        ("char(5)", "text", CAST, "ab", "ab"),
        ("text", "date", INPUT, "2024-02-30", Unsure),
        ("text", "date", INPUT, "2024-02-29", "2024-02-29"),
        (
            "text",
            "uuid",
            INPUT,
            "{A0EE-BC999C0B-4EF8-BB6D6BB9BD380A11}",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ),
        ("text", "uuid", INPUT, "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", Unsure),
        ("text", "uuid", INPUT, "a0e-ebc99-9c0b-4ef8-bb6d-6bb9bd380a11", Unsure),
        ("date", "timestamp", CAST, "2024-02-29", "2024-02-29 00:00:00"),
        ("timestamp", "date", CAST, "2024-02-29 23:59:59.9", "2024-02-29"),
        ("timestamp", "timestamp(0)", INPUT, "2024-02-29 23:59:59.9", Unsure),
        ("timestamp", "timestamptz", ZONE, "2024-07-01 12:00:00.5+02", "2024-07-01 10:00:00.5+00"),
        ("timestamptz", "timestamp", ZONE, "2024-07-01 12:00:00+05:30", "2024-07-01 12:00:00"),
        ("timestamptz", "date", ZONE, "2024-07-01 00:00:00+02", "2024-07-01"),
        ("timestamptz", "timestamptz", SAME, "2024-01-01 00:30:00+01", "2023-12-31 23:30:00+00"),
        ("timestamptz", "timestamptz", SAME, "infinity", "infinity"),
        ("timestamptz", "timestamptz", SAME, "0044-03-15 12:00:00+00 BC", Unsure),
        ("real", "double precision", CAST, "0.1", canonical("0.10000000149011612", pg_type("float8"))),
        (
            "jsonb",
            "jsonb",
            SAME,
            '{"b": 1.50, "a": [1e2]}',
            canonical('{"a": [100], "b": 1.50}', pg_type("jsonb")),
        ),
        ("text", "jsonb", INPUT, "[" * 5000 + "]" * 5000, Unsure),
        ("interval", "interval", SAME, "1 mon", "1 mon"),
    ],
)
def test_one_value(old: str, new: str, rule: Rule, text: str, expected: object) -> None:
    read = reading(pg_type(old), pg_type(new), rule)
    assert read is not None
    if expected in (Refused, Unsure):
        with pytest.raises(expected):  # type: ignore[call-overload]
            canonical(read(text), pg_type(new))
    else:
        assert canonical(read(text), pg_type(new)) == expected


def test_nothing_is_said_of_types_that_print_otherwise_elsewhere() -> None:
    for old, new, rule in (
        ("money", "money", SAME),
        ("point", "point", SAME),
        ("double precision", "numeric(6,2)", CAST),
        ("double precision", "real", CAST),
        ("timestamptz", "text", CAST),
        ("bytea", "text", CAST),
    ):
        assert reading(pg_type(old), pg_type(new), rule) is None, (old, new)
    assert reading(array(pg_type("float8")), array(pg_type("float8")), SAME) is None
    assert reading(array(pg_type("integer")), array(pg_type("integer")), SAME) is not None
    parts = [array(domain("part", pg_type(base))) for base in ("numeric", "numeric(6,2)")]
    assert [reading(parts[0], part, INPUT) is None for part in parts] == [False, True]


def test_labels_and_domains() -> None:
    mood = enum("mood", "glad", "sad")
    read = reading(pg_type("text"), mood, INPUT)
    assert read is not None and read("sad") == "sad"
    with pytest.raises(Refused):
        read("cross")
    short = domain("short", pg_type("varchar(3)"))
    assert reading(pg_type("text"), short, INPUT) is not None
    assert given(pg_type("bytea")) is None


OLD = table("item", "id integer!", "state text", key=["id"])


def plan(*columns: ColumnMapping, shape: Shape | None = None) -> TablePlan:
    name = TableName("public", "item")
    return TablePlan(name, name, columns, ("id",), (Source(name, name),), shape=shape or Shape())


def column_of(expression: object, type_: str = "text") -> ColumnMapping:
    return ColumnMapping("state", pg_type(type_), expression, Origin.DECIDED)  # type: ignore[arg-type]


def test_a_mapping_takes_the_first_of_equal_keys() -> None:
    mapped = MapValues("state", (("a", "1"), ("a", "2"), ("b", None)), None, Constant("9"))
    (found,) = opinion_of(plan(column_of(mapped, "integer")), OLD, {}).columns
    part = Part("state")
    assert [found.expected({part: text}) for text in ("a", "b", None)] == ["1", None, "9"]
    with pytest.raises(Refused):
        found.expected({part: "c"})


def test_the_keys_of_a_mapping_are_compared_by_the_type_of_their_column() -> None:
    old = table("item", "id integer!", "state uuid", key=["id"])
    known = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    mapped = MapValues("state", ((known.upper().replace("-", ""), "1"),), Constant("9"))
    (found,) = opinion_of(plan(column_of(mapped)), old, {}).columns
    assert found.expected({Part("state"): known}) == "1"
    mapped = MapValues("state", (("urn:uuid:" + known, "1"),))
    assert opinion_of(plan(column_of(mapped)), old, {}).apart == (
        "public.item.state (a key of its mapping is no plain uuid)",
    )


def test_what_cannot_be_computed_is_said_with_the_reason() -> None:
    told = opinion_of(plan(column_of(Sql("old.state || 'x'"))), OLD, {})
    assert (told.columns, told.apart) == ((), ("public.item.state (transform_sql)",))
    take = column_of(Take("state", Conversion(SAME, True)))
    assert opinion_of(plan(take), OLD, {}).apart == ()
    items = Shape(items=Items("unnest(old.tags)"))
    assert opinion_of(plan(take, shape=items), OLD, {}).apart == (
        "public.item: the rows are items of old rows",
    )
