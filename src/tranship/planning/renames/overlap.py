"""How much of one table's columns another table has, under the same or nearly the same names."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from rapidfuzz import fuzz

from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.planning.renames.families import family
from tranship.planning.renames.tokens import folded, stems


class TableScene(Struct, frozen=True):
    """Everything about two schemas that is the same for all their table pairs."""

    olds: tuple[Table, ...]
    """Tables without a counterpart."""
    news: tuple[Table, ...]
    weight: Mapping[str, float]
    """Column name without case, separators and plural → how much it says (a name that every table has says little)."""
    repointed: Mapping[tuple[TableName, TableName], int]
    """Foreign keys of surviving columns that pointed to the first table and now point to the second."""
    referrers: Mapping[TableName, int]
    """How many such foreign keys pointed to an old table at all."""


def make_table_scene(old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName]) -> TableScene:
    """Find the tables without a counterpart and count once what all pairs need."""
    taken = set(pairs.values())
    counts = Counter(name for table in (*old, *new) for name in {folded(c.name) for c in table.columns})
    total = len(old) + len(new)
    repointed, referrers = _repointed(old, new, pairs)
    return TableScene(
        olds=tuple(t for t in old if t.name not in pairs),
        news=tuple(t for t in new if t.name not in taken),
        weight={name: math.log(1 + total / count) for name, count in counts.items()},
        repointed=repointed,
        referrers=referrers,
    )


def _repointed(
    old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName]
) -> tuple[dict[tuple[TableName, TableName], int], dict[TableName, int]]:
    by_name = {t.name: t for t in new}
    found: Counter[tuple[TableName, TableName]] = Counter()
    total: Counter[TableName] = Counter()
    for table in old:
        partner = by_name.get(pairs.get(table.name, table.name))
        if partner is None:
            continue
        after = {k.columns: k.target for k in partner.foreign_keys}
        for key in table.foreign_keys:
            if key.columns in after:
                found[key.target, after[key.columns]] += 1
                total[key.target] += 1
    return dict(found), dict(total)


def table_features(scene: TableScene, old: Table, new: Table) -> dict[str, float]:
    """The features of one pair of tables."""
    left, right = stems(old.name.name), stems(new.name.name)
    common = set(left) & set(right)
    plain = _weighted(scene, _names(old), _names(new))
    swapped = _weighted(scene, _relative_names(old), _relative_names(new))
    referrers = scene.referrers.get(old.name, 0)
    return {
        "bias": 1.0,
        "name_tokens": len(common) / (len(set(left) | set(right)) or 1),
        "name_ratio": fuzz.ratio(folded(old.name.name), folded(new.name.name)) / 100,
        "name_head": float(bool(left) and bool(right) and left[-1] == right[-1]),
        "columns": plain,
        "columns_relative": max(plain, swapped),
        "contained": _contained(_names(old), _names(new)),
        "typed": _typed(old, new),
        "sequence": _sequence(old, new),
        "small": 1.0 / max(1, min(len(old.columns), len(new.columns))),
        "repointed": scene.repointed.get((old.name, new.name), 0) / referrers if referrers else 0.0,
        "not_repointed": float(referrers > 0 and (old.name, new.name) not in scene.repointed),
        "kind_same": float(old.kind == new.kind),
    }


def _names(table: Table) -> frozenset[str]:
    return frozenset(folded(c.name) for c in table.columns)


def _relative_names(table: Table) -> frozenset[str]:
    """Column names with the words of the table's own name taken out: ``article_id`` of ``articles`` becomes ``id``."""
    own = set(stems(table.name.name))
    return frozenset("".join(w for w in stems(c.name) if w not in own) or "=" for c in table.columns)


def _weighted(scene: TableScene, left: frozenset[str], right: frozenset[str]) -> float:
    def weigh(names: Iterable[str]) -> float:
        return sum(scene.weight.get(name, 1.0) for name in names)

    union = weigh(left | right)
    return weigh(left & right) / union if union else 0.0


def _contained(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / (min(len(left), len(right)) or 1)


def _typed(old: Table, new: Table) -> float:
    left = Counter((folded(c.name), family(c.type)) for c in old.columns)
    right = Counter((folded(c.name), family(c.type)) for c in new.columns)
    union = (left | right).total()
    return (left & right).total() / union if union else 0.0


def _sequence(old: Table, new: Table) -> float:
    """Share of the column types that come in the same order."""
    left, right = [family(c.type) for c in old.columns], [family(c.type) for c in new.columns]
    same = sum(a == b for a, b in zip(left, right, strict=False))
    return same / (max(len(left), len(right)) or 1)
