"""Whose offenders may be kept: each refusal has a pair of schemas without its reason, where there is none."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.build import table
from support.schema_pair import planned, public
from tranship.model.catalog import Check, ForeignKey, Partition, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.resolution import Action, Resolution

BOSS = ForeignKey("staff_boss", ("boss",), public("staff"), ("id",), validated=False)
NAME = Check("staff_name", "(name !~ 'abc'::text)", ("name",), validated=False)
STAFF = replace(
    table("staff", "id int!", "boss int", "name text", key=["id"]), checks=(NAME,), foreign_keys=(BOSS,)
)
PLAIN = table("staff", "id int!", "boss int", "name text", key=["id"])


def why(old: Table, new: Table, constraint: str, *more: Resolution) -> list[str]:
    """The reasons for which offenders of a constraint cannot be kept."""
    entry = Resolution("staff", "", Action.TOLERATE, constraint=constraint)
    _, problems = planned([old], [new], entry, *more)
    assert {problem.code for problem in problems} <= {"TS374"}
    return [problem.message.split("cannot be kept: ")[1] for problem in problems]


def check(**changes: object) -> Table:
    return replace(STAFF, checks=(replace(NAME, **changes),))


def key(**changes: object) -> Table:
    return replace(STAFF, foreign_keys=(replace(BOSS, **changes),))


@pytest.mark.parametrize("constraint", ["staff_boss", "staff_name"])
def test_what_both_databases_hold_not_valid_is_tolerated(constraint: str) -> None:
    assert why(STAFF, STAFF, constraint) == []
    wider = table("staff", "id bigint!", "boss bigint", "name text", key=["id"])
    wider = replace(wider, checks=STAFF.checks, foreign_keys=STAFF.foreign_keys)
    assert why(STAFF, wider, constraint) == []
    named = replace(
        STAFF, checks=(replace(NAME, name="other"),), foreign_keys=(replace(BOSS, name="another"),)
    )
    assert why(named, STAFF, constraint) == []


@pytest.mark.parametrize(
    ("old", "new", "constraint", "reason"),
    [
        (STAFF, check(validated=True), "staff_name", "it is validated in NEW"),
        (STAFF, key(validated=True), "staff_boss", "it is validated in NEW"),
        (STAFF, check(enforced=False), "staff_name", "it is NOT ENFORCED"),
        (STAFF, key(enforced=False), "staff_boss", "it is NOT ENFORCED"),
        (STAFF, replace(STAFF, owned=False), "staff_name", "the role"),
        (STAFF, replace(STAFF, owned=False), "staff_boss", "the role"),
        (PLAIN, STAFF, "staff_name", "OLD has no equal constraint"),
        (PLAIN, STAFF, "staff_boss", "OLD has no equal constraint"),
        (check(validated=True), STAFF, "staff_name", "OLD has no equal constraint"),
        (key(validated=True), STAFF, "staff_boss", "OLD has no equal constraint"),
        (check(enforced=False), STAFF, "staff_name", "OLD has no equal constraint"),
        (key(enforced=False), STAFF, "staff_boss", "OLD has no equal constraint"),
        (check(expression="(name <> ''::text)"), STAFF, "staff_name", "OLD has no equal constraint"),
        (key(columns=("id",)), STAFF, "staff_boss", "OLD has no equal constraint"),
        (key(period=True), key(period=True), "staff_boss", "OLD has no equal constraint"),
    ],
)
def test_what_keeps_offenders_from_being_tolerated(
    old: Table, new: Table, constraint: str, reason: str
) -> None:
    (told,) = why(old, new, constraint)
    assert told.startswith(reason)


def test_a_valid_twin_in_old_leaves_nothing_to_tolerate() -> None:
    both = replace(STAFF, checks=(NAME, replace(NAME, name="proven", validated=True)))
    assert why(both, STAFF, "staff_name")


def test_a_check_that_does_not_look_at_the_row_alone_is_not_tolerated() -> None:
    late = check(expression="(name <> (CURRENT_DATE)::text)")
    (told,) = why(late, late, "staff_name")
    assert told.startswith("it does not give the same")


def test_values_that_are_made_otherwise_are_not_what_old_tolerates() -> None:
    shorter = Resolution(
        "staff", "", "transform", old_column="name", new_column="name", transform_sql="'abc'"
    )
    assert why(STAFF, STAFF, "staff_name", shorter)
    other = Resolution("staff", "", "transform", old_column="boss", new_column="boss", transform_sql="7")
    assert why(STAFF, STAFF, "staff_boss", other)


def test_rows_that_are_chosen_are_not_tolerated() -> None:
    chosen = Resolution("staff", "", "filter", where="old.id > 1")
    (told,) = why(STAFF, STAFF, "staff_name", chosen)
    assert told.startswith("the entries about this table's rows")


def test_a_constraint_of_a_partition_is_not_dropped_alone() -> None:
    leaf = Partition(public("staff_1"), None, checks=(replace(NAME, name="leaf_name"),))
    parted = replace(STAFF, kind=RelationKind.PARTITIONED_TABLE, partitions=(leaf,))
    (told,) = why(parted, parted, "leaf_name")
    assert told.startswith("the table has partitions")
