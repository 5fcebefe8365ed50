"""How the values of a plan travel: as bytes where OLD gives what NEW holds, else as text."""

from __future__ import annotations

from typing import Literal

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from support.build import table
from support.schema_pair import planned, table_plans
from tranship.model.expression import Sql
from tranship.model.plan import TablePlan
from tranship.model.resolution import LookupTable, Resolution
from tranship.model.shape import Items, Shape
from tranship.planning.plan.shipping import takes, with_own_types

OLD = table("t", "a text", "b text")


def only(new: str, **decided: object) -> TablePlan:
    entry = replace(Resolution("t", "", "transform"), old_column="a", new_column="n", **decided)
    rest = replace(Resolution("t", "", "ignore"), old_column="b")
    plan, problems = planned([OLD], [table("t", new)], entry, rest)
    assert problems == ()
    (made,) = table_plans(plan).values()
    return made


@pytest.mark.parametrize(
    ("new", "results", "binary"),
    [
        ("n smallint", ("1", "-32767", None), True),
        ("n int", ("01",), False),
        ("n int", (" 1",), False),
        ("n boolean", ("true", "false"), True),
        ("n boolean", ("yes",), False),
        ("n text", ("one",), True),
        ("n text", ("ein Öl",), False),
        ("n numeric(4,1)", ("1",), False),
        ("n date", ("2020-01-01",), False),
    ],
)
def test_a_mapping_travels_as_bytes_where_both_servers_read_its_results_alike(
    new: str, results: tuple[str | None, ...], binary: bool
) -> None:
    plan = only(new, value_mapping=tuple((f"k{n}", result) for n, result in enumerate(results)))
    assert (plan.binary, plan.why_text) == (binary, "" if binary else "n: computed as text")


@pytest.mark.parametrize(
    ("new", "value", "default", "binary"),
    [
        ("n bigint", "v int", UNSET, True),
        ("n int", "v int", "-1", True),
        ("n int", "v int", None, True),
        ("n int", "v int", "01", False),
        ("n int", "v bigint", UNSET, False),
        ("n boolean", "v boolean", "true", True),
        ("n uuid", "v uuid", UNSET, True),
        ("n text", "v text", UNSET, False),
        ("n date", "v date", UNSET, False),
        ("n numeric(4,1)", "v numeric(4,1)", UNSET, False),
    ],
)
@pytest.mark.parametrize("database", ["old", "new"])
def test_a_lookup_travels_as_bytes_where_both_servers_read_what_it_finds_alike(
    database: Literal["old", "new"], new: str, value: str, default: str | None, binary: bool
) -> None:
    where = LookupTable("k", "v", key_column="code", database=database)
    entry = replace(Resolution("t", "", "transform"), old_column="a", new_column="n", lookup_table=where)
    entry = replace(entry, default_value=default)
    rest = replace(Resolution("t", "", "ignore"), old_column="b")
    k = table("k", "code text!", value, key=["code"])
    plan, problems = planned([OLD, k], [table("t", new), k], entry, rest)
    assert problems == ()
    made = table_plans(plan)["t"]
    assert (made.binary, made.why_text) == (binary, "" if binary else "n: computed as text")


@pytest.mark.parametrize(
    ("new", "given", "one_encoding", "own"),
    [
        ("n timestamptz", "timestamptz", False, True),
        ("n timestamptz", "timestamp", True, False),
        ("n bigint", "int4", False, True),
        ("n int", "int8", True, False),
        ("n timestamptz(3)", "timestamptz", True, False),
        ("n text", "text", False, False),
        ("n text", "varchar", True, True),
        ("n varchar", "text", True, True),
        ("n varchar(9)", "text", True, False),
        ("n text", "bpchar", True, False),
        ("n interval", "interval", True, False),
    ],
)
def test_an_expression_travels_as_bytes_where_its_type_is_that_of_the_column(
    new: str, given: str, one_encoding: bool, own: bool
) -> None:
    plan = only(new, transform_sql="f(old.a)")
    taken = takes(plan.columns[0].type, given, one_encoding=one_encoding)
    assert (plan.binary, taken) == (False, own)
    typed = with_own_types(plan, OLD, {"n": given}, one_encoding=one_encoding)
    assert typed.columns[0].expression == Sql("f(old.a)", own=own)
    assert typed.binary == own


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("lower(old.a)", True),
        ("item.tag", True),
        ("old.a || '-' || old.b", True),
        ("CASE WHEN old.a = 'x' THEN old.b ELSE 'no' END", True),
        ("f(old.a)", False),
        ("old.a LIKE old.b", False),
        ("old.a ~ old.b", False),
        ("(old.t AT TIME ZONE old.b)::text", False),
        ("(SELECT u.a FROM u)", False),
        ("old.a::varchar(3)", False),
        ("coalesce((TABLE u), 'x')", False),
        ("CASE WHEN length(to_tsvector(old.a)) > 3 THEN old.a END", False),
    ],
)
def test_an_expression_that_cannot_raise_may_be_computed_for_any_row(text: str, total: bool) -> None:
    typed = with_own_types(only("n text", transform_sql=text), OLD, {"n": "text"}, one_encoding=True)
    assert typed.columns[0].expression == Sql(text, own=True, total=total)
    assert bool(typed.hazards) is not total


def test_what_it_names_may_raise_when_it_is_read() -> None:
    virtual = table("t", "a text", "b text")
    computed = replace(virtual.columns[1], generated="v")
    virtual = replace(virtual, columns=(virtual.columns[0], computed))
    plan, names = only("n text", transform_sql="old.a"), {"n": "text"}
    late = replace(plan, shape=Shape(items=Items("(SELECT 1 / old.a AS n) AS item", late=True)))
    for typed in (
        with_own_types(plan, virtual, names, one_encoding=True),
        with_own_types(late, OLD, names, one_encoding=True),
    ):
        assert typed.columns[0].expression == Sql("old.a", own=True, total=False)
        assert typed.hazards == plan.hazards != ()
