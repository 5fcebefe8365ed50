"""What two merged rows had each, where NEW holds one of them: which one arrives is said to be a decision."""

from __future__ import annotations

from msgspec.structs import replace

from support.build import catalog, table
from support.schema_pair import planned
from tranship.model.catalog import Table
from tranship.model.resolution import Resolution

CUSTOMER = table("customer", "id int", "email text", key=["id"])
OLD_PROFILE = table(
    "profile", "id int", "customer_id int", key=["id"], references=[("customer_id", "customer")]
)
MERGED = replace(
    Resolution("customer", "", "merge"), key=("old.email",), keep="old.id DESC", repoint_children=True
)


def said(profile: Table, *entries: Resolution) -> list[str]:
    plan, problems = planned([CUSTOMER, OLD_PROFILE], catalog(CUSTOMER, profile), MERGED, *entries)
    assert problems == ()
    return [
        problem.message.partition("rejected; ")[2] for problem in plan.warnings if problem.code == "TS305"
    ]


def profile(*key: str) -> Table:
    return table("profile", "id int", "customer_id int", key=key, references=[("customer_id", "customer")])


def test_a_child_that_is_the_only_one_of_its_parent() -> None:
    expected = '{"action": "merge", "key": ["old.customer_id"]} with a "keep" says otherwise'
    assert said(profile("customer_id")) == [expected]


def test_a_child_of_which_a_parent_may_have_several() -> None:
    assert said(profile("id")) == []
    assert said(profile("id", "customer_id")) == []


def test_a_child_that_is_merged_by_a_decision() -> None:
    own = replace(Resolution("profile", "", "merge"), key=("old.customer_id",), keep="old.id")
    assert said(profile("customer_id"), own) == []
