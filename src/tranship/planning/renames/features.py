"""What two columns have in common, as numbers between 0 and 1 (or -1 and 1) that one weighing can add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct
from rapidfuzz import fuzz

from tranship.model.catalog import Column, Table
from tranship.model.names import TableName
from tranship.planning.renames.families import family
from tranship.planning.renames.gap import Gap
from tranship.planning.renames.tokens import squashed, stems
from tranship.planning.renames.vetoes import targets, token_vetoes


class Scene(Struct, frozen=True):
    """Everything about one table pair that is the same for all its column pairs."""

    old: Table
    new: Table
    olds: tuple[Column, ...]
    """Columns without a counterpart."""
    news: tuple[Column, ...]
    gaps: tuple[Gap, ...]
    order_known: bool
    table_pairs: Mapping[TableName, TableName]
    old_families: Mapping[str, int]
    new_families: Mapping[str, int]
    gap_of_old: Mapping[str, int]
    gap_of_new: Mapping[str, int]
    old_roles: Mapping[str, frozenset[str]]
    new_roles: Mapping[str, frozenset[str]]


def make_scene(
    old: Table,
    new: Table,
    olds: Sequence[Column],
    news: Sequence[Column],
    *,
    gaps: Sequence[Gap],
    order_known: bool,
    table_pairs: Mapping[TableName, TableName],
) -> Scene:
    """Count once what every pair of the scene needs."""
    return Scene(
        old=old,
        new=new,
        olds=tuple(olds),
        news=tuple(news),
        gaps=tuple(gaps),
        order_known=order_known,
        table_pairs=table_pairs,
        old_families=Counter(family(c.type) for c in olds),
        new_families=Counter(family(c.type) for c in news),
        gap_of_old={name: i for i, gap in enumerate(gaps) for name in gap.old},
        gap_of_new={name: i for i, gap in enumerate(gaps) for name in gap.new},
        old_roles=_roles(old),
        new_roles=_roles(new),
    )


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
        **_name_features(before.name, after.name),
        **_type_features(scene, before, after),
        **_role_features(scene, before, after),
        **_place_features(scene, before, after),
    }


def _name_features(before: str, after: str) -> dict[str, float]:
    left, right = stems(before), stems(after)
    common = set(left) & set(right)
    union = set(left) | set(right)
    a, b = squashed(before), squashed(after)
    ratio = fuzz.ratio(a, b) / 100
    return {
        "ratio": ratio,
        "partial": fuzz.partial_ratio(a, b) / 100 if min(len(a), len(b)) >= 4 else ratio,
        "tokens": len(common) / len(union) if union else 0.0,
        "contained": float(bool(common) and len(common) == min(len(set(left)), len(set(right)))),
        "head": float(bool(left) and bool(right) and left[-1] == right[-1]),
        "first": float(bool(left) and bool(right) and left[0] == right[0]),
        "disjoint": float(not common and ratio < 0.5),
        "token_veto": float(any(True for _ in token_vetoes(before, after))),
    }


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
    to_old = {scene.table_pairs.get(t, t) for t in targets(scene.old, before.name)}
    to_new = targets(scene.new, after.name)
    return {
        "roles_same": float(bool(left) and left == right),
        "roles_differ": float(left != right),
        "target_same": float(bool(to_old & to_new)),
        "target_differs": float(bool(to_old) and bool(to_new) and not to_old & to_new),
        "target_lost": float(bool(to_old) != bool(to_new)),
    }


def _place_features(scene: Scene, before: Column, after: Column) -> dict[str, float]:
    names = ("gap_single", "gap_tail_single", "gap_rank", "gap_shared", "gap_other", "lonely")
    values = dict.fromkeys(names, 0.0)
    values["lonely"] = float(len(scene.olds) == 1 and len(scene.news) == 1)
    if not scene.order_known:
        return values
    at = scene.gap_of_old[before.name]
    if at != scene.gap_of_new[after.name]:
        values["gap_other"] = 1.0
        return values
    gap = scene.gaps[at]
    if gap.single:
        values["gap_single" if gap.right is not None else "gap_tail_single"] = 1.0
    elif len(gap.old) == len(gap.new) and gap.right is not None and gap.old.index(before.name) == gap.new.index(after.name):
        values["gap_rank"] = 1.0
    elif gap.right is not None:
        values["gap_shared"] = 1.0
    return values
