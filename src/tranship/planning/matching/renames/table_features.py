"""What two tables have in common, as numbers that a weighted sum can add up; most are between 0 and 1.

Each feature speaks in one direction only, so that a fitted weight can be read.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import repeat

from rapidfuzz import fuzz

from tranship.model.catalog import Column, Table
from tranship.planning.matching.renames.gap import alphabetical, survivors
from tranship.planning.matching.renames.links import Links, name_change
from tranship.planning.matching.renames.overlap import TablesContext
from tranship.planning.matching.renames.rivals import NO_RIVALS, best_of_others
from tranship.planning.names.families import family
from tranship.planning.names.tokens import folded, stems, synonymous

NEGATIVE = frozenset({"copied", "crowd", "crowd_old", "outdone"})
"""Features that may only speak against a pair; all others but the bias only for it."""
MANY = 40
"""More tables without a counterpart than this make no single pair less likely: then a whole schema has
changed.
"""


def own_features(context: TablesContext, old: Table, new: Table) -> dict[str, float]:
    """Returns the features that stay the same whatever is known of other pairs."""
    own = context.overlap(old, new)
    rivals = (
        best_of_others(context.old_best.get(old.name, NO_RIVALS), own),
        best_of_others(context.new_best.get(new.name, NO_RIVALS), own),
    )
    kept = max(context.kept_best.get(old.name, 0.0), context.kept_best.get(new.name, 0.0))
    return {
        "bias": 1.0,
        **_name_features(context, old, new),
        **_order_features(old, new),
        "columns": own,
        "exact": _exact(old, new),
        "soft": _soft(context, old, new),
        "keys_same": _keys_same(old, new),
        "outdone": max(0.0, max(rivals) - own),
        "ahead": max(0.0, own - max(rivals)),
        "copied": max(0.0, kept - own),
        "crowd": math.log(min(MANY, max(1, len(context.news)))),
        "crowd_old": math.log(min(MANY, max(1, len(context.olds)))),
    }


def link_features(links: Links, old: Table, new: Table) -> dict[str, float]:
    """Returns the features that the pairs known so far add."""
    return {
        "fk_same": links.targets_same(old, new),
        "fk_moved": float(links.moved(old.name, new.name) > 0),
        "changed_alike": float(links.changed_alike(old.name, new.name)),
    }


def _name_features(context: TablesContext, old: Table, new: Table) -> dict[str, float]:
    left, right = frozenset(stems(old.name.name)), frozenset(stems(new.name.name))
    change = name_change(old.name, new.name)
    replaced = sum(any(synonymous(x, y) for y in change[1]) for x in change[0])
    return {
        "name_tokens": len(left & right) / (len(left | right) or 1),
        "name_ratio": fuzz.ratio(folded(old.name.name), folded(new.name.name)) / 100,
        "synonyms": replaced / max(1, len(change[0])),
        "echo": float(all(change) and change in context.echoes),
    }


def _order_features(old: Table, new: Table) -> dict[str, float]:
    """Returns how far the columns stand in the same order, with the added ones behind them.

    Where both orders are alphabetical they say nothing, and both features stay in the middle.
    """
    before, after = [c.name for c in old.columns], [c.name for c in new.columns]
    place = {folded(name): i for i, name in enumerate(after)}
    common = [(name, after[place[folded(name)]]) for name in before if folded(name) in place]
    if not common:
        return {}
    if alphabetical(before) and alphabetical(after):
        return {"order": 1.0, "appended": 0.5}
    return {
        "order": len(survivors(before, after, common)) / len(common),
        "appended": _appended(after, {name for _, name in common}),
    }


def _appended(after: Sequence[str], common: set[str]) -> float:
    """Returns the share of the new columns that stand behind all common ones: ADD COLUMN puts them there."""
    last = max(i for i, name in enumerate(after) if name in common)
    fresh = [i for i, name in enumerate(after) if name not in common]
    return sum(i > last for i in fresh) / len(fresh) if fresh else 1.0


def _keys_same(old: Table, new: Table) -> float:
    """Returns the share of the indexes and keys that both have, their columns counted by place, 0 to 1."""
    left, right = Counter(_key_places(old)), Counter(_key_places(new))
    union = (left | right).total()
    return (left & right).total() / union if union else 0.0


def _key_places(table: Table) -> list[tuple[bool, tuple[int, ...]]]:
    place = {c.name: i for i, c in enumerate(table.columns)}
    listed = [(key.primary, key.columns) for key in table.keys]
    listed += [
        (False, tuple(c for c in index.columns if c is not None))
        for index in table.indexes
        if index.constraint_kind != "p"
    ]
    return [(primary, tuple(place.get(c, -1) for c in columns)) for primary, columns in listed]


def _exact(old: Table, new: Table) -> float:
    """Returns the share of the equally named columns that are declared exactly alike, 0 to 1.

    A table that was made anew follows newer habits; a renamed one keeps its declarations.
    """
    there = {folded(c.name): c for c in new.columns}
    met = [(c, there[folded(c.name)]) for c in old.columns if folded(c.name) in there]
    same = sum(
        a.type.text == b.type.text and a.not_null == b.not_null and a.default == b.default for a, b in met
    )
    return same / len(met) if met else 0.0


def _soft(context: TablesContext, old: Table, new: Table) -> float:
    """Returns the weighted share of both tables' columns that the other has, 0 to 1.

    A column that probably has another name there counts as far as that is likely.
    """
    left, right = {folded(c.name): c for c in old.columns}, {folded(c.name): c for c in new.columns}
    lost = [left[name] for name in left if name not in right]
    fresh = [right[name] for name in right if name not in left]
    likely = _likely(lost, fresh, (frozenset(stems(old.name.name)), frozenset(stems(new.name.name))))
    shared = 2 * sum(context.weight[n] for n in left.keys() & right.keys())
    free = [*zip(repeat(0), lost, strict=False), *zip(repeat(1), fresh, strict=False)]
    rest = [(context.weight[folded(c.name)], likely.get((side, c.name), 0.0)) for side, c in free]
    total = shared + sum(weight for weight, _ in rest)
    return (shared + sum(weight * like for weight, like in rest)) / total if total else 0.0


def _likely(
    lost: Sequence[Column], fresh: Sequence[Column], own: tuple[frozenset[str], frozenset[str]]
) -> dict[tuple[int, str], float]:
    """Returns how likely each column of the old (0) and of the new table (1) has another name on the other
    side.

    That is the likeness of the closest name of the same type family.
    """
    families = [(c, family(c.type)) for c in fresh]
    likely: dict[tuple[int, str], float] = {}
    for before, kind in ((c, family(c.type)) for c in lost):
        for after, other in families:
            if kind == other:
                like = _column_likeness(before.name, after.name, own)
                for key in ((0, before.name), (1, after.name)):
                    likely[key] = max(likely.get(key, 0.0), like)
    return likely


def _column_likeness(before: str, after: str, own: tuple[frozenset[str], frozenset[str]]) -> float:
    """Returns how likely one name is another name of the same column, 0 to 1.

    It is 1 where only the words of the tables' own names gave way (``article_id`` → ``content_id``), else the
    part of the likeness that is above one half.
    """
    left, right = frozenset(stems(before)), frozenset(stems(after))
    if left - right <= own[0] and right - left <= own[1]:
        return 1.0
    return max(0.0, fuzz.ratio(before, after) / 100 + len(left & right) / (len(left | right) or 1) - 1)
