"""What can be said offline about a text as a value of a type."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.build import array, domain, enum, pg_type
from tranship.model.types import DomainCheck
from tranship.planning.deciding.resolve import castable


@pytest.mark.parametrize(
    ("type", "yes", "no", "unknown"),
    [
        ("smallint", ["0", " -32768 ", "+1"], ["32768", "", "1.0", "none", "true"], ["0x10", "1_000"]),
        ("bigint", ["9223372036854775807"], ["9223372036854775808", "9" * 500], []),
        ("numeric", ["1.10", "1e5", ".5", "5.", "NaN"], ["", "1,5", "x"], ["Infinity"]),
        ("numeric(4,2)", ["99", "-9.999", "0", "99.994"], ["100", "1e3", "inf", "99.995"], []),
        ("numeric(2,-3)", ["99000", "1"], ["99500"], []),
        ("real", ["1.5", "-Infinity", "nan"], ["", "abc"], ["1e400"]),
        ("bool", ["t", "TRUE", "ye", "off", "0", "of"], ["", "2", "o", "maybe"], []),
        ("text", ["", "SPECIFY"], ["a\0b"], []),
        ("varchar(3)", ["abc", "abc  ", "äöü"], ["abcd"], []),
        ("char(2)", ["", "ab "], ["abc"], []),
        (
            "uuid",
            ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}"],
            ["a0eebc99", ""],
            [],
        ),
        ("date", ["2024-02-29"], ["2023-02-29", "", "today"], ["1.2.2024", "epoch"]),
        (
            "timestamptz",
            [],
            ["now", " Yesterday 10:00", "10:00 today"],
            ["knowing", "infinity", "2024-02-29"],
        ),
        ("time", [], ["now"], ["allballs"]),
        ("jsonb", ['{"a": 1}', "null"], [""], ["{a}", '"\\u0000"']),
        ("inet", [], [], ["10.0.0.1", ""]),
    ],
)
def test_scalars(type: str, yes: list[str], no: list[str], unknown: list[str]) -> None:
    made = pg_type(type)
    assert [castable(made, text) for text in yes] == [True] * len(yes)
    assert [castable(made, text) for text in no] == [False] * len(no)
    assert [castable(made, text) for text in unknown] == [None] * len(unknown)


def test_enums_domains_and_arrays() -> None:
    status = enum("st", "a", "in a")
    assert castable(status, "in a") is True
    assert castable(status, "A") is False
    whole = domain("d", "int")
    assert castable(whole, "1") is True
    assert castable(whole, "x") is False
    assert castable(replace(whole, checks=(DomainCheck("c", "VALUE > 0"),)), "1") is None
    many = array(pg_type("int"))
    assert castable(many, "{1}") is None
    assert castable(many, "") is False
    assert castable(array(pg_type("date")), "{2024-02-29,today}") is False
    assert castable(domain("due", "date"), "tomorrow") is False
    assert castable(array(pg_type("text")), "{today}") is None
