"""How the values of a plan travel: as bytes where OLD gives what NEW holds, else as text."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.build import table
from support.schema_pair import planned, table_plans
from tranship.model.expression import Sql
from tranship.model.plan import TablePlan
from tranship.model.resolution import Resolution
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
    ("new", "given", "own"),
    [
        ("n timestamptz", "timestamptz", True),
        ("n timestamptz", "timestamp", False),
        ("n bigint", "int4", True),
        ("n int", "int8", False),
        ("n timestamptz(3)", "timestamptz", False),
        ("n text", "text", False),
        ("n interval", "interval", False),
    ],
)
def test_an_expression_travels_as_bytes_where_its_type_is_that_of_the_column(
    new: str, given: str, own: bool
) -> None:
    plan = only(new, transform_sql="f(old.a)")
    assert (plan.binary, takes(plan.columns[0].type, given)) == (False, own)
    typed = with_own_types(plan, OLD, {"n": given})
    assert typed.columns[0].expression == Sql("f(old.a)", own=own)
    assert typed.binary == own
