"""How much of one table's columns another table has, under the same or nearly the same names."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.planning.matching.renames.rivals import two_greatest_by_name
from tranship.planning.names.likeness import Change
from tranship.planning.names.tokens import folded, stems

ALL_PAIRS = 20_000
"""The number of pairs up to which every old table is compared with every new one.

Beyond, only tables that share something telling are: two schemas of 140 tables each are still below it."""
BEST = 8
"""The number of new tables against which each old one is weighed beyond ``ALL_PAIRS``, the best by overlap
first.
"""
COMMON = 50
"""A column name (or word of a table's name) in more tables than this leads to no candidates: every table has
an id.
"""

_Names = frozenset[str]
_Overlaps = dict[tuple[TableName, TableName], float]


class TablesContext(Struct, frozen=True):
    """What is the same for all table pairs of two schemas."""

    olds: tuple[Table, ...]
    """Tables without a counterpart."""
    news: tuple[Table, ...]
    kept: tuple[tuple[Table, Table], ...]
    """Tables that are known to be the same."""
    weight: Mapping[str, int]
    """Column name without case, separators and plural → how much it says, in thousandths.

    A name that every table has says little."""
    echoes: Mapping[Change, int]
    """Words that gave way to others in the columns of surviving tables, and in how many tables."""
    overlaps: Mapping[tuple[TableName, TableName], float]
    old_best: Mapping[TableName, tuple[float, float]]
    new_best: Mapping[TableName, tuple[float, float]]
    """The two greatest overlaps of each table."""
    kept_best: Mapping[TableName, float]
    """How far a table of either side resembles one of the other side that has its counterpart already."""

    def overlap(self, old: Table, new: Table) -> float:
        """Returns the weighted share of both tables' columns that both have, 0 to 1."""
        return self.overlaps.get((old.name, new.name), 0.0)


def make_tables_context(
    old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName]
) -> TablesContext:
    """Returns the context of two schemas: it finds the tables without a counterpart and counts what all pairs
    need.

    ``pairs`` are the tables already taken for the same, by old name.
    """
    taken = set(pairs.values())
    olds, news = tuple(t for t in old if t.name not in pairs), tuple(t for t in new if t.name not in taken)
    kept = _kept_tables(old, new, pairs)
    columns = _weighted_columns(old, new)
    overlaps = columns.overlaps(olds, news)
    old_kept = columns.overlaps(olds, [after for _, after in kept])
    new_kept = columns.overlaps([before for before, _ in kept], news)
    return TablesContext(
        olds=olds,
        news=news,
        kept=kept,
        weight=columns.weight,
        echoes=_echoes(kept),
        overlaps=overlaps,
        old_best=_best_of_old(overlaps),
        new_best=_best_of_new(overlaps),
        # A table of NEW wins where both sides have one of this name: only the names of free tables are looked
        # up.
        kept_best={
            **{name: first for name, (first, _) in _best_of_old(old_kept).items()},
            **{name: first for name, (first, _) in _best_of_new(new_kept).items()},
        },
    )


class _WeightedColumns(Struct, frozen=True):
    """The column names of all tables of both sides with what each name says."""

    old: Mapping[TableName, _Names]
    new: Mapping[TableName, _Names]
    weight: Mapping[str, int]

    def overlaps(self, left: Sequence[Table], right: Sequence[Table]) -> _Overlaps:
        """Returns the overlap of every candidate pair of these tables of OLD and of NEW, 0 to 1."""
        whole_old = {t.name: self._sum(self.old[t.name]) for t in left}
        whole_new = {t.name: self._sum(self.new[t.name]) for t in right}
        found = {}
        for a, b in ((left[i].name, right[j].name) for i, j in candidates(left, right)):
            shared = self._sum(self.old[a] & self.new[b])
            found[a, b] = shared / (whole_old[a] + whole_new[b] - shared) if shared else 0.0
        return found

    def _sum(self, names: _Names) -> int:
        return sum(self.weight[name] for name in names)


def _weighted_columns(old: Sequence[Table], new: Sequence[Table]) -> _WeightedColumns:
    """Returns the column names with their weights: the rarer a name, the more two tables that have it are
    alike.
    """
    names_old, names_new = {t.name: column_names(t) for t in old}, {t.name: column_names(t) for t in new}
    counts = Counter(name for side in (names_old, names_new) for names in side.values() for name in names)
    total = len(old) + len(new)
    # Thousandths as whole numbers: sums of floats would depend on the order in which a set is walked through.
    weight = {name: round(1000 * math.log(1 + total / count)) for name, count in counts.items()}
    return _WeightedColumns(names_old, names_new, weight)


def _kept_tables(
    old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName]
) -> tuple[tuple[Table, Table], ...]:
    by_name = {t.name: t for t in new}
    known = ((t, by_name.get(pairs[t.name])) for t in old if t.name in pairs)
    return tuple((before, after) for before, after in known if after is not None)


def _best_of_old(overlaps: _Overlaps) -> dict[TableName, tuple[float, float]]:
    return two_greatest_by_name((name, value) for (name, _), value in overlaps.items())


def _best_of_new(overlaps: _Overlaps) -> dict[TableName, tuple[float, float]]:
    return two_greatest_by_name((name, value) for (_, name), value in overlaps.items())


def column_names(table: Table) -> _Names:
    """Returns the names of a table's columns without case, separators and plural endings."""
    return frozenset(folded(c.name) for c in table.columns)


def candidates(olds: Sequence[Table], news: Sequence[Table]) -> list[tuple[int, int]]:
    """Returns the pairs worth comparing, as places in the two lists.

    These are all where there are few, else those that share a telling column or a word of the name.
    """
    if len(olds) * len(news) <= ALL_PAIRS:
        return [(i, j) for i in range(len(olds)) for j in range(len(news))]
    index: dict[str, list[int]] = {}
    for j, table in enumerate(news):
        for mark in _marks(table):
            index.setdefault(mark, []).append(j)
    found: set[tuple[int, int]] = set()
    for i, table in enumerate(olds):
        for mark in _marks(table):
            hits = index.get(mark, [])
            if len(hits) <= COMMON:
                found.update((i, j) for j in hits)
    return sorted(found)


def worth_weighing(
    context: TablesContext, moved: Iterable[tuple[TableName, TableName]]
) -> list[tuple[int, int]]:
    """Returns the pairs worth weighing.

    These are all candidates, or of very many each old table's best by overlap and those that its foreign keys
    ``moved`` to.
    """
    row, place = (
        {t.name: i for i, t in enumerate(context.olds)},
        {t.name: j for j, t in enumerate(context.news)},
    )
    if len(context.overlaps) <= ALL_PAIRS:
        return sorted((row[a], place[b]) for a, b in context.overlaps)
    by_old: dict[TableName, list[tuple[float, TableName]]] = {}
    for (a, b), value in context.overlaps.items():
        by_old.setdefault(a, []).append((-value, b))
    found = {(row[a], place[b]) for a, rivals in by_old.items() for _, b in heapq.nsmallest(BEST, rivals)}
    return sorted(found | {(row[a], place[b]) for a, b in moved if a in row and b in place})


def _marks(table: Table) -> set[str]:
    columns = {f"column {folded(column.name)}" for column in table.columns}
    return columns | {f"word {word}" for word in stems(table.name.name)}


def _echoes(kept: Sequence[tuple[Table, Table]]) -> dict[Change, int]:
    found: Counter[Change] = Counter()
    for before, after in kept:
        here, there = {c.name for c in before.columns}, {c.name for c in after.columns}
        fresh = [frozenset(stems(name)) for name in there - here]
        changes = {
            (left - right, right - left)
            for left in map(frozenset, map(stems, here - there))
            for right in fresh
            if left & right
        }
        found.update(changes)
    return dict(found)
