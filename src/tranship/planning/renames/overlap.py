"""How much of one table's columns another table has, under the same or nearly the same names."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from rapidfuzz import fuzz

from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.planning.renames.families import family
from tranship.planning.renames.gap import gaps
from tranship.planning.renames.tokens import folded, stems, synonymous

ALL_PAIRS = 20_000
"""Up to this many pairs every old table is compared with every new one; beyond, only those that share something telling."""
BEST = 8
"""Beyond, each old table is weighed against this many."""
COMMON = 50
"""A column name in more tables than this leads to no candidates."""


_Words = frozenset[str]


class TableScene(Struct, frozen=True):
    """Everything about two schemas that is the same for all their table pairs."""

    olds: tuple[Table, ...]
    """Tables without a counterpart."""
    news: tuple[Table, ...]
    weight: Mapping[str, float]
    """Column name without case, separators and plural → how much it says (a name that every table has says little)."""
    repointed: Mapping[tuple[TableName, TableName], int]
    """Foreign keys of surviving columns that pointed to the first table and now point to the second."""
    echoes: Mapping[tuple[_Words, _Words], int]
    """Words that gave way to others in the columns of surviving tables, and in how many tables."""
    patterns: Mapping[tuple[_Words, _Words], int]
    """Words that would give way to others in the names of the tables themselves, and in how many."""
    overlaps: Mapping[tuple[TableName, TableName], float]
    old_best: Mapping[TableName, tuple[float, float]]
    new_best: Mapping[TableName, tuple[float, float]]
    """The two greatest overlaps of each table."""


def make_table_scene(old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName]) -> TableScene:
    """Find the tables without a counterpart and count once what all pairs need."""
    taken = set(pairs.values())
    counts = Counter(name for table in (*old, *new) for name in _names(table))
    total = len(old) + len(new)
    olds, news = tuple(t for t in old if t.name not in pairs), tuple(t for t in new if t.name not in taken)
    weight = {name: math.log(1 + total / count) for name, count in counts.items()}
    by_name = {t.name: t for t in new}
    partners = [(t, by_name[pairs[t.name]]) for t in old if t.name in pairs and pairs[t.name] in by_name]
    overlaps = {(olds[i].name, news[j].name): _weighted(weight, _names(olds[i]), _names(news[j])) for i, j in candidates(olds, news)}
    return TableScene(
        olds=olds,
        news=news,
        weight=weight,
        repointed=_repointed(partners),
        echoes=_echoes(partners),
        patterns=_table_patterns(overlaps),
        overlaps=overlaps,
        old_best=_best((a, value) for (a, _), value in overlaps.items()),
        new_best=_best((b, value) for (_, b), value in overlaps.items()),
    )


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


def worth_weighing(scene: TableScene) -> list[tuple[int, int]]:
    """The candidates; of very many, each old table's best by overlap and those its foreign keys moved to."""
    row, place = {t.name: i for i, t in enumerate(scene.olds)}, {t.name: j for j, t in enumerate(scene.news)}
    if len(scene.overlaps) <= ALL_PAIRS:
        return sorted((row[a], place[b]) for a, b in scene.overlaps)
    by_old: dict[TableName, list[tuple[float, TableName]]] = {}
    for (a, b), value in scene.overlaps.items():
        by_old.setdefault(a, []).append((-value, b))
    found = {(row[a], place[b]) for a, rivals in by_old.items() for _, b in heapq.nsmallest(BEST, rivals)}
    return sorted(found | {(row[a], place[b]) for a, b in scene.repointed if a in row and b in place})


def _marks(table: Table) -> set[str]:
    return {f"column {folded(c.name)}" for c in table.columns} | {f"word {w}" for w in stems(table.name.name)}


def _best(values: Iterable[tuple[TableName, float]]) -> dict[TableName, tuple[float, float]]:
    found: dict[TableName, tuple[float, float]] = {}
    for name, value in values:
        first, second = found.get(name, (0.0, 0.0))
        found[name] = (value, first) if value > first else (first, max(second, value))
    return found


def _repointed(partners: Sequence[tuple[Table, Table]]) -> dict[tuple[TableName, TableName], int]:
    found: Counter[tuple[TableName, TableName]] = Counter()
    for before, after in partners:
        targets = {k.columns: k.target for k in after.foreign_keys}
        found.update((k.target, targets[k.columns]) for k in before.foreign_keys if k.columns in targets)
    return dict(found)


def _echoes(partners: Sequence[tuple[Table, Table]]) -> dict[tuple[_Words, _Words], int]:
    found: Counter[tuple[_Words, _Words]] = Counter()
    for before, after in partners:
        here, there = {c.name for c in before.columns}, {c.name for c in after.columns}
        fresh = [frozenset(stems(name)) for name in there - here]
        changes = {(left - right, right - left) for left in map(frozenset, map(stems, here - there)) for right in fresh if left & right}
        found.update(changes)
    return dict(found)


def _table_patterns(pairs: Iterable[tuple[TableName, TableName]]) -> dict[tuple[_Words, _Words], int]:
    found: Counter[tuple[_Words, _Words]] = Counter()
    for before, after in pairs:
        left, right = frozenset(stems(before.name)), frozenset(stems(after.name))
        found[left - right, right - left] += 1
    return dict(found)


def table_features(scene: TableScene, old: Table, new: Table) -> dict[str, float]:
    """The features of one pair of tables."""
    own = scene.overlaps.get((old.name, new.name), 0.0)
    outdone_old = _other(scene.old_best.get(old.name, (0.0, 0.0)), own) - own
    outdone_new = _other(scene.new_best.get(new.name, (0.0, 0.0)), own) - own
    return {
        "bias": 1.0,
        **_name_features(scene, old, new),
        "columns": own,
        "contained": _contained(_names(old), _names(new)),
        "explained": _explained(old, new),
        "exact": _exact(old, new),
        "soft": _soft(scene, old, new),
        "keys_same": _keys_same(old, new),
        "repointed": float((old.name, new.name) in scene.repointed),
        "outdone": max(0.0, outdone_old, outdone_new),
        "ahead": max(0.0, -max(outdone_old, outdone_new)),
        "lonely": float(len(scene.olds) == 1 and len(scene.news) == 1),
        "crowd": math.log(max(1, len(scene.news))),
        "crowd_old": math.log(max(1, len(scene.olds))),
    }


def _name_features(scene: TableScene, old: Table, new: Table) -> dict[str, float]:
    left, right = frozenset(stems(old.name.name)), frozenset(stems(new.name.name))
    common = left & right
    change = (left - right, right - left)
    met = sum(any(synonymous(x, y) for y in change[1]) for x in change[0])
    return {
        "name_tokens": len(common) / (len(left | right) or 1),
        "name_ratio": fuzz.ratio(folded(old.name.name), folded(new.name.name)) / 100,
        "synonyms": met / max(1, len(change[0])),
        "echo": float(change in scene.echoes and bool(change[0]) and bool(change[1])),
        "pattern": float(bool(change[0] or change[1]) and scene.patterns.get(change, 0) > 1),
    }


def _other(best: tuple[float, float], own: float) -> float:
    return best[1] if own == best[0] else best[0]


def _names(table: Table) -> frozenset[str]:
    return frozenset(folded(c.name) for c in table.columns)


def _weighted(weight: Mapping[str, float], left: frozenset[str], right: frozenset[str]) -> float:
    union = sum(weight.get(name, 1.0) for name in left | right)
    return sum(weight.get(name, 1.0) for name in left & right) / union if union else 0.0


def _contained(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / (min(len(left), len(right)) or 1)


def _explained(old: Table, new: Table) -> float:
    """Share of the larger table's columns that have the same name or stand in one gap in order under types of one family."""
    before, after = [c.name for c in old.columns], [c.name for c in new.columns]
    there = set(after)
    kept = [(name, name) for name in before if name in there]
    left, right = {c.name: family(c.type) for c in old.columns}, {c.name: family(c.type) for c in new.columns}
    explained = len(kept)
    for gap in gaps(before, after, kept):
        if len(gap.old) == len(gap.new):
            explained += sum(left[a] == right[b] for a, b in zip(gap.old, gap.new, strict=True))
    return explained / (max(len(before), len(after)) or 1)


def _keys_same(old: Table, new: Table) -> float:
    """Share of the indexes and keys that both have, their columns counted by place."""
    left, right = Counter(_key_places(old)), Counter(_key_places(new))
    union = (left | right).total()
    return (left & right).total() / union if union else 0.0


def _key_places(table: Table) -> list[tuple[bool, tuple[int, ...]]]:
    place = {c.name: i for i, c in enumerate(table.columns)}
    listed = [(key.primary, key.columns) for key in table.keys]
    listed += [(False, tuple(c for c in index.columns if c is not None)) for index in table.indexes if index.constraint_kind != "p"]
    return [(primary, tuple(place.get(c, -1) for c in columns)) for primary, columns in listed]


def _exact(old: Table, new: Table) -> float:
    """Share of the equally named columns that are declared to the letter alike: a table made anew follows newer habits."""
    there = {folded(c.name): c for c in new.columns}
    met = [(c, there[folded(c.name)]) for c in old.columns if folded(c.name) in there]
    same = sum(a.type.text == b.type.text and a.not_null == b.not_null and a.default == b.default for a, b in met)
    return same / len(met) if met else 0.0


def _soft(scene: TableScene, old: Table, new: Table) -> float:
    """Weighted share of both tables' columns that the other has, a likely other name counting as far as it is likely."""
    left, right = {folded(c.name): c for c in old.columns}, {folded(c.name): c for c in new.columns}
    own = frozenset(stems(old.name.name)), frozenset(stems(new.name.name))
    lost, fresh = [c for n, c in left.items() if n not in right], [c for n, c in right.items() if n not in left]
    families = [(c, family(c.type)) for c in fresh]
    likely: dict[str, float] = {}
    for before, kind in ((c, family(c.type)) for c in lost):
        for after, other in families:
            if kind == other:
                like = _column_likeness(before.name, after.name, own)
                for key in (f"old {before.name}", f"new {after.name}"):
                    likely[key] = max(likely.get(key, 0.0), like)
    shared = 2 * sum(scene.weight.get(n, 1.0) for n in left.keys() & right.keys())
    open_old = [(scene.weight.get(folded(c.name), 1.0), likely.get(f"old {c.name}", 0.0)) for c in lost]
    open_new = [(scene.weight.get(folded(c.name), 1.0), likely.get(f"new {c.name}", 0.0)) for c in fresh]
    total = shared + sum(weight for weight, _ in (*open_old, *open_new))
    return (shared + sum(weight * like for weight, like in (*open_old, *open_new))) / total if total else 0.0


def _column_likeness(before: str, after: str, own: tuple[frozenset[str], frozenset[str]]) -> float:
    """1 where only the words of the tables' own names gave way (``article_id`` → ``content_id``), else how like the names are above half."""
    left, right = frozenset(stems(before)), frozenset(stems(after))
    if left - right <= own[0] and right - left <= own[1]:
        return 1.0
    return max(0.0, fuzz.ratio(before, after) / 100 + len(left & right) / (len(left | right) or 1) - 1)
