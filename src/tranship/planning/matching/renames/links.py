"""What the tables already taken for the same say about further ones.

Foreign keys move along with their target, and names of one schema change alike.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.planning.names.likeness import Change
from tranship.planning.names.tokens import stems

_Targets = dict[tuple[str, ...], TableName]
"""Columns of a foreign key → the table that it refers to."""


class Links(Struct, frozen=True):
    """Relations between tables, seen through a set of pairs."""

    pairs: Mapping[TableName, TableName]
    """Old table → the new one that it is taken for."""
    repointed: Mapping[tuple[TableName, TableName], int]
    """How many foreign keys of paired tables pointed to the first table and point to the second, over the
    same columns.
    """
    replaced: Mapping[tuple[TableName, TableName], int]
    """How often a foreign key to the first table went and one to the second came, over other columns."""
    changes: Mapping[Change, int]
    """Words that gave way to others in the names of paired tables, and in how many."""
    weight: Mapping[TableName, float]
    """How much a foreign key to a table of either side says: one of many says little."""

    def moved(self, old: TableName, new: TableName) -> int:
        """Returns how many foreign keys followed from one table to the other."""
        return self.repointed.get((old, new), 0) + self.replaced.get((old, new), 0)

    def changed_alike(self, old: TableName, new: TableName) -> bool:
        """Returns whether another paired table's name changed by the same words."""
        change = name_change(old, new)
        own = int(self.pairs.get(old) == new)
        return any(change) and self.changes.get(change, 0) > own

    def targets_same(self, old: Table, new: Table) -> float:
        """Returns the weighted share of both tables' foreign keys that lead to the same tables.

        It is between 0 and 1, and 0 where one of the tables has none.
        """
        if not old.foreign_keys or not new.foreign_keys:
            return 0.0
        own = {**self.pairs, old.name: new.name}
        left = Counter(own.get(k.target, k.target) for k in old.foreign_keys)
        right = Counter(k.target for k in new.foreign_keys)
        return self._sum(left & right) / self._sum(left | right)

    def _sum(self, targets: Counter[TableName]) -> float:
        return sum(count * self.weight.get(target, 1.0) for target, count in targets.items())


def make_links(olds: Sequence[Table], news: Sequence[Table], pairs: Mapping[TableName, TableName]) -> Links:
    """Returns what the given pairs imply; ``olds`` and ``news`` are all tables of both sides."""
    by_name = {t.name: t for t in news}
    paired = [table for table in olds if pairs.get(table.name) in by_name]
    repointed: Counter[tuple[TableName, TableName]] = Counter()
    replaced: Counter[tuple[TableName, TableName]] = Counter()
    for before in paired:
        after = by_name[pairs[before.name]]
        left, right = _targets(before), _targets(after)
        repointed.update((left[columns], right[columns]) for columns in left if columns in right)
        lost, came = _targets_of_one(left, right), set(_targets_of_one(right, left))
        # Which of the lost keys became which new one is not known: every combination counts once.
        replaced.update(product(lost, came))
    changes = Counter(name_change(a, b) for a, b in pairs.items() if a.name != b.name)
    return Links(pairs, repointed, replaced, changes, _target_weights(olds, news))


def _targets(table: Table) -> _Targets:
    return {key.columns: key.target for key in table.foreign_keys}


def _targets_of_one(keys: _Targets, other: _Targets) -> list[TableName]:
    """Returns the targets of the foreign keys whose columns have none in the other table."""
    return [target for columns, target in keys.items() if columns not in other]


def name_change(old: TableName, new: TableName) -> Change:
    """Returns the words that only the old name has, and those that only the new name has."""
    left, right = frozenset(stems(old.name)), frozenset(stems(new.name))
    return left - right, right - left


def _target_weights(olds: Sequence[Table], news: Sequence[Table]) -> dict[TableName, float]:
    here, there = _referring_tables(olds), _referring_tables(news)
    return {
        target: 1 / math.log(2 + max(here[target], there[target])) for target in here.keys() | there.keys()
    }


def _referring_tables(tables: Sequence[Table]) -> Counter[TableName]:
    """Returns how many tables refer to each table; two foreign keys of one table to it count once."""
    return Counter(target for table in tables for target in {key.target for key in table.foreign_keys})
