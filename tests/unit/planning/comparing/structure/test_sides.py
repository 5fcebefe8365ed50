"""OLD's expressions in NEW's names: what counts as a name and what is data."""

from __future__ import annotations

import pytest

from tranship.model.names import ColumnRef, TableName
from tranship.planning.comparing.structure.sides import Translation, canonical, leftovers

TABLE = TableName("public", "t")
TRANSLATION = Translation(
    tables={TABLE: TableName("dbo", "New T"), TableName("public", "u"): TableName("dbo", "u")},
    schemas={"public": "dbo"},
    columns={TABLE: {"a": "b", "Old": "new", "now": "then", "plain": "plain"}},
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(a > 1)", "(b > 1)"),
        ("(a = 'a'::text)", "(b = 'a'::text)"),
        ("lower(\"Old\")  =\n 'it''s a'", "lower(new) = 'it''s a'"),
        ("now() < now", 'now() < "then"'),
        ("(x)::a", "(x)::a"),
        ("public.f(a)", "dbo.f(b)"),
        ("nextval('public.t'::regclass)", "nextval('dbo.\"New T\"'::regclass)"),
        ("'public.t'::text", "'public.t'::text"),
        ("(a.plain || other.a)", "(a.plain || other.a)"),
        ('("a" + a2)', "(b + a2)"),
        ('"A"', '"A"'),
        ("émile > 1.5e3", "émile > 1.5e3"),
        ("(plain ~ '^\\d{5}$'::text)", "(plain ~ '^\\d{5}$'::text)"),
    ],
)
def test_expression(old: str, new: str) -> None:
    assert TRANSLATION.expression(old, TABLE) == new
    assert canonical(new) == new


def test_other_tables_columns_stay() -> None:
    assert TRANSLATION.expression("a > 1", TableName("public", "u")) == "a > 1"
    assert TRANSLATION.column(ColumnRef(TABLE, "a")) == ColumnRef(TableName("dbo", "New T"), "b")
    assert TRANSLATION.column(ColumnRef(TableName("public", "w"), "a")) == ColumnRef(
        TableName("dbo", "w"), "a"
    )


def test_leftovers_count() -> None:
    gone, added = leftovers(["x", "x", "y"], ["x", "z"], str, str)
    assert (gone, added) == (["x", "y"], ["z"])
    assert leftovers(["x"], ["x"], lambda _: None, str) == (["x"], ["x"])
