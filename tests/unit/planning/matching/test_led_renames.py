"""Renames of tables that follow from others: schemas that got another name."""

from __future__ import annotations

from support.build import catalog, table
from tranship.model.catalog import Catalog
from tranship.model.change import Matching, TableProposal
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import Evidence
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope

OLD = catalog(
    table("users", "id int", "login text", schema="app"),
    table("cost_centers", "cc text", "cc_name text", schema="fin"),
    table("couponuse", "code text", "used date", schema="fin"),
    table("payments", "pay_id int", "amt float8", "curr text", "meth text", schema="fin"),
    table("entries", "a int", "b int", "c int", schema="fin"),
    schemas=("app", "fin"),
)
NEW = catalog(
    table("accounts", "uid int", "nick text", schema="core"),
    table("cost_centers", "cc text", "cc_name text", schema="billing"),
    table(
        "coupon_use", "a int", "b int", "c int", "d int", "used date", "e int", "code text", schema="billing"
    ),
    table("payments", "id bigint", "amount numeric", "currency text", "method text", schema="billing"),
    table("entry", "x int", "y int", "z int", schema="billing"),
    schemas=("core", "billing"),
)


def matched(old: Catalog, new: Catalog) -> Matching:
    scope, _ = make_scope(old, new, None)
    return match(old, new, scope)


def proposed(found: Matching) -> dict[str, TableProposal]:
    return {f"{one.old} {one.new}": one for one in found.proposals}


def test_what_follows_from_a_proposal_is_proposed_and_not_taken() -> None:
    found = matched(OLD, NEW)
    assert found.pairs == ()
    led = proposed(found)["fin.couponuse billing.coupon_use"]
    assert led.doubtful
    assert led.evidence[-1] == "if fin becomes billing, as other suggestions say"


def test_an_equal_name_in_another_schema_is_proposed_when_no_column_has_an_equal_name() -> None:
    found = proposed(matched(OLD, NEW))
    assert found["fin.payments billing.payments"].evidence == (
        "this table of NEW has the same name in another schema",
    )
    assert "singular and plural" in found["fin.entries billing.entry"].evidence[0]
    assert not any(names.startswith("app.") for names in found)


def test_an_equal_name_says_nothing_where_several_tables_have_it() -> None:
    old = catalog(
        table("t", "k int", schema="a"),
        table("t", "l int", schema="b"),
        table("rest", "r int", schema="a"),
        schemas=("a", "b"),
    )
    new = catalog(table("t", "m int", schema="c"), table("other", "o int", schema="c"), schemas=("c",))
    assert not matched(old, new).proposals


def test_report_and_questions_speak_of_the_same_tables() -> None:
    scope, _ = make_scope(OLD, NEW, None)
    matching = match(OLD, NEW, scope)
    changes = compare(OLD, NEW, matching).changes
    renamed = {change.table for change in changes if change.kind is ChangeKind.TABLE_RENAMED}
    questions = suggest(OLD, NEW, scope, Evidence()).questions
    asked = {one.table for one in questions if one.text.startswith("Table ") and "renamed" in one.text}
    assert asked == renamed
    assert {one.table for one in questions} >= {"fin.couponuse", "fin.payments", "users"}
    assert not [one for one in questions if "renamed" in one.text and "drop_table" in one.suggestion]
