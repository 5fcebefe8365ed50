"""Which columns an expression of NEW reads."""

from __future__ import annotations

import pytest

from tranship.model.catalog import Column, Table
from tranship.model.names import TableName
from tranship.model.types import PgType
from tranship.planning.printed.names import mentioned

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
