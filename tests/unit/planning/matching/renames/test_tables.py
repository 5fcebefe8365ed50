"""Tables under another name, and conventions that a whole schema follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from support.build import table
from tranship.model.catalog import Table
from tranship.model.change import Pairing
from tranship.model.names import TableName
from tranship.planning.matching.renames import (
    RenameContext,
    TableRenames,
    column_renames,
    naming_convention,
    table_renames,
)
from tranship.planning.matching.renames.overlap import BEST, make_tables_context, worth_weighing


def renames(old: Sequence[Table], new: Sequence[Table], **context: object) -> TableRenames:
    return table_renames(old, new, context=RenameContext(convention=naming_convention(old, new), **context))


def automatic(found: TableRenames) -> list[tuple[str, str]]:
    return sorted((p.old.name, p.new.name) for p in found.automatic)


def asked(found: TableRenames) -> list[tuple[str, str]]:
    return sorted((p.old.name, p.new.name) for p in found.proposals)


def test_equal_columns_are_a_question_and_no_proof() -> None:
    orders = table("orders", "id int!", "user_id int", key=["id"], references=[("user_id", "users")])
    old = [table("users", "id int!", "name text", key=["id"]), orders]
    moved = table("orders", "id int!", "user_id int", key=["id"], references=[("user_id", "accounts")])
    found = renames(old, [table("accounts", "id int!", "name text", key=["id"]), moved])
    assert automatic(found) == []
    assert asked(found) == [("users", "accounts")]
    assert "a foreign key to public.users in OLD: to public.accounts in NEW" in found.proposals[0].evidence


def test_case_and_separators_with_the_same_columns() -> None:
    found = renames([table("OrderLine", "Id int", "Qty int")], [table("order_line", "id int", "qty int")])
    assert automatic(found) == [("OrderLine", "order_line")]
    assert found.automatic[0].pairing is Pairing.RULE


def test_a_name_alone_proves_nothing() -> None:
    found = renames(
        [table("OrderLine", "a int", "b int", "c int")], [table("order_line", "x int", "y text", "z date")]
    )
    assert automatic(found) == []


def test_another_schema_is_another_table_unless_schemas_correspond() -> None:
    old = [table("Users", "id int"), table("other", "id int", schema="app")]
    assert (
        automatic(
            renames(old, [table("users", "id int", schema="crm"), table("other", "id int", schema="app")])
        )
        == []
    )
    assert automatic(renames(old[:1], [table("users", "id int", schema="crm")])) == [("Users", "users")]


def test_lineage_needs_a_common_ancestor() -> None:
    old, new = [table("u", "id int", "v text", oid=9)], [table("things", "id int", "w text", oid=9)]
    assert automatic(renames(old, new)) == []
    found = renames(old, new, shared_ancestor=True)
    assert [(p.old.name, p.new.name, p.pairing) for p in found.automatic] == [
        ("u", "things", Pairing.LINEAGE)
    ]


def test_decided_pairs_are_left_alone() -> None:
    old, new = [table("OrderLine", "id int")], [table("order_line", "id int"), table("lines", "id int")]
    assert (
        renames(old, new, table_pairs={TableName("public", "OrderLine"): TableName("public", "lines")})
        == TableRenames()
    )


def plural_schema() -> tuple[list[Table], list[Table]]:
    old = [
        table(f"tbl_{name}s", "id int", f"{name}_name text") for name in ("user", "order", "product", "city")
    ]
    new = [table(name, "id int", f"{name}_name text") for name in ("user", "order", "product", "city")]
    return old, new


def test_prefix_and_plural_over_a_whole_schema() -> None:
    old, new = plural_schema()
    convention = naming_convention(old, new)
    assert convention is not None
    assert convention.evidence == (
        "4 of 4 renamed tables follow one convention: "
        "case and separators, prefix tbl → none, singular and plural",
    )
    assert automatic(renames(old, new)) == [
        ("tbl_citys", "city"),
        ("tbl_orders", "order"),
        ("tbl_products", "product"),
        ("tbl_users", "user"),
    ]


@pytest.mark.parametrize(
    ("write", "words_of_rule"),
    [
        (
            lambda name, kind: {"int": "lng", "text": "str"}[kind] + name.title().replace("_", ""),
            "a tag of the type in OLD",
        ),
        (lambda name, kind: f"{name}_fld", "suffix fld → none"),
        (lambda name, kind: f"x_{name}", "prefix x → none"),
    ],
)
def test_conventions_of_columns(write: Callable[[str, str], str], words_of_rule: str) -> None:
    columns = {"first_name": "text", "amount": "int", "city": "text", "rank": "int"}
    names = ("user", "order", "product")
    new = [table(name, "id int", *(f"{c} {kind}" for c, kind in reversed(columns.items()))) for name in names]
    old = [
        table(name, "id int", *(f"{write(c, kind)} {kind}" for c, kind in columns.items())) for name in names
    ]
    convention = naming_convention(old, new)
    assert convention is not None and convention.evidence == (
        f"12 of 12 renamed columns follow one convention: case and separators, {words_of_rule}",
    )
    found = column_renames(
        old[0], new[0], kept=[("id", "id")], context=RenameContext(convention=convention)
    ).automatic
    assert [(p.old, p.new) for p in found] == [(write(c, kind), c) for c, kind in columns.items()]


def test_a_suffix_that_speaks_of_the_values_is_no_convention() -> None:
    old = [
        table(name, "id int", "body text", "summary text", "intro text") for name in ("post", "page", "note")
    ]
    new = [
        table(name, "id int", "intro_html text", "body_html text", "summary_html text")
        for name in ("post", "page", "note")
    ]
    assert naming_convention(old, new) is None


def test_a_convention_stands_while_tables_come_and_go() -> None:
    old, new = plural_schema()
    come = [table(f"audit_{n}", "event text", "who text") for n in range(2)]
    assert asked(renames([*old, table("tbl_nothings", "a int", "b int")], [*new, *come])) == []
    assert len(automatic(renames([*old, table("tbl_nothings", "a int", "b int")], [*new, *come]))) == 4


def test_two_tables_are_no_convention() -> None:
    old, new = plural_schema()
    assert naming_convention(old[:2], new[:2]) is None
    assert automatic(renames(old[:2], new[:2])) == []


def test_half_a_schema_is_no_convention() -> None:
    old, new = plural_schema()
    others = [table(f"kept_{n}", "id int") for n in range(6)]
    assert naming_convention([*old, *others], [*new, *others]) is None


def test_prefix_of_each_tables_own() -> None:
    old = [
        table("customers", "cus_id int", "cus_name text", "cus_city text"),
        table("orders", "ord_id int", "ord_cus_id int", "ord_total int"),
        table("items", "itm_id int", "itm_ord_id int", "itm_note text"),
    ]
    new = [
        table("customers", "city text", "name text", "id int"),
        table("orders", "total int", "id int", "cus_id int"),
        table("items", "note text", "ord_id int", "id int"),
    ]
    convention = naming_convention(old, new)
    assert convention is not None and convention.columns is not None
    context = RenameContext(convention=convention)
    found = [
        p
        for a, b in zip(old, new, strict=True)
        for p in column_renames(a, b, kept=[], context=context).automatic
    ]
    assert [(p.old, p.new) for p in found] == [
        ("cus_id", "id"),
        ("cus_name", "name"),
        ("cus_city", "city"),
        ("ord_id", "id"),
        ("ord_cus_id", "cus_id"),
        ("ord_total", "total"),
        ("itm_id", "id"),
        ("itm_ord_id", "ord_id"),
        ("itm_note", "note"),
    ]


def test_convention_still_minds_the_types() -> None:
    old = [table(f"T{n}", "UserName text", "OrderTotal int") for n in range(3)]
    new = [table(f"t{n}", "user_name text", "order_total int") for n in range(2)]
    odd = table("t2", "user_name int", "order_total int")
    context = RenameContext(convention=naming_convention(old, [*new, odd]))
    assert [(p.old, p.new) for p in column_renames(old[2], odd, kept=[], context=context).automatic] == [
        ("OrderTotal", "order_total")
    ]


def test_of_thousands_of_tables_few_pairs_are_weighed() -> None:
    old = [table(f"area_{n}", *(f"field_{n}_{m} int" for m in range(12))) for n in range(1500)]
    new = [replace(t, name=TableName("public", t.name.name.replace("area", "zone"))) for t in old]
    assert len(worth_weighing(make_tables_context(old, new, {}), ())) <= BEST * 1500
    assert len(table_renames(old, new, context=RenameContext()).proposals) == 1500


def test_the_same_answer_whatever_the_order_of_the_tables() -> None:
    old, new = plural_schema()
    assert automatic(renames(old, new)) == automatic(renames(old[::-1], new[::-1]))
    assert asked(renames(old[:2], new)) == asked(renames(old[1::-1], new[::-1]))


def test_what_tables_of_every_kind_have_makes_no_rename() -> None:
    """Of one table that went and one that came there is nothing else to choose, and that says nothing."""
    users = table("users", "id int!", "name text", key=["id"])
    past = table("orders_2019", "id int!", "customer_id int", "total numeric", "created_at date", key=["id"])
    admins = table("admins", "id int!", "user_id int", "level numeric", "created_at date", key=["id"])
    assert asked(renames([users, past], [users, admins])) == []
    # Nearly all columns, or one that not every table has, are a question.
    same = table("admins", "id int!", "customer_id int", "total numeric", "created_at date", key=["id"])
    assert asked(renames([users, past], [users, same])) == [("orders_2019", "admins")]


def test_a_few_columns_alone_are_a_doubtful_rename() -> None:
    users = table("users", "id int!", "name text", key=["id"])
    past = table("orders_2019", "id int!", "email text", "total numeric", "created_at date", key=["id"])
    admins = table("admins", "id int!", "email text", "level numeric", "created_at date", key=["id"])
    (found,) = renames([users, past], [users, admins]).proposals
    assert found.doubtful
    assert "neither their names nor foreign keys speak for it, only these columns" in found.evidence
    (same,) = renames(
        [users, past], [users, replace(past, name=TableName("public", "order_archive"))]
    ).proposals
    assert not same.doubtful


def test_a_table_in_the_plural_is_asked_about_whatever_its_columns_are() -> None:
    old = [
        table("category", "category_id int!", "name text", "last_update timestamp", key=["category_id"]),
        table("setting", "name text", "val text"),
        table("film", "film_id int!", "category_id int", references=[("category_id", "category")]),
    ]
    new = [
        table("categories", "id int!", "label text", "updated_at timestamptz", key=["id"]),
        table("settings", "key text!", "value text", key=["key"]),
        table("films", "id int!", "category int", references=[("category", "categories")]),
    ]
    found = renames(old, new)
    assert automatic(found) == []
    assert asked(found) == [("category", "categories"), ("film", "films"), ("setting", "settings")]
    assert all(one.doubtful for one in found.proposals)
    elsewhere = [replace(one, name=TableName("app", one.name.name)) for one in new]
    assert asked(renames(old, [*elsewhere, table("t", "id int")])) == []
    several = [*new, table("SETTINGS", "name text")]
    assert ("setting", "settings") not in asked(renames(old, several))
