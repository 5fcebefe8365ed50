"""References to one table of which each side has one without a counterpart."""

from __future__ import annotations

import pytest

from support.build import parse_catalog
from tranship.model.change import Proposal
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope

OFFICES = "office(id int pk, town text)"


def asked(old: str, new: str) -> list[Proposal]:
    sides = parse_catalog(f"{OFFICES}; {old}"), parse_catalog(f"{OFFICES}; {new}")
    (pair,) = (one for one in match(*sides, make_scope(*sides, None)[0]).pairs if one.old.name == "person")
    return list(pair.proposals)


SELF, OFFICE = "-> person.id", "-> office.id"


def test_the_only_self_reference_of_each_side_is_asked_about_and_never_filled_in() -> None:
    (found,) = asked(
        f"person(id int pk, name text, reports_to int {SELF}, pay int)",
        f"person(id int pk, pay int, name text, manager_id int8 {SELF})",
    )
    assert (found.old, found.new) == ("reports_to", "manager_id")
    assert found.instead == "", "no column may be meant as well, and so it stays open"
    told = "of the columns without a counterpart each side has one that refers to its own table"
    assert found.evidence == (told,)


def test_the_only_reference_to_a_paired_table_of_each_side() -> None:
    (found,) = asked(
        f"person(id int pk, name text, seat int {OFFICE}, boss int {SELF})",
        f"person(id int pk, boss int {SELF}, name text, workplace_id int {OFFICE})",
    )
    assert (found.old, found.new) == ("seat", "workplace_id")
    assert found.evidence[0].endswith("refers to public.office")


def test_a_place_alone_says_less_than_a_reference() -> None:
    (found,) = asked(
        f"person(id int pk, name text, reports_to int {SELF})",
        f"person(id int pk, name text, z int, manager_id int {SELF})",
    )
    assert (found.old, found.new) == ("reports_to", "manager_id")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"one int {SELF}, reports_to int {SELF}", f"manager_id int {SELF}"),
        (f"reports_to int {SELF}", f"manager_id int {SELF}, mentor int {SELF}"),
        (f"reports_to int {SELF}", f"workplace_id int {OFFICE}"),
        ("reports_to int", f"manager_id int {SELF}"),
        (f"reports_to int {SELF}", f"manager_id uuid {SELF}"),
    ],
)
def test_several_others_or_undeclared_ones_are_not_paired(old: str, new: str) -> None:
    assert not asked(f"person(id int pk, {old}, name text)", f"person(id int pk, name text, z date, {new})")
