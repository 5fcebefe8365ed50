"""Patterns of the command line choose among the tables that take part."""

from __future__ import annotations

from msgspec.structs import replace

from support.build import catalog, table
from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import Scope, make_scope, matches
from tranship.planning.matching.selection import narrowed

OLD = catalog(
    table("orders", "id int"),
    table("order_log", "id int"),
    table("Users", "id int"),
    table("orders", "id int", schema="crm"),
    schemas=("public", "crm"),
)


def chosen(
    only: tuple[str, ...], never: tuple[str, ...] = (), old: Catalog = OLD
) -> tuple[list[str], list[str]]:
    scope, problems = make_scope(old, old, None)
    scope, problems = narrowed(scope, old, only, never, problems)
    names = [str(t.name) for t in old.tables if scope.includes(t.name)]
    return names, [p.code for p in problems]


def test_patterns() -> None:
    orders = TableName("crm", "orders")
    assert [
        p for p in ("orders", "ord*", "crm.*", "*", "?rders", "crm.orders", "[a-o]*") if matches(orders, p)
    ]
    assert not [p for p in ("order", "Orders", "public.*", "crm", "ord") if matches(orders, p)]


def test_tables_are_chosen_and_excluded() -> None:
    assert chosen(()) == (["crm.orders", "public.Users", "public.order_log", "public.orders"], [])
    assert chosen(("orders",)) == (["crm.orders", "public.orders"], [])
    assert chosen(("public.*",), ("*_log",)) == (["public.Users", "public.orders"], [])
    assert chosen((), ("crm.*", "U*")) == (["public.order_log", "public.orders"], [])


def test_a_pattern_that_matches_nothing_is_a_mistake() -> None:
    assert chosen(("orders", "users"), ("*_lgo",))[1] == ["TS136", "TS136"]
    assert chosen(("orders",), ("orders",))[1] == ["TS136"]


def test_the_table_that_was_probably_meant_is_named() -> None:
    scope, problems = make_scope(OLD, OLD, None)
    _, problems = narrowed(scope, OLD, ("users", "crm.ordres", "nothing*"), (), problems)
    named = [(problem.hint or "").partition("*")[0] for problem in problems]
    assert named == [
        "did you mean 'Users'? (names are case-sensitive) ",
        "did you mean 'crm.orders'? ",
        "",
    ]


def test_patterns_choose_among_the_configured_tables() -> None:
    scope, problems = make_scope(OLD, OLD, ["order_log", "crm.orders"])
    scope, problems = narrowed(scope, OLD, ("*order*",), ("*_log",), problems)
    assert not problems
    assert scope.tables == (TableName("crm", "orders"),)


def test_what_is_left_out_is_neither_read_nor_reported() -> None:
    tables = tuple(replace(t, privileges=()) if t.name.name == "order_log" else t for t in OLD.tables)
    old = replace(OLD, tables=tables)
    assert chosen((), (), old)[1] == ["TS311"]
    assert chosen((), ("order_log",), old)[1] == []
    assert chosen(("order_log",), (), old)[1] == ["TS311"]
    scope, _ = narrowed(Scope(schema_pairs=(("public", "public"),)), OLD, ("public.o*",), (), ())
    matching = match(OLD, catalog(table("orders", "id int"), table("more", "id int")), scope)
    assert [str(pair.old) for pair in matching.pairs] == ["public.orders"]
    assert [str(name) for name in matching.only_old] == ["public.order_log"]
    assert (matching.only_new, matching.out_of_scope) == ((), 2)


def test_the_output_of_a_query_goes_with_the_table_after_which_it_is_called() -> None:
    """No pattern can name it otherwise: it is no table of OLD."""

    def takes_part(only: tuple[str, ...], never: tuple[str, ...] = (), of: str = "orders") -> bool:
        scope, _ = narrowed(make_scope(OLD, OLD, None)[0], OLD, only, never, ())
        return scope.includes_flow(TableName("", of), TableName("public", "monthly"))

    assert takes_part(()) and takes_part(("orders",)) and takes_part((), ("Users",))
    assert not takes_part(("Users",)) and not takes_part((), ("monthly",))
    assert not takes_part((), ("orders",)) and not takes_part(("orders",), ("public.monthly",))
