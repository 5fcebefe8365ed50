"""Why a pair is proposed, in words."""

from __future__ import annotations

from tranship.model.catalog import Column
from tranship.planning.matching.renames.features import plain_default
from tranship.planning.matching.renames.scene import Scene
from tranship.planning.matching.renames.vetoes import vetoes
from tranship.planning.names.tokens import stems, synonymous

LOOKS_ALIKE = 0.6
"""Likeness of letters that is worth a word."""


def describe(scene: Scene, before: Column, after: Column) -> tuple[str, ...]:
    """For and against; what speaks against begins with ``but``."""
    lines = [
        *_place(scene, before.name, after.name),
        *_names(scene, before.name, after.name),
        *_nature(scene, before, after),
    ]
    lines += [told if by > 0 else f"but {told}" for by, told in scene.said_by_values(before, after)]
    lines += [
        f"but {veto}" for veto in vetoes(scene.table_old, scene.table_new, before, after, scene.context)
    ]
    return tuple(lines)


def _place(scene: Scene, before: str, after: str) -> list[str]:
    if not scene.order_known or scene.old.place[before].gap != scene.new.place[after].gap:
        return []
    gap = scene.gaps[scene.old.place[before].gap]
    if gap.left is None or gap.right is None:
        return [
            f"both stand {f'before {gap.right[1]}' if gap.right else f'after {gap.left[1]}' if gap.left else 'alone'}"
        ]
    return [f"both stand between {gap.left[1]} and {gap.right[1]}"]


def _names(scene: Scene, before: str, after: str) -> list[str]:
    wording = scene.names[before, after]
    lines = []
    if wording.common:
        lines.append(
            f"names share {', '.join(dict.fromkeys(w for w in stems(before) if w in wording.common))}"
        )
    elif wording.ratio >= LOOKS_ALIKE:
        lines.append("names look alike")
    lost, came = wording.change
    lines += [
        f"{a} and {b} are used for one another"
        for a in sorted(lost)
        for b in sorted(came)
        if synonymous(a, b)
    ]
    followers = scene.patterns.get(wording.change, 0) if wording.common else 0
    if followers > 1:
        lines.append(f"{followers} columns change their names in the same way")
    return lines


def _nature(scene: Scene, before: Column, after: Column) -> list[str]:
    lines = []
    if before.type.text == after.type.text:
        lines.append(f"same type {before.type.text}")
    elif scene.old.family[before.name] == scene.new.family[after.name]:
        lines.append(f"types of one family ({before.type.text} → {after.type.text})")
    if before.default is not None and plain_default(before) == plain_default(after):
        lines.append(f"same default {plain_default(before)}")
    lines += [
        f"both point to {target}"
        for target in sorted(scene.old.targets[before.name] & scene.new.targets[after.name])
    ]
    roles = scene.old.roles.get(before.name, frozenset()) & scene.new.roles.get(after.name, frozenset()) - {
        "foreign key"
    }
    lines += [f"both are {role}" for role in sorted(roles)]
    if before.not_null != after.not_null:
        lines.append("but only one of them refuses NULL")
    return lines
