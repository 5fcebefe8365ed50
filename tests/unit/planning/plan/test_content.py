"""The content record: words and orders change no hash, what is read or filled changes it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from support.build import pg_type
from tranship.model.expression import (
    Coalesce,
    Constant,
    Conversion,
    Expression,
    Lookup,
    MapValues,
    NewDefault,
    Rule,
    Sql,
    Take,
)
from tranship.model.names import Side, TableName
from tranship.model.plan import ColumnMapping, Hazard, HazardKind, Origin, Source, TablePlan
from tranship.model.shape import (
    Children,
    Existing,
    ExistingRows,
    Filter,
    Items,
    KeyKind,
    Merge,
    NewKey,
    Query,
    Shape,
)
from tranship.planning.plan.content import VERSION, content_record, plan_hash, run_hash

SAME = Conversion(Rule.SAME, automatic=True)
OLD, NEW, CODES = TableName("public", "person"), TableName("app", "people"), TableName("app", "codes")
LOOKUP = Lookup(("town", "zone"), CODES, ("name", "area"), "id")
MAPPING = MapValues("state", (("on", "active"), ("off", None)), Constant("unknown"))


def column(name: str, expression: Expression, **fields: Any) -> ColumnMapping:
    """A column of NEW, an integer unless ``type`` says otherwise."""
    return ColumnMapping(name, fields.pop("type", pg_type("int")), expression, Origin.RULE, **fields)


PLAN = TablePlan(
    OLD,
    NEW,
    (
        column("id", Take("id", SAME)),
        column("state", MAPPING, type=pg_type("varchar(8)"), because="as billing writes it"),
        column("town", LOOKUP),
        column("age", Coalesce(Take("age", SAME), Constant("0"))),
        column("kind", Constant("person"), type=pg_type("text")),
        column("full", Sql("old.first || old.last"), type=pg_type("text")),
        column("at", NewDefault()),
    ),
    ("id",),
    (Source(TableName("public", "person_1"), OLD, 4711), Source(TableName("public", "person_2"), OLD, 4712)),
)


def with_column(position: int, **changes: Any) -> TablePlan:
    """The plan with one of its columns changed."""
    columns = list(PLAN.columns)
    columns[position] = replace(columns[position], **changes)
    return replace(PLAN, columns=tuple(columns))


@pytest.mark.parametrize(
    "other",
    [
        with_column(1, because="said otherwise"),
        with_column(0, origin=Origin.DECIDED),
        with_column(1, expression=replace(MAPPING, pairs=MAPPING.pairs[::-1])),
        with_column(2, expression=Lookup(("zone", "town"), CODES, ("area", "name"), "id")),
        with_column(0, expression=Take("id", replace(SAME, why="because", fallible=True))),
        replace(PLAN, columns=PLAN.columns[::-1]),
        replace(PLAN, sources=tuple(replace(s, oid=1, through_root=True) for s in PLAN.sources[::-1])),
        replace(
            PLAN, hazards=(Hazard(HazardKind.GAP),), binary=True, why_text="x", ignored=("b",), serial=True
        ),
    ],
)
def test_words_and_orders_change_nothing(other: TablePlan) -> None:
    assert other != PLAN
    assert plan_hash(other) == plan_hash(PLAN)


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, old=TableName("public", "persons")),
        replace(PLAN, new=TableName("app", "persons")),
        replace(PLAN, key=("town", "id")),
        replace(PLAN, sources=PLAN.sources[:1]),
        replace(PLAN, zone="Europe/Berlin"),
        replace(PLAN, columns=PLAN.columns[:-1]),
        with_column(0, column="ident"),
        with_column(0, type=pg_type("bigint")),
        with_column(0, expression=Take("number", SAME)),
        with_column(0, expression=Take("id", replace(SAME, rule=Rule.NEW_INPUT))),
        with_column(1, type=pg_type("varchar(9)")),
        with_column(1, expression=replace(MAPPING, pairs=(("on", "Active"), ("off", None)))),
        with_column(1, expression=replace(MAPPING, pairs=(("on", "active"), ("off", "")))),
        with_column(1, expression=replace(MAPPING, otherwise=None)),
        with_column(1, expression=replace(MAPPING, otherwise=Constant(None))),
        with_column(1, expression=replace(MAPPING, for_null=Constant("none"))),
        with_column(2, expression=replace(LOOKUP, columns=("zone", "town"))),
        with_column(2, expression=replace(LOOKUP, value="number")),
        with_column(2, expression=replace(LOOKUP, side=Side.OLD)),
        with_column(2, expression=replace(LOOKUP, otherwise=Constant("1"))),
        with_column(3, expression=Take("age", SAME)),
        with_column(3, expression=Coalesce(Take("age", SAME), Constant("1"))),
        with_column(4, expression=Constant(None)),
        with_column(5, expression=Sql("old.last || old.first")),
        with_column(6, expression=Constant("now")),
    ],
)
def test_what_is_read_or_filled_changes_the_hash(other: TablePlan) -> None:
    assert plan_hash(other) != plan_hash(PLAN)


def test_the_order_of_tables_changes_nothing() -> None:
    other = replace(PLAN, old=TableName("public", "persons"))
    assert run_hash([PLAN, other]) == run_hash([other, PLAN])


def test_a_fixed_record() -> None:
    """Another value here is another version of the record: journals compare hashes across releases."""
    plan = TablePlan(OLD, NEW, (column("id", Take("id", SAME)), column("state", MAPPING)), ("id",), ())
    assert content_record(plan) == {
        "record": VERSION,
        "old": ["public", "person"],
        "new": ["app", "people"],
        "reads": [],
        "key": ["id"],
        "zone": None,
        "columns": {
            "id": {"type": {"name": "integer"}, "filled": {"column": "id", "rule": "same"}},
            "state": {
                "type": {"name": "integer"},
                "filled": {
                    "column": "state",
                    "mapping": [["off", None], ["on", "active"]],
                    "otherwise": ["unknown"],
                    "null": None,
                },
            },
        },
    }
    assert (VERSION, plan_hash(plan)) == (
        1,
        "55740ae782fba76d0610d45e35cd5374942d4864dabad949c83fe086a6eff1ba",
    )


def test_every_part_of_a_shape_changes_the_hash_and_a_plain_flow_has_none() -> None:
    """What decides which rows a flow makes is content; why a filter stands there, and a batch's cut, are
    not.
    """
    shapes = (
        Shape(query=Query("SELECT 1 AS id", ("id",))),
        Shape(filter=Filter("old.gone IS NULL")),
        Shape(filter=Filter("old.gone IS NULL", Children.LEAVE_OUT)),
        Shape(filter=Filter("old.gone IS NULL", of=((CODES, Children.NULL),))),
        Shape(items=Items("unnest(old.tags) AS item(tag)")),
        Shape(items=Items("unnest(old.tags) AS item(tag)", where="item.tag <> ''")),
        Shape(merge=Merge(("lower(old.email)",))),
        Shape(merge=Merge(("lower(old.email)",), repoint_children=True)),
        Shape(new_keys=(NewKey("id", KeyKind.UUID),)),
        Shape(new_keys=(NewKey("id", KeyKind.OFFSET, offset=1000),)),
        Shape(existing=Existing()),
        Shape(existing=Existing(rows=ExistingRows.KEEP)),
    )
    hashes = {plan_hash(replace(PLAN, shape=shape)) for shape in shapes}
    assert len(hashes) == len(shapes)
    assert plan_hash(PLAN) not in hashes
    assert "shape" not in content_record(PLAN)
    why = replace(PLAN, shape=Shape(filter=Filter("old.gone IS NULL", because="soft-deleted")))
    assert plan_hash(why) in hashes


def test_a_key_that_adopts_is_content_and_a_plan_without_one_says_nothing_of_it() -> None:
    """It decides which rows arrive."""
    assert plan_hash(replace(PLAN, adopting=("tag_owner",))) != plan_hash(PLAN)
    assert "adopting" not in content_record(PLAN)


def test_a_constraint_that_tolerates_is_content_and_a_plan_without_one_says_nothing_of_it() -> None:
    """It decides which rows arrive."""
    assert plan_hash(replace(PLAN, tolerating=("tag_owner",))) != plan_hash(PLAN)
    assert "tolerating" not in content_record(PLAN)
