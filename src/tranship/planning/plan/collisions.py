"""Who loses when rows of OLD collide on keys that NEW adds: greedy in OLD key order, over all keys at once.

Windows per key are wrong as soon as there are two keys: of (a1,b1), (a1,b2), (a2,b2) only the second loses, because what it would have
taken from the third is never taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from tranship.model.locator import Locator


class Place(Struct, frozen=True, order=True):
    """A row among all rows that reach one table of NEW: the position of its plan in the group, and the row."""

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


class Loser(Struct, frozen=True):
    """A row that gives way to a winner before it in OLD key order."""

    place: Place
    constraint: str
    winner: Place


def collide(
    order: Sequence[Place], cliques: Iterable[Clique], edges: Iterable[Edge] = ()
) -> tuple[Loser, ...]:
    """Go through the rows in ``order``; one that collides with a row already kept loses and takes nothing.

    ``order`` is OLD key order over every row named in a conflict; a place that it lacks is taken to be gone already. Where a row collides
    on several constraints, the first in the order of ``cliques`` and ``edges`` is named.
    """
    shared = tuple(cliques)
    claims: dict[Place, list[int]] = {}
    for number, clique in enumerate(shared):
        for member in clique.members:
            claims.setdefault(member, []).append(number)
    against: dict[Place, list[tuple[str, Place]]] = {}
    for edge in edges:
        against.setdefault(edge.one, []).append((edge.constraint, edge.other))
        against.setdefault(edge.other, []).append((edge.constraint, edge.one))
    taken: dict[int, Place] = {}
    kept: set[Place] = set()
    losers = []
    for place in order:
        lost = next(((shared[n].constraint, taken[n]) for n in claims.get(place, ()) if n in taken), None)
        lost = lost or next(
            ((name, other) for name, other in against.get(place, ()) if other in kept and other != place),
            None,
        )
        if lost is not None:
            losers.append(Loser(place, *lost))
            continue
        kept.add(place)
        taken.update((n, place) for n in claims.get(place, ()))
    return tuple(losers)
