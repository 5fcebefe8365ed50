"""Foreign keys of OLD that NEW lacks, while both ends arrive."""

from __future__ import annotations

from support.build import catalog, table
from support.schema_pair import planned
from tranship.model.catalog import Table
from tranship.planning.plan.unchecked import unchecked

PARENT = table("parent", "id int", key=["id"])
CHILD = table("child", "n int", "parent_id int", references=[("parent_id", "parent")])


def found(new_child: Table) -> list[tuple[str, ...]]:
    old, new = catalog(PARENT, CHILD), catalog(PARENT, new_child)
    plan, problems = planned([PARENT, CHILD], new)
    assert problems == ()
    return [one.keys[0].columns for one in unchecked(plan.tables, old, new)]


def test_the_key_that_new_lacks() -> None:
    assert found(table("child", "n int", "parent_id int")) == [("parent_id",)]


def test_nothing_where_new_checks_or_the_column_does_not_arrive() -> None:
    assert found(CHILD) == []
    other = table("child", "n int", "parent_id int", references=[("n", "parent")])
    assert found(other) == [("parent_id",)]
