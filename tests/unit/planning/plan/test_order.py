"""The order of tables: parents and lookup tables first, cycles together, the configured order kept."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.expression import Lookup
from tranship.model.names import TableName
from tranship.model.plan import ColumnMapping, Origin, TablePlan
from tranship.model.types import PgType
from tranship.planning.plan.order import lookup_circles, order

TEXT = PgType(text="text", base="text")


def name(table: str) -> TableName:
    return TableName("public", table)


def plan(table: str, lookup: str | None = None, new: str | None = None) -> TablePlan:
    mappings: tuple[ColumnMapping, ...] = ()
    if lookup is not None:
        expression = Lookup(columns=("c",), table=name(lookup), keys=("k",), value="v")
        mappings = (ColumnMapping(column="c", type=TEXT, expression=expression, origin=Origin.DECIDED),)
    return TablePlan(old=name(table), new=name(new or table), columns=mappings, key=(), sources=())


def within(table: TablePlan) -> TablePlan:
    """The plan whose lookup is one within a circle."""
    (mapping,) = table.columns
    assert isinstance(mapping.expression, Lookup)
    return replace(table, columns=(replace(mapping, expression=replace(mapping.expression, within=True)),))


def catalog(keys: dict[str, tuple[str, ...]]) -> Catalog:
    tables = tuple(
        Table(
            name=name(table),
            kind="r",
            foreign_keys=tuple(ForeignKey(f"{table}_{to}", ("x",), name(to), ("id",)) for to in targets),
        )
        for table, targets in keys.items()
    )
    return Catalog(database="d", server_version=180000, schemas=("public",), tables=tables)


def names(groups: object) -> list[list[str]]:
    return [[p.old.name for p in group.tables] for group in groups]  # type: ignore[attr-defined]


def test_parents_come_first_and_names_break_ties() -> None:
    groups, problems = order(
        [plan("a_items"), plan("m_orders"), plan("z_customers"), plan("b")],
        catalog({"a_items": ("m_orders",), "m_orders": ("z_customers",), "z_customers": (), "b": ()}),
        None,
    )
    assert names(groups) == [["b"], ["z_customers"], ["m_orders"], ["a_items"]]
    assert not problems
    assert not any(group.cyclic for group in groups)


def test_a_self_reference_is_a_cycle_of_one() -> None:
    groups, _ = order([plan("t")], catalog({"t": ("t",)}), None)
    assert groups[0].cyclic
    assert groups[0].cyclic_keys == ((name("t"), "t_t"),)


def test_a_cycle_is_one_group() -> None:
    groups, _ = order(
        [plan("staff"), plan("store"), plan("address")],
        catalog({"staff": ("store", "address"), "store": ("staff", "address"), "address": ()}),
        None,
    )
    assert names(groups) == [["address"], ["staff", "store"]]
    assert {k for _, k in groups[1].cyclic_keys} == {"staff_store", "store_staff"}


def test_a_lookup_comes_before_its_reader() -> None:
    groups, _ = order([plan("item", lookup="zcat"), plan("zcat")], catalog({"item": (), "zcat": ()}), None)
    assert names(groups) == [["zcat"], ["item"]]


def test_lookups_in_a_cycle_are_one_group() -> None:
    tables = [plan("a", lookup="b"), plan("b", lookup="a"), plan("c", lookup="a"), plan("d", lookup="d")]
    circles = lookup_circles(tables)
    assert circles == {0: {name("b")}, 1: {name("a")}, 3: {name("d")}}
    marked = [within(table) if n in circles else table for n, table in enumerate(tables)]
    new = catalog({"a": (), "b": (), "c": (), "d": ()})
    assert names(order(marked, new, None)[0]) == [["a", "b"], ["c"], ["d"]]
    configured = [name("d"), name("c"), name("b"), name("a")]
    groups, problems = order(marked, new, configured)
    assert names(groups) == [["d"], ["b", "a"], ["c"]]
    assert problems == ()


def test_tables_that_fill_one_new_table_share_a_group() -> None:
    groups, _ = order(
        [plan("p1", new="p"), plan("p2", new="p"), plan("c")], catalog({"p": (), "c": ("p",)}), None
    )
    assert names(groups) == [["p1", "p2"], ["c"]]


def test_the_configured_order_is_kept_and_a_broken_key_is_a_warning() -> None:
    tables = [plan("child"), plan("other"), plan("parent"), plan("last")]
    new = catalog({"child": ("parent",), "parent": (), "other": (), "last": ()})
    groups, problems = order(tables, new, [name("child"), name("other"), name("parent"), name("last")])
    assert names(groups) == [["child", "other", "parent"], ["last"]]
    assert groups[0].cyclic
    assert groups[0].cyclic_keys == ((name("child"), "child_parent"),)
    assert [p.code for p in problems] == ["TS331"]


def test_a_sound_configured_order_stays_single_tables() -> None:
    new = catalog({"child": ("parent",), "parent": (), "b": ()})
    groups, problems = order(
        [plan("child"), plan("b"), plan("parent")], new, [name("parent"), name("child"), name("b")]
    )
    assert names(groups) == [["parent"], ["child"], ["b"]]
    assert not problems


@pytest.mark.parametrize("length", [3000])
def test_a_long_chain_needs_no_recursion(length: int) -> None:
    keys = {f"t{n}": ((f"t{n + 1}",) if n + 1 < length else ()) for n in range(length)}
    groups, _ = order([plan(t) for t in keys], catalog(keys), None)
    assert names(groups)[0] == [f"t{length - 1}"]
