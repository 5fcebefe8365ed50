"""Tables of text fit into a line."""

from __future__ import annotations

from tranship.report.aligned import aligned


def test_numbers_stand_to_the_right() -> None:
    assert aligned(("Table", "Read"), [("users", 5), ("orders", 12345)]) == [
        "  Table    Read",
        "  users       5",
        "  orders  12345",
    ]


def test_long_names_are_cut() -> None:
    lines = aligned(("Table", "Read", "Written"), [("public." + "x" * 100, 10**9, 10**9)], width=80)
    assert max(map(len, lines)) <= 80
    assert lines[1].endswith("x  1000000000  1000000000")


def test_names_stay_on_their_line() -> None:
    assert aligned(("Table", "Read"), [("a\nb\x1b[2J", 1)])[1] == "  a\\nb\\x1b[2J     1"
    assert aligned(("Table",), []) == ["  Table"]


def test_long_names_that_begin_alike_stay_apart() -> None:
    names = ("public.catalogue_productattribute", "public.catalogue_productcategory")
    lines = aligned(("Table", "Read"), [(name, 1) for name in names], width=32)
    assert [line.split()[0] for line in lines[1:]] == [
        "public.cata…uctattribute",
        "public.cata…ductcategory",
    ]
