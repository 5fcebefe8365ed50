"""Who corresponds to whom."""

from __future__ import annotations

from msgspec.structs import replace

from support.build import catalog, parse_catalog, table
from tranship.model.catalog import Catalog
from tranship.model.change import Matching, Pairing, TablePair
from tranship.model.names import TableName
from tranship.planning.matching.match import Decided, match
from tranship.planning.matching.scope import make_scope


def name(text: str) -> TableName:
    return TableName("public", text)


def matched(
    old: Catalog, new: Catalog, decided: Decided | None = None, tables: list[str] | None = None
) -> Matching:
    scope, _ = make_scope(old, new, tables)
    return match(old, new, scope, decided or Decided())


def names(pair: TablePair) -> list[tuple[str, str, Pairing]]:
    return [(c.old, c.new, c.pairing) for c in pair.columns]


def test_equal_names_pair_in_new_order() -> None:
    (pair,) = matched(
        catalog(table("t", "a int", "b int")), catalog(table("t", "b int", "c int", "a int"))
    ).pairs
    assert names(pair) == [("b", "b", Pairing.NAME), ("a", "a", Pairing.NAME)]


def test_case_and_separators_prove_a_rename() -> None:
    (pair,) = matched(
        catalog(table("t", "id int", "user_name text")),
        catalog(table("t", "id int", "x int", "username text")),
    ).pairs
    assert ("user_name", "username", Pairing.RULE) in names(pair)


def test_a_place_alone_proves_nothing_between_tables_that_a_person_pairs() -> None:
    """Two tables under two names may each have been made with a column of its own in that place."""
    old = catalog(table("contacts", "id int", "nickname text", "city text", "phone_no text", "born date"))
    new = catalog(table("people", "id int", "motto text", "city text", "phone_number text", "born date"))
    (pair,) = matched(old, new, Decided(tables=((name("contacts"), name("people")),))).pairs
    assert [(p.old, p.new, p.of_place_alone) for p in pair.proposals] == [("nickname", "motto", True)]
    assert ("phone_no", "phone_number", Pairing.RULE) in names(pair)
    assert "nickname" not in {p.old for p in pair.columns}


def test_a_child_of_such_a_table_is_asked_about_as_its_parent_is() -> None:
    columns = ("id int", "nickname text", "city text")
    child = table("contacts_2020", *columns, parents=(name("contacts"),))
    new = table("people", "id int", "motto text", "city text")
    for kind in ("r", "p"):
        found = matched(
            catalog(table("contacts", *columns), child),
            catalog(replace(new, kind=kind)),
            Decided(tables=((name("contacts"), name("people")),)),
        )
        for pair in found.pairs:
            assert "nickname" not in {p.old for p in pair.columns}, (kind, pair)
    assert [pair.pairing for pair in found.pairs] == [Pairing.DECIDED, Pairing.PARENT]


def test_decisions_come_first_and_one_column_may_feed_several() -> None:
    old, new = catalog(table("t", "a text", "b text")), catalog(table("t", "a text", "b text", "c text"))
    decided = Decided(
        columns=((name("t"), "a", "b"), (name("t"), "a", "c")), resolved_old=((name("t"), "b"),)
    )
    (pair,) = matched(old, new, decided).pairs
    assert names(pair) == [("a", "a", Pairing.NAME), ("a", "b", Pairing.DECIDED), ("a", "c", Pairing.DECIDED)]


def test_a_transform_does_not_use_up_a_renamed_column() -> None:
    old, new = (
        catalog(table("t", "id int", "user_name text")),
        catalog(table("t", "id int", "username text", "initial text")),
    )
    (shared,) = matched(old, new, Decided(columns=((name("t"), "user_name", "initial"),))).pairs
    assert names(shared)[1:] == [
        ("user_name", "username", Pairing.RULE),
        ("user_name", "initial", Pairing.DECIDED),
    ]
    used_up = Decided(
        columns=((name("t"), "user_name", "initial"),), resolved_old=((name("t"), "user_name"),)
    )
    (renamed,) = matched(old, new, used_up).pairs
    assert names(renamed)[1:] == [("user_name", "initial", Pairing.DECIDED)]


def test_what_is_resolved_pairs_with_nothing() -> None:
    old, new = catalog(table("t", "id int", "user_name text")), catalog(table("t", "id int", "username text"))
    (ignored,) = matched(old, new, Decided(resolved_old=((name("t"), "user_name"),))).pairs
    (filled,) = matched(old, new, Decided(resolved_new=((name("t"), "username"),))).pairs
    assert [c.new for c in ignored.columns] == [c.new for c in filled.columns] == ["id"]
    assert not ignored.proposals
    assert not filled.proposals


def test_tables_by_decision_and_by_mapping() -> None:
    old = catalog(table("users", "id int"), table("people", "id int"))
    new = catalog(table("accounts", "id int"))
    both = matched(
        old, new, Decided(tables=((name("users"), name("accounts")), (name("people"), name("accounts"))))
    )
    assert [(p.old.name, p.new.name, p.pairing) for p in both.pairs] == [
        ("people", "accounts", Pairing.DECIDED),
        ("users", "accounts", Pairing.DECIDED),
    ]
    assert not both.only_new
    scope, _ = make_scope(old, new, None, [("users", "accounts")])
    assert match(old, new, scope).pairs[0].evidence == ("table_mapping",)


def test_a_dropped_table_is_gone_from_all_lists() -> None:
    both = catalog(table("t", "id int"), table("u", "id int"))
    left = matched(both, both, Decided(dropped=(name("t"),)))
    assert [p.old.name for p in left.pairs] == ["u"]
    assert not left.only_old
    assert not left.only_new


def test_schemas_that_correspond() -> None:
    old, new = catalog(table("t", "id int")), catalog(table("t", "id int", schema="dbo"), schemas=("dbo",))
    scope, _ = make_scope(old, new, None, old_configured=("public",), new_configured=("dbo",))
    assert match(old, new, scope).pairs[0].new == TableName("dbo", "t")


def test_an_inheritance_child_flows_into_the_partitioned_counterpart() -> None:
    parent = table("payment", "id int", children=(name("payment_1"),))
    child = table("payment_1", "id int", parents=(name("payment"),))
    grandchild = table("payment_1a", "id int", parents=(name("payment_1"),))
    old = catalog(parent, child, grandchild)
    partitioned = matched(old, catalog(table("payment", "id int", kind="p")))
    assert [(p.old.name, p.new.name, p.pairing) for p in partitioned.pairs] == [
        ("payment", "payment", Pairing.NAME),
        ("payment_1", "payment", Pairing.PARENT),
        ("payment_1a", "payment", Pairing.PARENT),
    ]
    plain = matched(old, catalog(table("payment", "id int")))
    assert {p.old.name for p in plain.pairs} == {"payment", "payment_1", "payment_1a"}
    other = table("payment_1", "id int", "more text", parents=(name("payment"),))
    beyond = matched(catalog(parent, other), catalog(table("payment", "id int")))
    assert beyond.only_old == (name("payment_1"),)
    inheriting = table("payment", "id int", children=(name("payment_x"),))
    assert matched(old, catalog(inheriting)).only_old == (name("payment_1"), name("payment_1a"))


def test_a_name_held_by_a_view_is_no_rename() -> None:
    old = catalog(table("t_v", "a int", "b text"), table("v_b", "a int", "b text", kind="v"))
    new = catalog(table("t_v", "a int", "b text", kind="v"), table("v_b", "a int", "b text"))
    found = matched(old, new)
    assert (found.pairs, found.only_old, found.only_new, found.proposals) == (
        (),
        (name("t_v"),),
        (name("v_b"),),
        (),
    )


def test_configured_tables_leave_the_rest_out() -> None:
    old = catalog(table("a", "id int"), table("b", "id int"), table("c", "id int"))
    new = catalog(table("a", "id int"), table("c", "id int"), table("z", "id int"))
    found = matched(old, new, tables=["c", "a"])
    assert [p.old.name for p in found.pairs] == ["a", "c"]
    assert (found.only_old, found.only_new, found.out_of_scope) == ((), (), 1)
    assert found.configured == (name("c"), name("a"))


def test_relations_without_rows_and_extension_tables_take_no_part() -> None:
    old = catalog(table("v", "id int", kind="v"), table("spatial", "id int", extension="postgis"))
    assert matched(old, catalog()) == Matching(
        pairs=(), only_old=(), only_new=(), schema_pairs=(("public", "public"),)
    )


def proposed(old: str, new: str) -> list[tuple[str, str]]:
    """Returns the columns of the pairs that are proposed."""
    found = matched(parse_catalog(old), parse_catalog(new))
    return [(one.old, one.new) for pair in found.pairs for one in pair.proposals]


def test_references_to_two_known_tables_are_no_rename() -> None:
    """Keys of clients would be stored as keys of realms, and each of them may well exist there."""
    presence = "client(id int pk); realm(id int pk); presence(id int pk, {} int! -> {}.id, n int)"
    assert proposed(presence.format("client_id", "client"), presence.format("realm_id", "realm")) == []
    # A table that only one side has may be the other one under a new name, or have taken its rows over.
    old, new = "users(id int pk); plan(id int pk, user_id int! -> users.id, n int)", "users(id int pk)"
    assert proposed(old, f"{new}; plan(id int pk, team_id int! -> teams.id, n int); teams(id int pk)") == []
    moved = f"{new}; plan(id int pk, billed_user_id int! -> payers.id, n int); payers(id int pk)"
    assert proposed(old, moved) == [("user_id", "billed_user_id")], "a word in common is worth the question"
    gone = "teams(id int pk); plan(id int pk, team_id int! -> teams.id, n int)"
    assert proposed(old, gone) == [("user_id", "team_id")], "nothing is left that users could be"
