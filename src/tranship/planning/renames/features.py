"""What two columns have in common, as numbers between 0 and 1 (or -1 and 1) that one weighing can add up."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct
from rapidfuzz import fuzz

from tranship.model.catalog import Column, Table
from tranship.planning.renames.context import RenameContext
from tranship.planning.renames.families import family
from tranship.planning.renames.gap import Gap
from tranship.planning.renames.tokens import squashed, stems, synonymous
from tranship.planning.renames.vetoes import targets, token_vetoes

Pattern = tuple[tuple[str, ...], tuple[str, ...]]


class Scene(Struct, frozen=True):
    """Everything about one table pair that is the same for all its column pairs."""

    old: Table
    new: Table
    olds: tuple[Column, ...]
    """Columns without a counterpart."""
    news: tuple[Column, ...]
    gaps: tuple[Gap, ...]
    order_known: bool
    context: RenameContext
    old_types: Mapping[str, str]
    """Column → type family."""
    new_types: Mapping[str, str]
    old_families: Mapping[str, int]
    new_families: Mapping[str, int]
    gap_of_old: Mapping[str, int]
    gap_of_new: Mapping[str, int]
    old_roles: Mapping[str, frozenset[str]]
    new_roles: Mapping[str, frozenset[str]]
    patterns: Mapping[Pattern, int]
    """Words that give way to others while the rest of the name stays, and in how many pairs of names they would."""
    likeness: Mapping[tuple[str, str], float]
    old_best: Mapping[str, tuple[float, float]]
    """Old column → likeness of the two new columns whose names are closest."""
    new_best: Mapping[str, tuple[float, float]]


def make_scene(
    old: Table,
    new: Table,
    olds: Sequence[Column],
    news: Sequence[Column],
    *,
    gaps: Sequence[Gap],
    order_known: bool,
    context: RenameContext,
) -> Scene:
    """Count once what every pair of the scene needs."""
    likeness = {(a.name, b.name): likeness_of(a.name, b.name) for a in olds for b in news}
    return Scene(
        old=old,
        new=new,
        olds=tuple(olds),
        news=tuple(news),
        gaps=tuple(gaps),
        order_known=order_known,
        context=context,
        old_types={c.name: family(c.type) for c in olds},
        new_types={c.name: family(c.type) for c in news},
        old_families=Counter(family(c.type) for c in olds),
        new_families=Counter(family(c.type) for c in news),
        gap_of_old={name: i for i, gap in enumerate(gaps) for name in gap.old},
        gap_of_new={name: i for i, gap in enumerate(gaps) for name in gap.new},
        old_roles=_roles(old),
        new_roles=_roles(new),
        patterns=_patterns(olds, news),
        likeness=likeness,
        old_best={a.name: _two_best([likeness[a.name, b.name] for b in news]) for a in olds},
        new_best={b.name: _two_best([likeness[a.name, b.name] for a in olds]) for b in news},
    )


def likeness_of(before: str, after: str) -> float:
    """One number between 0 and 1 for two names: letters and words."""
    left, right = set(stems(before)), set(stems(after))
    return (fuzz.ratio(squashed(before), squashed(after)) / 100 + len(left & right) / (len(left | right) or 1)) / 2


def _two_best(values: Sequence[float]) -> tuple[float, float]:
    best = sorted(values, reverse=True)[:2]
    return (best[0] if best else 0.0, best[1] if len(best) > 1 else 0.0)


def _pattern(before: str, after: str) -> Pattern | None:
    left, right = stems(before), stems(after)
    common = set(left) & set(right)
    if not common or left == right:
        return None
    return tuple(w for w in left if w not in common), tuple(w for w in right if w not in common)


def _patterns(olds: Sequence[Column], news: Sequence[Column]) -> dict[Pattern, int]:
    left: dict[Pattern, set[str]] = {}
    right: dict[Pattern, set[str]] = {}
    for before in olds:
        for after in news:
            pattern = _pattern(before.name, after.name)
            if pattern is not None and family(before.type) == family(after.type):
                left.setdefault(pattern, set()).add(before.name)
                right.setdefault(pattern, set()).add(after.name)
    return {pattern: min(len(names), len(right[pattern])) for pattern, names in left.items()}


def _roles(table: Table) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for key in table.keys:
        for column in key.columns:
            found.setdefault(column, set()).add("primary" if key.primary else "unique" if len(key.columns) == 1 else "unique part")
    for index in table.indexes:
        for name in index.columns:
            if name is not None:
                found.setdefault(name, set()).add("index")
    for foreign in table.foreign_keys:
        for column in foreign.columns:
            found.setdefault(column, set()).add("foreign key")
    return {name: frozenset(roles) for name, roles in found.items()}


def features(scene: Scene, before: Column, after: Column) -> dict[str, float]:
    """The features of one pair."""
    return {
        "bias": 1.0,
        **_name_features(scene, before.name, after.name),
        **_type_features(scene, before, after),
        **_role_features(scene, before, after),
        **_place_features(scene, before, after),
    }


def _name_features(scene: Scene, before: str, after: str) -> dict[str, float]:
    left, right = stems(before), stems(after)
    common = set(left) & set(right)
    union = set(left) | set(right)
    only_left, only_right = set(left) - common, set(right) - common
    a, b = squashed(before), squashed(after)
    ratio = fuzz.ratio(a, b) / 100
    own, pattern = scene.likeness[before, after], _pattern(before, after)
    met = sum(any(synonymous(x, y) for y in only_right) for x in only_left)
    return {
        "ratio": ratio,
        "tokens": len(common) / len(union) if union else 0.0,
        "contained": float(bool(common) and len(common) == min(len(set(left)), len(set(right)))),
        "synonyms": met / max(1, len(only_left)),
        "disjoint": float(not common and not met and ratio < 0.5),
        "one_id": float(("id" in left[-1:]) != ("id" in right[-1:])),
        "token_veto": float(any(True for _ in token_vetoes(before, after))),
        "pattern": float(pattern is not None and scene.patterns.get(pattern, 0) > 1),
        "outdone_old": max(0.0, _other(scene.old_best[before], own) - own),
        "outdone_new": max(0.0, _other(scene.new_best[after], own) - own),
        "ahead": max(0.0, own - max(_other(scene.old_best[before], own), _other(scene.new_best[after], own))),
        "with_table": float(_follows_table(scene, only_left, only_right)),
    }


def _other(best: tuple[float, float], own: float) -> float:
    return best[1] if own == best[0] else best[0]


def _follows_table(scene: Scene, only_left: set[str], only_right: set[str]) -> bool:
    """Whether the words that changed are those that changed in the table's own name or in a known pair of tables."""
    if not only_left or not only_right:
        return False
    pairs = [(scene.old.name, scene.new.name), *scene.context.table_pairs.items()]
    for a, b in pairs:
        left, right = set(stems(a.name)), set(stems(b.name))
        if left != right and only_left <= left - right and only_right <= right - left:
            return True
    return False


def _type_features(scene: Scene, before: Column, after: Column) -> dict[str, float]:
    left, right = family(before.type), family(after.type)
    same = left == right
    known = before.default is not None or after.default is not None
    return {
        "type_same": float(before.type.text == after.type.text),
        "family_same": float(same),
        "family_rare": 1.0 / (scene.old_families[left] * scene.new_families[right]) ** 0.5 if same else 0.0,
        "null_same": float(before.not_null == after.not_null),
        "default_same": float(known and before.default == after.default),
        "default_differs": float(known and before.default != after.default),
    }


def _role_features(scene: Scene, before: Column, after: Column) -> dict[str, float]:
    left, right = scene.old_roles.get(before.name, frozenset()), scene.new_roles.get(after.name, frozenset())
    to_old = {scene.context.table_pairs.get(t, t) for t in targets(scene.old, before.name)}
    to_new = targets(scene.new, after.name)
    return {
        "roles_same": float(bool(left) and left == right),
        "roles_differ": float(left != right),
        "target_differs": float(bool(to_old) and bool(to_new) and not to_old & to_new),
    }


_PLACES = (
    "gap_single",
    "gap_aligned",
    "gap_possible",
    "gap_shared",
    "tail_single",
    "tail_rank",
    "tail_aligned",
    "tail_possible",
    "tail_shared",
    "gap_other",
    "gap_moved_in",
)


def _place_features(scene: Scene, before: Column, after: Column) -> dict[str, float]:
    values = dict.fromkeys(_PLACES, 0.0)
    values["lonely"] = float(len(scene.olds) == 1 and len(scene.news) == 1)
    values["crowd"] = math.log(max(1, len(scene.news)))
    values["crowd_old"] = math.log(max(1, len(scene.olds)))
    if scene.order_known:
        values[_place(scene, before.name, after.name)] = 1.0
    return values


def _place(scene: Scene, before: str, after: str) -> str:
    """How the two places go together. Servers append what is added, so among the columns of one gap the renamed ones come first."""
    at = scene.gap_of_old[before]
    if at != scene.gap_of_new[after]:
        return "gap_other" if scene.gaps[scene.gap_of_new[after]].right is None else "gap_moved_in"
    gap = scene.gaps[at]
    i, j = gap.old.index(before), gap.new.index(after)
    if gap.right is None:
        if gap.single:
            return "tail_single"
        if i == j and _alike(scene, gap):
            return "tail_aligned"
        return "tail_rank" if i == j else "tail_possible" if j < i else "tail_shared"
    if gap.single:
        return "gap_single"
    if len(gap.old) == len(gap.new):
        return ("gap_aligned" if _alike(scene, gap) else "gap_possible") if i == j else "gap_shared"
    return "gap_possible" if j <= i and len(gap.new) - j <= len(gap.old) - i else "gap_shared"


def _alike(scene: Scene, gap: Gap) -> bool:
    """Whether old and new columns of a gap are as many and of the same type families in the same order."""
    return len(gap.old) == len(gap.new) and all(scene.old_types[a] == scene.new_types[b] for a, b in zip(gap.old, gap.new, strict=True))
