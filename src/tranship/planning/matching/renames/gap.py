"""Gaps: where a column stands between neighbours that both tables still have."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from msgspec import Struct


class Gap(Struct, frozen=True):
    """The columns without a counterpart between the same two surviving neighbours.

    A neighbour is None at the table's edge.
    """

    left: tuple[str, str] | None
    right: tuple[str, str] | None
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def single(self) -> bool:
        """Whether exactly one old and one new column stand here."""
        return len(self.old) == 1 and len(self.new) == 1


def survivors(
    old: Sequence[str], new: Sequence[str], pairs: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Returns the longest series of pairs that stand in the same relative order on both sides.

    It is the longest increasing subsequence of their places in the new table, found by patience sorting in
    O(n log n) (M. L. Fredman, On computing the length of longest increasing subsequences, 1975).
    """
    place = {name: i for i, name in enumerate(new)}
    partner = dict(pairs)
    ordered = [(name, partner[name]) for name in old if name in partner and partner[name] in place]
    # tails[n] is the least last place of an increasing series of n + 1 pairs, heads[n] the pair that ends it.
    tails: list[int] = []
    heads: list[int] = []
    previous: list[int] = []
    for i, (_, after) in enumerate(ordered):
        at = bisect_left(tails, place[after])
        if at == len(tails):
            tails.append(place[after])
            heads.append(i)
        else:
            tails[at] = place[after]
            heads[at] = i
        previous.append(heads[at - 1] if at else -1)
    chain: list[tuple[str, str]] = []
    i = heads[-1] if heads else -1
    while i >= 0:
        chain.append(ordered[i])
        i = previous[i]
    return chain[::-1]


def gaps(old: Sequence[str], new: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[Gap]:
    """Returns all gaps that hold at least one column without a counterpart, in order."""
    chain = survivors(old, new, pairs)
    paired_old, paired_new = {a for a, _ in pairs}, {b for _, b in pairs}
    old_cells = _cells(old, [a for a, _ in chain], paired_old)
    new_cells = _cells(new, [b for _, b in chain], paired_new)
    edges: list[tuple[str, str] | None] = [None, *chain, None]
    return [
        Gap(edges[i], edges[i + 1], tuple(before), tuple(after))
        for i, (before, after) in enumerate(zip(old_cells, new_cells, strict=True))
        if before or after
    ]


def _cells(names: Sequence[str], chain: Sequence[str], paired: set[str]) -> list[list[str]]:
    """Returns the columns without a counterpart before, between and behind the survivors, cell by cell."""
    cells: list[list[str]] = [[]]
    step = iter([*chain, None])
    awaited = next(step)
    for name in names:
        if name == awaited:
            cells.append([])
            awaited = next(step)
        elif name not in paired:
            cells[-1].append(name)
    return cells


def alphabetical(names: Sequence[str]) -> bool:
    """Returns whether the order says nothing: all columns but a key ``id`` stand in alphabetical order."""
    rest = [name.lower() for name in names if name.lower() != "id"]
    # Four columns stand in alphabetical order by chance in one table of 24, five in one of 120.
    return len(rest) >= 5 and rest == sorted(rest)
