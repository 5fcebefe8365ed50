"""What the tables already taken for the same say about further ones: foreign keys that moved along, words that changed alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.planning.names.likeness import Change
from tranship.planning.names.tokens import stems


class Links(Struct, frozen=True):
    """Relations between tables, seen through a set of pairs."""

    pairs: Mapping[TableName, TableName]
    """Old table → the new one it is taken for."""
    repointed: Mapping[tuple[TableName, TableName], int]
    """Foreign keys of paired tables over the same columns that pointed to the first table and now point to the second."""
    replaced: Mapping[tuple[TableName, TableName], int]
    """Pairs of tables where a foreign key to the first went and one to the second came, over other columns."""
    changes: Mapping[Change, int]
    """Words that gave way to others in the names of paired tables, and in how many."""
    weight: Mapping[TableName, float]
    """How much a foreign key to a table of either side says: one that many have says little."""

    def moved(self, old: TableName, new: TableName) -> int:
        """Foreign keys that followed from one table to the other."""
        return self.repointed.get((old, new), 0) + self.replaced.get((old, new), 0)

    def changed_alike(self, old: TableName, new: TableName) -> bool:
        """Whether another paired table's name changed by the same words."""
        change = name_change(old, new)
        own = int(self.pairs.get(old) == new)
        return any(change) and self.changes.get(change, 0) > own

    def targets_same(self, old: Table, new: Table) -> float:
        """Weighted share of both tables' foreign keys that lead to the same tables, 0 to 1; 0 where one has none."""
        if not old.foreign_keys or not new.foreign_keys:
            return 0.0
        own = {**self.pairs, old.name: new.name}
        left = Counter(own.get(k.target, k.target) for k in old.foreign_keys)
        right = Counter(k.target for k in new.foreign_keys)
        return self._sum(left & right) / self._sum(left | right)

    def _sum(self, targets: Counter[TableName]) -> float:
        return sum(count * self.weight.get(target, 1.0) for target, count in targets.items())


def make_links(olds: Sequence[Table], news: Sequence[Table], pairs: Mapping[TableName, TableName]) -> Links:
    """Count what the given pairs imply; ``olds`` and ``news`` are all tables of both sides."""
    by_name = {t.name: t for t in news}
    repointed: Counter[tuple[TableName, TableName]] = Counter()
    replaced: Counter[tuple[TableName, TableName]] = Counter()
    for before in olds:
        after = by_name.get(pairs[before.name]) if before.name in pairs else None
        if after is None or not (before.foreign_keys and after.foreign_keys):
            continue
        left, right = (
            {k.columns: k.target for k in before.foreign_keys},
            {k.columns: k.target for k in after.foreign_keys},
        )
        repointed.update((target, right[columns]) for columns, target in left.items() if columns in right)
        fresh = {target for columns, target in right.items() if columns not in left}
        replaced.update(
            (target, other) for columns, target in left.items() if columns not in right for other in fresh
        )
    changes = Counter(name_change(a, b) for a, b in pairs.items() if a.name != b.name)
    return Links(pairs, repointed, replaced, changes, _target_weights(olds, news))


def name_change(old: TableName, new: TableName) -> Change:
    """Words of the old name that are gone, and those that came."""
    left, right = frozenset(stems(old.name)), frozenset(stems(new.name))
    return left - right, right - left


def _target_weights(olds: Sequence[Table], news: Sequence[Table]) -> dict[TableName, float]:
    counts = [
        Counter(target for t in side for target in {k.target for k in t.foreign_keys})
        for side in (olds, news)
    ]
    return {
        target: 1 / math.log(2 + max(side[target] for side in counts))
        for target in counts[0].keys() | counts[1].keys()
    }
