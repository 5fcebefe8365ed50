"""Which columns an expression of NEW reads."""

from __future__ import annotations

import pytest

from tranship.model.catalog import Column, Table
from tranship.model.names import TableName
from tranship.model.types import PgType
from tranship.planning.printed.names import mentioned, reads_whole_row, with_columns, with_whole_row

_NAMES = ("id", "width", 'a"b', "it's", "É", "x$y", "Id")
_TABLE = Table(
    TableName("s", "t"),
    "r",
    columns=tuple(Column(name, n, PgType("integer", "integer")) for n, name in enumerate(_NAMES, 1)),
)


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("(width > 0)", {"width"}),
        ('lower("a""b") = \'id\'', {'a"b'}),
        ('"É" + x$y', {"É", "x$y"}),
        ("\"it's\" = 'width'", {"it's"}),
        ("\"Id\" = 'it''s id'", {"Id"}),
        ("id IS NULL", {"id"}),
    ],
)
def test_names_are_told_from_literals_and_parts_of_names(expression: str, columns: set[str]) -> None:
    assert mentioned(expression, _TABLE) == columns


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("(t.* IS NOT NULL)", "(ROW() IS NOT NULL)"),
        ('f("a ""t".*, 1) OR g(É.*)', "f(ROW(), 1) OR g(ROW())"),
        ("(a OPERATOR(s.*) b)", "(a OPERATOR(s.*) b)"),
        ("('t.*'::text ~ (a * b))", "('t.*'::text ~ (a * b))"),
        ("(t.a > 0)", "(t.a > 0)"),
    ],
)
def test_a_row_as_one_value_reads_every_column(expression: str, text: str) -> None:
    assert with_whole_row(expression, "ROW()") == text
    assert reads_whole_row(expression) == (text != expression)
    if text != expression:
        assert mentioned(expression, _TABLE) == set(_NAMES)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("(a * b)", "(old.a * b)"),
        ("(\"A b\" || 'a')", "(old.\"A b\" || 'a')"),
        ("a(a)", "a(old.a)"),
        ("(b)::a", "(b)::a"),
        ("'it''s a'", "'it''s a'"),
    ],
)
def test_columns_are_written_in_another_way(expression: str, text: str) -> None:
    assert with_columns(expression, {"a": "old.a", "A b": 'old."A b"'}) == text
