"""References that keep old values while their key becomes others, and nothing in NEW notices."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.build import catalog, table
from support.schema_pair import planned
from tranship.model.resolution import Resolution

PARENT = table("parent", "id int", "other int")
CHILD = table("child", "parent_id int")
OLD_CHILD = table("child", "parent_id int", references=[("parent_id", "parent")])
SHIFTED = {"transform_sql": "old.id + 10"}


def decided(name: str, column: str, **how: object) -> Resolution:
    entry = replace(Resolution(name, "", "transform"), old_column=column, new_column=column)
    return replace(entry, **how)


def warned(*entries: Resolution, child: object = CHILD) -> list[str]:
    plan, problems = planned([PARENT, OLD_CHILD], catalog(PARENT, child), *entries)
    assert problems == ()
    return [problem.code for problem in plan.warnings]


@pytest.mark.parametrize("how", [SHIFTED, {"value_mapping": (("1", "2"),)}])
def test_a_key_that_becomes_others_alone(how: dict[str, object]) -> None:
    assert warned(decided("parent", "id", **how)) == ["TS308"]


def test_nothing_is_said_where_nothing_is_lost() -> None:
    assert warned() == []
    assert warned(decided("parent", "id", transform_sql="old.id")) == []
    assert warned(decided("parent", "other", transform_sql="old.id + old.other")) == []
    followed = decided("child", "parent_id", transform_sql="old.parent_id + 10")
    assert warned(decided("parent", "id", **SHIFTED), followed) == []
    assert warned(decided("parent", "id", **SHIFTED), child=OLD_CHILD) == []
