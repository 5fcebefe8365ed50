"""A rename that is proven in one table speaks for the same rename in others, and pairs nothing by itself."""

from __future__ import annotations

from support.build import parse_catalog
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope

FILM = "film(id int pk, title text, {}, length int)"
PROVEN = "the same rename of the same types is proven in public.film"


def evidence(old: str, new: str) -> tuple[str, ...]:
    """What is told of the rename that is a question in the table ``actor``."""
    before = parse_catalog(f"{FILM.format('last_update timestamp!')}; {old}")
    after = parse_catalog(f"{FILM.format('updated_at timestamptz!')}; {new}")
    pairs = {pair.old.name: pair for pair in match(before, after, make_scope(before, after, None)[0]).pairs}
    assert ("last_update", "updated_at") in [(c.old, c.new) for c in pairs["film"].columns]
    assert [c.old for c in pairs["actor"].columns] == ["id", "name"]
    (proposal,) = pairs["actor"].proposals
    return proposal.evidence


def test_where_the_same_rename_is_proven_is_told() -> None:
    old = "actor(id int pk, name text, last_update timestamp!)"
    assert PROVEN in evidence(old, "actor(id int pk, name text, updated_at timestamptz!)")


def test_a_rename_of_other_types_is_another_one() -> None:
    old = "actor(id int pk, name text, last_update timestamp(0)!)"
    assert PROVEN not in evidence(old, "actor(id int pk, name text, updated_at timestamptz!)")
