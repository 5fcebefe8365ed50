"""What two tables have in common, as numbers (most between 0 and 1) that one weighing can add up. Each speaks in one direction only."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rapidfuzz import fuzz

from tranship.model.catalog import Column, Table
from tranship.planning.matching.renames.features import other_best
from tranship.planning.matching.renames.gap import alphabetical, survivors
from tranship.planning.matching.renames.links import Links, name_change
from tranship.planning.matching.renames.overlap import TableScene
from tranship.planning.names.families import family
from tranship.planning.names.tokens import folded, stems, synonymous

NEGATIVE = frozenset({"copied", "crowd", "crowd_old", "outdone"})
"""Features that may only speak against a pair; all others but the bias only for it."""
MANY = 40
"""More tables without a counterpart than this make no single pair less likely: then a whole schema has changed."""
_NOTHING = (0.0, 0.0)


def own_features(scene: TableScene, old: Table, new: Table) -> dict[str, float]:
    """What stays the same whatever is known of other pairs."""
    own = scene.overlap(old, new)
    rivals = [
        other_best(best.get(t.name, _NOTHING), own)
        for best, t in ((scene.old_best, old), (scene.new_best, new))
    ]
    kept = max(scene.kept_best.get(old.name, 0.0), scene.kept_best.get(new.name, 0.0))
    return {
        "bias": 1.0,
        **_name_features(scene, old, new),
        **_order_features(old, new),
        "columns": own,
        "exact": _exact(old, new),
        "soft": _soft(scene, old, new),
        "keys_same": _keys_same(old, new),
        "outdone": max(0.0, max(rivals) - own),
        "ahead": max(0.0, own - max(rivals)),
        "copied": max(0.0, kept - own),
        "crowd": math.log(min(MANY, max(1, len(scene.news)))),
        "crowd_old": math.log(min(MANY, max(1, len(scene.olds)))),
    }


def link_features(links: Links, old: Table, new: Table) -> dict[str, float]:
    """What the pairs known so far add."""
    return {
        "fk_same": links.targets_same(old, new),
        "fk_moved": float(links.moved(old.name, new.name) > 0),
        "changed_alike": float(links.changed_alike(old.name, new.name)),
    }


def _name_features(scene: TableScene, old: Table, new: Table) -> dict[str, float]:
    left, right = frozenset(stems(old.name.name)), frozenset(stems(new.name.name))
    change = name_change(old.name, new.name)
    met = sum(any(synonymous(x, y) for y in change[1]) for x in change[0])
    return {
        "name_tokens": len(left & right) / (len(left | right) or 1),
        "name_ratio": fuzz.ratio(folded(old.name.name), folded(new.name.name)) / 100,
        "synonyms": met / max(1, len(change[0])),
        "echo": float(all(change) and change in scene.echoes),
    }


def _order_features(old: Table, new: Table) -> dict[str, float]:
    """A renamed table keeps its columns in order and gets new ones behind them; where order says nothing, both stay in the middle."""
    before, after = [c.name for c in old.columns], [c.name for c in new.columns]
    place = {folded(name): i for i, name in enumerate(after)}
    common = [(name, after[place[folded(name)]]) for name in before if folded(name) in place]
    if not common:
        return {}
    if alphabetical(before) and alphabetical(after):
        return {"order": 1.0, "appended": 0.5}
    met = {name for _, name in common}
    last = max(i for i, name in enumerate(after) if name in met)
    fresh = [i for i, name in enumerate(after) if name not in met]
    return {
        "order": len(survivors(before, after, common)) / len(common),
        "appended": sum(i > last for i in fresh) / len(fresh) if fresh else 1.0,
    }


def _keys_same(old: Table, new: Table) -> float:
    """Share of the indexes and keys that both have, their columns counted by place."""
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
    """Share of the equally named columns that are declared to the letter alike: a table made anew follows newer habits."""
    there = {folded(c.name): c for c in new.columns}
    met = [(c, there[folded(c.name)]) for c in old.columns if folded(c.name) in there]
    same = sum(
        a.type.text == b.type.text and a.not_null == b.not_null and a.default == b.default for a, b in met
    )
    return same / len(met) if met else 0.0


def _soft(scene: TableScene, old: Table, new: Table) -> float:
    """Weighted share of both tables' columns that the other has, a likely other name counting as far as it is likely."""
    left, right = {folded(c.name): c for c in old.columns}, {folded(c.name): c for c in new.columns}
    lost, fresh = (
        [c for n, c in left.items() if n not in right],
        [c for n, c in right.items() if n not in left],
    )
    likely = _likely(lost, fresh, (frozenset(stems(old.name.name)), frozenset(stems(new.name.name))))
    shared = 2 * sum(scene.weight[n] for n in left.keys() & right.keys())
    rest = [
        (scene.weight[folded(c.name)], likely.get((side, c.name), 0.0))
        for side, columns in enumerate((lost, fresh))
        for c in columns
    ]
    total = shared + sum(weight for weight, _ in rest)
    return (shared + sum(weight * like for weight, like in rest)) / total if total else 0.0


def _likely(
    lost: Sequence[Column], fresh: Sequence[Column], own: tuple[frozenset[str], frozenset[str]]
) -> dict[tuple[int, str], float]:
    """How likely each column of the old (0) and the new table (1) has another name on the other side: the likeness of the closest."""
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
    """1 where only the words of the tables' own names gave way (``article_id`` → ``content_id``), else how like the names are above half."""
    left, right = frozenset(stems(before)), frozenset(stems(after))
    if left - right <= own[0] and right - left <= own[1]:
        return 1.0
    return max(0.0, fuzz.ratio(before, after) / 100 + len(left & right) / (len(left | right) or 1) - 1)
