"""Tying the configuration to the catalogs: names, schemas, privileges, and every problem at once."""

from __future__ import annotations

from msgspec.structs import replace

from support.build import catalog, table
from tranship.model.names import TableName
from tranship.planning.matching.scope import Scope, make_scope

EMPTY = catalog()


def codes(old_tables: list[str] | None, *present: str) -> list[str]:
    _, problems = make_scope(catalog(*(table(name, "id int") for name in present)), EMPTY, old_tables)
    return [p.code for p in problems]


def test_all_tables_when_none_are_configured() -> None:
    scope, problems = make_scope(catalog(table("a", "id int")), EMPTY, None)
    assert (scope.tables, problems) == (None, ())


def test_configured_order_is_kept_and_repeats_are_dropped() -> None:
    old = catalog(table("a", "id int"), table("b", "id int"))
    scope, problems = make_scope(old, EMPTY, ["b", "public.a", "b"])
    assert scope.tables == (TableName("public", "b"), TableName("public", "a"))
    assert not problems


def test_an_exact_name_wins_over_splitting_at_the_dot() -> None:
    old = catalog(
        table("crm.orders", "id int"), table("orders", "id int", schema="crm"), schemas=("public", "crm")
    )
    assert make_scope(old, EMPTY, ["crm.orders"])[0].tables == (TableName("public", "crm.orders"),)
    without = catalog(table("orders", "id int", schema="crm"), schemas=("public", "crm"))
    assert make_scope(without, EMPTY, ["crm.orders"])[0].tables == (TableName("crm", "orders"),)


def test_a_missing_table_says_where_and_what_is_near() -> None:
    old = catalog(table("Users", "id int"), table("orders", "id int"))
    _, (case, spelling) = make_scope(old, EMPTY, ["users", "order"])
    assert case.message == "Table not found in schema: 'users' (schema 'public', OLD database 'mydb')"
    assert "'Users'" in case.hint
    assert "case" in case.hint
    assert "'orders'" in spelling.hint
    assert {case.code, spelling.code} == {"TS131"}


def test_a_missing_schema_is_told_apart() -> None:
    old = catalog(table("t", "id int"))
    _, (problem,) = make_scope(old, EMPTY, ["crm.users"])
    assert problem.message.startswith(
        "Table not found in schema: 'users' (schema 'crm', OLD database 'mydb')"
    )
    assert "schema does not exist" in problem.message
    _, (missing,) = make_scope(old, EMPTY, None, old_configured=("dbo",))
    assert missing.code == "TS133"
    assert "'dbo'" in missing.message


def test_a_view_is_no_table_to_move() -> None:
    _, (problem,) = make_scope(catalog(table("v", "id int", kind="v")), EMPTY, ["v"])
    assert "a view" in problem.message
    assert problem.message.startswith("Table not found in schema: 'v'")


def test_no_tables() -> None:
    _, (empty,) = make_scope(EMPTY, EMPTY, None)
    assert empty.message.startswith("No tables to migrate")
    assert "'public'" in empty.message
    assert "'mydb'" in empty.message
    _, (listed,) = make_scope(catalog(table("a", "id int")), EMPTY, [])
    assert "leave the key" in listed.hint


def test_unreadable_tables_are_all_named_with_their_grants() -> None:
    denied = replace(table("denied", "id int"), privileges=())
    some = replace(table("Some Cols", "id int", "secret text"), privileges=(), unreadable_columns=("secret",))
    _, problems = make_scope(catalog(denied, some, table("fine", "id int")), EMPTY, None)
    assert [p.code for p in problems] == ["TS311", "TS311"]
    assert 'GRANT SELECT ON public."Some Cols" TO reader;' in problems[0].hint
    assert "secret" in problems[0].message
    assert "GRANT SELECT ON public.denied TO reader;" in problems[1].hint
    _, only = make_scope(catalog(denied, table("fine", "id int")), EMPTY, ["fine"])
    assert not only


def test_table_mapping_names_both_sides() -> None:
    old, new = catalog(table("users", "id int")), catalog(table("app_users", "id int"))
    scope, problems = make_scope(old, new, None, [("users", "app_users")])
    assert scope.mapping == ((TableName("public", "users"), TableName("public", "app_users")),)
    assert not problems
    _, (wrong,) = make_scope(old, new, None, [("users", "app_user")])
    assert "NEW database" in wrong.message


def test_schemas_pair_by_position_else_by_name() -> None:
    old = catalog(table("t", "id int"), schemas=("public", "crm"))
    new = catalog(table("t", "id int", schema="dbo"), schemas=("dbo", "crm"))
    paired, _ = make_scope(old, new, None, old_configured=("public", "crm"), new_configured=("dbo", "crm"))
    assert paired.schema_pairs == (("public", "dbo"), ("crm", "crm"))
    named, _ = make_scope(old, new, None)
    assert named.schema_pairs == (("crm", "crm"),)


def test_includes() -> None:
    assert Scope().includes(TableName("public", "t"))
    assert not Scope(tables=()).includes(TableName("public", "t"))
