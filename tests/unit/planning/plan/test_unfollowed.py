"""References that keep old values while their key becomes others, and nothing in NEW notices."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.build import catalog, table
from support.schema_pair import planned
from tranship.model.catalog import Table
from tranship.model.resolution import Resolution
from tranship.model.shape import KeyKind, NewKey

PARENT = table("parent", "id int", "other int", key=["id"])
CHILD = table("child", "parent_id int")
OLD_CHILD = table("child", "parent_id int", references=[("parent_id", "parent")])
SHIFTED = {"transform_sql": "old.id + 10"}


def decided(name: str, column: str, **how: object) -> Resolution:
    entry = replace(Resolution(name, "", "transform"), old_column=column, new_column=column)
    return replace(entry, **how)


def warned(*entries: Resolution, child: Table = CHILD, old_child: Table = OLD_CHILD) -> list[str]:
    plan, problems = planned([PARENT, old_child], catalog(PARENT, child), *entries)
    assert problems == ()
    return [problem.code for problem in plan.warnings]


@pytest.mark.parametrize("how", [SHIFTED, {"value_mapping": (("1", "2"),)}])
def test_a_key_that_becomes_others_alone(how: dict[str, object]) -> None:
    assert warned(decided("parent", "id", **how)) == ["TS308"]


LEFT = replace(Resolution("parent", "", "ignore"), old_column="id")
OTHER = replace(Resolution("parent", "", "rename"), old_column="other", new_column="id")
NAMED_CHILD = table("child", "parent_id int")


@pytest.mark.parametrize("old_child", [OLD_CHILD, NAMED_CHILD])
def test_a_key_that_another_column_takes_the_place_of(old_child: Table) -> None:
    assert warned(LEFT, OTHER, old_child=old_child) == ["TS308"]


def test_a_reference_without_a_foreign_key_is_known_by_its_name() -> None:
    numbered = replace(
        Resolution("parent", "", "new_key"), column="id", new_values=NewKey("id", KeyKind.NUMBER)
    )
    for how in (numbered, decided("parent", "id", **SHIFTED)):
        assert warned(how, old_child=NAMED_CHILD) == ["TS308"]
    assert warned(numbered) == []


def test_nothing_is_said_where_nothing_is_lost() -> None:
    assert warned() == []
    assert warned(decided("parent", "id", transform_sql="old.id")) == []
    assert warned(decided("parent", "other", transform_sql="old.id + old.other")) == []
    followed = decided("child", "parent_id", transform_sql="old.parent_id + 10")
    assert warned(decided("parent", "id", **SHIFTED), followed) == []
    assert warned(decided("parent", "id", **SHIFTED), child=OLD_CHILD) == []
