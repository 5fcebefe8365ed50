"""From a pair of schemas to its plan: what fills each column and who said so, how rows travel, which
sequences are set.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.build import catalog, column, table
from support.schema_pair import planned, public, table_plans
from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.database_objects import Sequence
from tranship.model.expression import Coalesce, Constant, Lookup, MapValues, NewDefault, Sql, Take
from tranship.model.names import ColumnRef, Side
from tranship.model.plan import ColumnMapping, Origin, SequencePair, TablePlan
from tranship.model.resolution import LookupTable, Resolution


def only(old: Table, new: Table, *entries: Resolution) -> TablePlan:
    plan, problems = planned([old], [new], *entries)
    assert problems == ()
    (made,) = table_plans(plan).values()
    return made


def filling(plan: TablePlan, name: str) -> ColumnMapping:
    return next(mapping for mapping in plan.columns if mapping.column == name)


def entry(action: str, **fields: object) -> Resolution:
    return replace(Resolution("t", "", action), **fields)


def test_every_new_column_has_its_origin() -> None:
    old, new = (
        table("t", "id int!", "userName text"),
        table("t", "id int!", "user_name text", "at date = now()"),
    )
    plan = only(old, new)
    assert [mapping.column for mapping in plan.columns] == ["id", "user_name", "at"]
    assert [mapping.origin for mapping in plan.columns] == [Origin.SAME_NAME, Origin.RULE, Origin.SERVER]
    assert isinstance(filling(plan, "at").expression, NewDefault)
    assert filling(plan, "user_name").because == "names are equal but for case and separators"


def test_a_decision_wins_over_an_equal_name() -> None:
    old, new = table("t", "a text", "b text"), table("t", "a text", "b text")
    plan = only(old, new, entry("transform", old_column="b", new_column="a", because="it moved"))
    mapping = filling(plan, "a")
    assert isinstance(mapping.expression, Take) and mapping.expression.column == "b"
    assert (mapping.origin, mapping.because) == (Origin.DECIDED, "it moved")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"transform_sql": "upper(old.a)"}, Sql("upper(old.a)")),
        ({"value_mapping": (("x", "1"),)}, MapValues("a", (("x", "1"),), None, None)),
        (
            {"value_mapping": (("x", "1"),), "default_value": "0"},
            MapValues("a", (("x", "1"),), Constant("0"), None),
        ),
        (
            {"value_mapping": (("x", "1"),), "null_value": "9"},
            MapValues("a", (("x", "1"),), None, Constant("9")),
        ),
    ],
)
def test_what_a_transform_says_fills_the_column(fields: dict[str, object], expected: object) -> None:
    old, new = table("t", "a text"), table("t", "n int")
    plan = only(old, new, entry("transform", old_column="a", new_column="n", **fields))
    assert filling(plan, "n").expression == expected


def test_a_null_takes_the_default_only_where_new_refuses_it() -> None:
    given = entry("transform", old_column="a", new_column="n", value_mapping=(("x", "1"),), default_value="0")
    for declared, for_null in (("n int", None), ("n int!", Constant("0"))):
        expression = filling(only(table("t", "a text"), table("t", declared), given), "n").expression
        assert isinstance(expression, MapValues) and expression.for_null == for_null


def test_a_null_value_alone_stands_in_for_null() -> None:
    given = entry("transform", old_column="n", new_column="n", null_value="0")
    expression = filling(only(table("t", "n int"), table("t", "n int!"), given), "n").expression
    assert isinstance(expression, Coalesce) and expression.for_null == Constant("0")


def test_a_lookup_is_read_where_it_says() -> None:
    lookup = LookupTable(table="k", key_columns=("code",), value_column="id", database="old")
    given = entry("transform", old_column="a", new_column="n", lookup_table=lookup)
    k = table("k", "id int!", "code text!", key=["id"])
    plan, _ = planned([table("t", "a text"), k], [table("t", "n int"), k], given)
    expression = filling(table_plans(plan)["t"], "n").expression
    assert expression == Lookup(("a",), public("k"), ("code",), "id", Side.OLD, own=True)


def test_a_default_is_a_constant_or_the_schema_s_own() -> None:
    old, new = table("t", "a text"), table("t", "a text", "n int! = 5")
    constant = only(old, new, entry("default", new_column="n", default_value="7"))
    assert (filling(constant, "n").expression, filling(constant, "n").origin) == (
        Constant("7"),
        Origin.DECIDED,
    )
    own = only(old, new, entry("default", new_column="n", default_value="USE_SCHEMA_DEFAULT"))
    assert (filling(own, "n").expression, filling(own, "n").origin) == (NewDefault(), Origin.SERVER)


def test_a_generated_column_is_never_copied() -> None:
    both = table("t", "n int", column("d int", generated="s", generation="(n * 2)"))
    assert isinstance(filling(only(both, both), "d").expression, NewDefault)


@pytest.mark.parametrize(
    ("before", "after", "binary"),
    [
        ("n int", "n int", True),
        ("n int", "n bigint", True),
        ("n bigint", "n int", False),
        ("n text", "n text", True),
    ],
)
def test_rows_travel_in_binary_where_no_input_function_has_to_read_them(
    before: str, after: str, binary: bool
) -> None:
    plan = only(table("t", before), table("t", after))
    assert (plan.binary, plan.why_text) == (binary, "" if binary else "n: read by NEW's input function")


def test_a_table_that_only_defaults_fill_is_inserted() -> None:
    plan = only(table("t", "a text"), table("t", "n int! = 5"), entry("ignore", old_column="a"))
    assert (plan.inserts_defaults, plan.binary, plan.ignored) == (True, False, ("a",))


def test_the_zone_of_old_is_kept_where_a_value_depends_on_it() -> None:
    zoned = only(
        table("t", "at timestamp"),
        table("t", "at timestamptz"),
        entry("transform", old_column="at", new_column="at"),
    )
    assert zoned.zone == catalog().timezone
    assert only(table("t", "at timestamptz"), table("t", "at timestamptz")).zone is None


def test_partitions_are_the_sources_of_a_partitioned_table() -> None:
    plain = only(table("t", "n int"), table("t", "n int"))
    assert [(source.relation, source.pageable) for source in plain.sources] == [(public("t"), True)]
    parted = replace(table("t", "n int"), kind="p", partition_key="RANGE (n)")
    assert only(parted, table("t", "n int")).sources == ()


def sequences(old: Catalog, new: Catalog) -> tuple[SequencePair, ...]:
    plan, _ = planned(old, new)
    return plan.sequences


def sequence(name: str, *used_by: ColumnRef) -> Sequence:
    return Sequence(public(name), "bigint", 1, 1, 1, 9, cycle=False, used_by=used_by)


def test_a_sequence_is_paired_through_the_column_it_numbers() -> None:
    ref = ColumnRef(public("t"), "id")
    numbered = (column("id int!", sequence=public(name)) for name in ("a_seq", "b_seq"))
    old, new = (catalog(table("t", one, key=["id"])) for one in numbered)
    old = replace(old, sequences=(sequence("a_seq", ref),))
    new = replace(new, sequences=(sequence("b_seq", ref),))
    expected = SequencePair(new=public("b_seq"), old=public("a_seq"), table=public("t"), column="id")
    assert sequences(old, new) == (expected,)


def test_a_sequence_that_numbers_nothing_is_paired_by_name() -> None:
    old, new = (replace(catalog(table("t", "n int")), sequences=(sequence("s"),)) for _ in range(2))
    assert sequences(old, new) == (SequencePair(new=public("s"), old=public("s")),)
    assert sequences(replace(old, sequences=()), new) == ()


def test_a_sequence_of_a_table_that_is_not_filled_is_left_alone() -> None:
    fresh = table("fresh", column("id int!", sequence=public("s")))
    new = replace(
        catalog(table("t", "n int"), fresh), sequences=(sequence("s", ColumnRef(public("fresh"), "id")),)
    )
    old = replace(catalog(table("t", "n int")), sequences=(sequence("s"),))
    assert sequences(old, new) == ()


def test_a_left_out_table_is_named_with_its_reason_and_its_children_warn() -> None:
    parent = table("p", "id int!", key=["id"])
    child = table("t", "id int!", "p int", key=["id"], references=[("p", "p")])
    dropped = Resolution("p", "", "drop_table", because="moved by hand")
    plan, problems = planned([parent, child], [parent, child], dropped)
    assert problems == ()
    assert [(left.old, left.because) for left in plan.left_out] == [(public("p"), "moved by hand")]
    assert [(warning.code, warning.object) for warning in plan.warnings] == [("TS333", "public.t")]


def test_parents_come_before_children() -> None:
    parent, child = table("z", "id int!", key=["id"]), table("a", "id int!", "z int", references=[("z", "z")])
    plan, _ = planned([parent, child], [parent, child])
    assert [[t.old.name for t in group.tables] for group in plan.groups] == [["z"], ["a"]]


def test_tables_in_a_cycle_are_one_group() -> None:
    keys = [ForeignKey(f"{a}_{b}", (b,), public(b), ("id",)) for a, b in (("a", "b"), ("b", "a"))]
    tables = [
        table(key.name[0], "id int!", f"{key.columns[0]} int", key=["id"], foreign_keys=(key,))
        for key in keys
    ]
    plan, _ = planned(tables, tables)
    (group,) = plan.groups
    assert (group.cyclic, group.cyclic_keys) == (True, ((public("a"), "a_b"), (public("b"), "b_a")))
