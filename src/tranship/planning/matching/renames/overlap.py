"""How much of one table's columns another table has, under the same or nearly the same names."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.planning.names.likeness import Change
from tranship.planning.names.tokens import folded, stems

ALL_PAIRS = 20_000
"""Up to this many pairs every old table is compared with every new one; beyond, only those that share something telling."""
BEST = 8
"""Beyond, each old table is weighed against this many."""
COMMON = 50
"""A column name in more tables than this leads to no candidates."""

_Names = frozenset[str]


class TableScene(Struct, frozen=True):
    """Everything about two schemas that is the same for all their table pairs."""

    olds: tuple[Table, ...]
    """Tables without a counterpart."""
    news: tuple[Table, ...]
    kept: tuple[tuple[Table, Table], ...]
    """Tables that are known to be the same."""
    weight: Mapping[str, int]
    """Column name without case, separators and plural → how much it says (a name that every table has says little). Whole numbers: their sum
    is the same in whatever order they are added."""
    echoes: Mapping[Change, int]
    """Words that gave way to others in the columns of surviving tables, and in how many tables."""
    overlaps: Mapping[tuple[TableName, TableName], float]
    old_best: Mapping[TableName, tuple[float, float]]
    new_best: Mapping[TableName, tuple[float, float]]
    """The two greatest overlaps of each table."""
    kept_best: Mapping[TableName, float]
    """How far a table of either side looks like one of the other side that has its counterpart already."""

    def overlap(self, old: Table, new: Table) -> float:
        """Weighted share of both tables' columns that both have, 0 to 1."""
        return self.overlaps.get((old.name, new.name), 0.0)


def make_table_scene(
    old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName]
) -> TableScene:
    """Find the tables without a counterpart and count once what all pairs need."""
    taken = set(pairs.values())
    names = {t.name: column_names(t) for t in old}, {t.name: column_names(t) for t in new}
    counts = Counter(name for side in names for columns in side.values() for name in columns)
    total = len(old) + len(new)
    weight = {name: round(1000 * math.log(1 + total / count)) for name, count in counts.items()}
    olds, news = tuple(t for t in old if t.name not in pairs), tuple(t for t in new if t.name not in taken)
    by_name = {t.name: t for t in new}
    kept = tuple((t, by_name[pairs[t.name]]) for t in old if t.name in pairs and pairs[t.name] in by_name)

    whole = [
        {name: sum(map(weight.__getitem__, columns)) for name, columns in side.items()} for side in names
    ]

    def overlaps(left: Sequence[Table], right: Sequence[Table]) -> dict[tuple[TableName, TableName], float]:
        found = {}
        for a, b in ((left[i].name, right[j].name) for i, j in candidates(left, right)):
            shared = sum(map(weight.__getitem__, names[0][a] & names[1][b]))
            found[a, b] = shared / (whole[0][a] + whole[1][b] - shared) if shared else 0.0
        return found

    free = overlaps(olds, news)
    old_kept = _best((a, value) for (a, _), value in overlaps(olds, [b for _, b in kept]).items())
    new_kept = _best((b, value) for (_, b), value in overlaps([a for a, _ in kept], news).items())
    return TableScene(
        olds=olds,
        news=news,
        kept=kept,
        weight=weight,
        echoes=_echoes(kept),
        overlaps=free,
        old_best=_best((a, value) for (a, _), value in free.items()),
        new_best=_best((b, value) for (_, b), value in free.items()),
        kept_best={
            **{a: first for a, (first, _) in old_kept.items()},
            **{b: first for b, (first, _) in new_kept.items()},
        },
    )


def column_names(table: Table) -> _Names:
    """The names of a table's columns without case, separators and plural endings."""
    return frozenset(folded(c.name) for c in table.columns)


def candidates(olds: Sequence[Table], news: Sequence[Table]) -> list[tuple[int, int]]:
    """Pairs worth a look: all where there are few, else those that share a telling column or a word of the name."""
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


def worth_weighing(scene: TableScene, moved: Iterable[tuple[TableName, TableName]]) -> list[tuple[int, int]]:
    """The candidates; of very many, each old table's best by overlap and those its foreign keys ``moved`` to."""
    row, place = {t.name: i for i, t in enumerate(scene.olds)}, {t.name: j for j, t in enumerate(scene.news)}
    if len(scene.overlaps) <= ALL_PAIRS:
        return sorted((row[a], place[b]) for a, b in scene.overlaps)
    by_old: dict[TableName, list[tuple[float, TableName]]] = {}
    for (a, b), value in scene.overlaps.items():
        by_old.setdefault(a, []).append((-value, b))
    found = {(row[a], place[b]) for a, rivals in by_old.items() for _, b in heapq.nsmallest(BEST, rivals)}
    return sorted(found | {(row[a], place[b]) for a, b in moved if a in row and b in place})


def _marks(table: Table) -> set[str]:
    return {f"column {folded(c.name)}" for c in table.columns} | {f"word {w}" for w in stems(table.name.name)}


def _best(values: Iterable[tuple[TableName, float]]) -> dict[TableName, tuple[float, float]]:
    found: dict[TableName, tuple[float, float]] = {}
    for name, value in values:
        first, second = found.get(name, (0.0, 0.0))
        found[name] = (value, first) if value > first else (first, max(second, value))
    return found


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
