"""Which key of OLD both ends of a key of NEW are computed from."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.build import table
from support.schema_pair import planned, table_plans
from tranship.model.plan import TablePlan
from tranship.model.resolution import Resolution
from tranship.planning.plan.computed_keys import computed_key

PARENT = table("parent", "id int", "other int")
CHILD = table("child", "parent_id int", "other int", references=[("parent_id", "parent")])
(KEY,) = CHILD.foreign_keys


def plans(child: str, parent: str) -> tuple[TablePlan, TablePlan]:
    ends = (("child", "parent_id", child), ("parent", "id", parent))
    entries = [
        replace(Resolution(name, "", "transform"), old_column=column, new_column=column, transform_sql=sql)
        for name, column, sql in ends
    ]
    plan, problems = planned([PARENT, CHILD], [PARENT, CHILD], *entries)
    assert problems == ()
    return table_plans(plan)["child"], table_plans(plan)["parent"]


@pytest.mark.parametrize(
    ("child", "parent", "alike"),
    [
        ("old.parent_id % 100", "old.id % 100", True),
        ("old.parent_id\n  % 100", 'OLD."id" % 100', True),
        ("old . PARENT_ID + 1", "old.id + 1", True),
        ("old.parent_id % 100", "old.id % 10", False),
        ("old.parent_id + 0", "old.id + old.other", False),
        ("old.parent_id + old.other", "old.id + old.other", False),
        ('old."PARENT_ID" + 1', "old.id + 1", False),
        ("CASE old.parent_id WHEN 13 THEN 12 ELSE old.parent_id END", "old.id + 0", False),
        ("7", "7", False),
    ],
)
def test_expressions_that_differ_in_the_name_of_the_column(child: str, parent: str, alike: bool) -> None:
    below, above = plans(child, parent)
    assert computed_key(KEY, below, [KEY], [above]) == (KEY if alike else None)


def test_a_key_of_old_that_is_not_enforced_or_leads_elsewhere_says_nothing() -> None:
    below, above = plans("old.parent_id + 1", "old.id + 1")
    assert computed_key(KEY, below, [replace(KEY, enforced=False)], [above]) is None
    assert computed_key(KEY, below, [KEY], [below]) is None
    assert computed_key(KEY, below, [KEY], []) is None
