"""Why a pair is proposed, in words."""

from __future__ import annotations

from tranship.model.catalog import Column
from tranship.planning.renames.families import family
from tranship.planning.renames.features import Scene
from tranship.planning.renames.tokens import stems
from tranship.planning.renames.vetoes import targets, vetoes


def describe(scene: Scene, before: Column, after: Column) -> tuple[str, ...]:
    """For and against, the strongest first; what speaks against begins with ``but``."""
    lines = [*_place(scene, before, after), *_names(before, after), *_nature(scene, before, after)]
    lines += [f"but {veto}" for veto in vetoes(scene.old, scene.new, before, after, scene.context)]
    return tuple(lines)


def _place(scene: Scene, before: Column, after: Column) -> list[str]:
    if not scene.order_known:
        return []
    at = scene.gap_of_old[before.name]
    if at != scene.gap_of_new[after.name]:
        return []
    gap = scene.gaps[at]
    left = gap.left[1] if gap.left else "the first column"
    right = gap.right[1] if gap.right else "the end"
    return [f"stands between {left} and {right} in both tables"]


def _names(before: Column, after: Column) -> list[str]:
    common = [word for word in dict.fromkeys(stems(before.name)) if word in stems(after.name)]
    return [f"names share {', '.join(common)}"] if common else []


def _nature(scene: Scene, before: Column, after: Column) -> list[str]:
    lines = []
    if before.type.text == after.type.text:
        lines.append(f"same type {before.type.text}")
    elif family(before.type) == family(after.type):
        lines.append(f"types of one family ({before.type.text} → {after.type.text})")
    if before.default is not None and before.default == after.default:
        lines.append(f"same default {before.default}")
    shared = {scene.context.table_pairs.get(t, t) for t in targets(scene.old, before.name)} & targets(scene.new, after.name)
    lines += [f"both point to {target}" for target in sorted(shared)]
    roles = scene.old_roles.get(before.name, frozenset()) & scene.new_roles.get(after.name, frozenset()) - {"foreign key"}
    lines += [f"both {role}" for role in sorted(roles)]
    if before.not_null != after.not_null:
        lines.append("but only one of them refuses NULL")
    return lines
