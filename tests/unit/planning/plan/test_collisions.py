"""Collisions are decided greedily in OLD key order over all keys at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tranship.model.locator import Locator
from tranship.planning.plan.collisions import Clique, Edge, Place, collide


def place(number: int) -> Place:
    return Place(0, Locator(0, (0, number)))


def losers(order: list[int], cliques: list[Clique], edges: list[Edge] | None = None) -> list[int]:
    return [loser.place.row.address[-1] for loser in collide([place(n) for n in order], cliques, edges or [])]


def clique(name: str, *members: int) -> Clique:
    return Clique(name, tuple(place(n) for n in members))


def test_a_loser_takes_nothing() -> None:
    """(a1,b1), (a1,b2), (a2,b2): only the second loses."""
    assert losers([1, 2, 3], [clique("a", 1, 2), clique("b", 2, 3)]) == [2]


def test_order_decides_not_position() -> None:
    assert losers([3, 2, 1], [clique("a", 1, 2), clique("b", 2, 3)]) == [2]
    assert losers([2, 1, 3], [clique("a", 1, 2), clique("b", 2, 3)]) == [1, 3]


def test_a_row_that_is_gone_already_takes_nothing() -> None:
    assert losers([2, 3], [clique("a", 1, 2), clique("b", 2, 3)]) == [3]


def test_edges_are_not_transitive() -> None:
    """Ranges: 1 overlaps 2, 2 overlaps 3, 1 and 3 do not touch."""
    edges = [Edge("x", place(1), place(2)), Edge("x", place(2), place(3))]
    assert losers([1, 2, 3], [], edges) == [2]


def test_the_winner_and_the_first_constraint_are_named() -> None:
    (loser,) = collide([place(1), place(2)], [clique("k1", 1, 2), clique("k2", 1, 2)])
    assert (loser.constraint, loser.winner) == ("k1", place(1))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=12))
def test_as_inserting_one_row_after_the_other(rows: list[tuple[int, int]]) -> None:
    """The same rows stay as in a table with two unique keys that takes them one by one."""
    kept: list[int] = []
    for n, (a, b) in enumerate(rows):
        if all(rows[k][0] != a and rows[k][1] != b for k in kept):
            kept.append(n)
    cliques = []
    for key in (0, 1):
        for value in {row[key] for row in rows}:
            members = [n for n, row in enumerate(rows) if row[key] == value]
            if len(members) > 1:
                cliques.append(clique(f"k{key}", *members))
    gone = losers(list(range(len(rows))), cliques)
    assert sorted(set(range(len(rows))) - set(gone)) == kept
