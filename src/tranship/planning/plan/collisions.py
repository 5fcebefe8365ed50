"""Which rows give way when rows of OLD collide on keys that NEW adds.

The choice is greedy in OLD key order, over all keys at once. A window function per key is wrong as soon as
there are two keys: of (a1,b1), (a1,b2), (a2,b2) only the second loses, because what it would have taken from
the third is never taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec import Struct

from tranship.model.locator import Locator


class Place(Struct, frozen=True, order=True, gc=False):
    """A row among all rows that reach one table of NEW: its plan's position in the group, and the row."""

    plan: int
    row: Locator


class Clique(Struct, frozen=True):
    """Rows that share one value of a unique key: at most one of them can stay."""

    constraint: str
    members: tuple[Place, ...]


class Edge(Struct, frozen=True):
    """Two rows that exclude each other."""

    constraint: str
    one: Place
    other: Place


class Loser(Struct, frozen=True, gc=False):
    """A row that gives way to a winner before it in OLD key order."""

    place: Place
    constraint: str
    winner: Place


def collide(
    order: Sequence[Place], cliques: Iterable[Clique], edges: Iterable[Edge] = ()
) -> tuple[Loser, ...]:
    """Returns the rows that give way: of two that collide the one that comes later in ``order``.

    The rows are gone through in ``order``, and one that collides with a row already kept loses and takes
    nothing. ``order`` is OLD key order over every row named in a conflict; a place that it lacks is taken to
    be gone already. Where a row collides on several constraints, the first in the order of ``cliques`` and
    ``edges`` is named.
    """
    shared = tuple(cliques)
    claims, rivals = _claims(shared), _rivals(edges)
    taken: dict[int, Place] = {}
    kept: set[Place] = set()
    losers = []
    for place in order:
        own = claims.get(place, ())
        by_clique = ((shared[n].constraint, taken[n]) for n in own if n in taken)
        by_edge = ((name, other) for name, other in rivals.get(place, ()) if other in kept and other != place)
        lost = next(chain(by_clique, by_edge), None)
        if lost is not None:
            losers.append(Loser(place, *lost))
            continue
        kept.add(place)
        taken.update((n, place) for n in own)
    return tuple(losers)


def _claims(cliques: Sequence[Clique]) -> dict[Place, tuple[int, ...]]:
    """Returns the numbers of the cliques that each row is in. Most rows are in one, and share its number."""
    claims: dict[Place, tuple[int, ...]] = {}
    for number, clique in enumerate(cliques):
        own = (number,)
        for member in clique.members:
            claims[member] = (*claims[member], number) if member in claims else own
    return claims


def _rivals(edges: Iterable[Edge]) -> dict[Place, list[tuple[str, Place]]]:
    """Returns the rows that each row excludes, with the constraint."""
    rivals: dict[Place, list[tuple[str, Place]]] = {}
    for edge in edges:
        rivals.setdefault(edge.one, []).append((edge.constraint, edge.other))
        rivals.setdefault(edge.other, []).append((edge.constraint, edge.one))
    return rivals
