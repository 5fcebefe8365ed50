"""What two columns have in common, as numbers (most between 0 and 1) that one weighing can add up."""

from __future__ import annotations

import math
import re

from tranship.model.catalog import Column
from tranship.planning.matching.renames.scene import Scene
from tranship.planning.matching.renames.vetoes import token_vetoes
from tranship.planning.names.tokens import stems

_CAST = re.compile(r"::[a-z ]+(\([0-9, ]+\))?(\[\])?$")
_NOTHING = (0.0, 0.0)


def features(scene: Scene, before: Column, after: Column) -> dict[str, float]:
    """The features of one pair; those that are 0 may be missing."""
    return {
        "bias": 1.0,
        **_name_features(scene, before.name, after.name),
        **_type_features(scene, before, after),
        **_role_features(scene, before.name, after.name),
        **_place_features(scene, before.name, after.name),
    }


def _name_features(scene: Scene, before: str, after: str) -> dict[str, float]:
    wording = scene.names[before, after]
    lost, came = wording.change
    own, synonyms = wording.likeness, wording.synonyms
    rival_old, rival_new = (
        other_best(scene.old.best.get(before, _NOTHING), own),
        other_best(scene.new.best.get(after, _NOTHING), own),
    )
    return {
        "ratio": wording.ratio,
        "tokens": len(wording.common) / (len(wording.common) + len(lost) + len(came) or 1),
        "contained": float(wording.contained),
        "synonyms": synonyms,
        "disjoint": float(not wording.common and not synonyms and wording.ratio < 0.5),
        "one_id": float(("id" in stems(before)[-1:]) != ("id" in stems(after)[-1:])),
        "token_veto": float(bool(token_vetoes(before, after))),
        "pattern": float(scene.patterns.get(wording.change, 0) > 1 and bool(wording.common)),
        "outdone_old": max(0.0, rival_old - own),
        "outdone_new": max(0.0, rival_new - own),
        "ahead": max(0.0, own - max(rival_old, rival_new)),
        "with_table": float(
            bool(lost) and bool(came) and any(lost <= a and came <= b for a, b in scene.table_changes)
        ),
    }


def other_best(best: tuple[float, float], own: float) -> float:
    """The best value among the others, from the two best of all."""
    return best[1] if own == best[0] else best[0]


def _type_features(scene: Scene, before: Column, after: Column) -> dict[str, float]:
    left, right = scene.old.family[before.name], scene.new.family[after.name]
    values = {
        "type_same": float(before.type.text == after.type.text),
        "null_same": float(before.not_null == after.not_null),
    }
    if left == right:
        values["family_same"] = 1.0
        values["family_rare"] = (scene.old.families[left] * scene.new.families[right]) ** -0.5
    defaults = plain_default(before), plain_default(after)
    if any(default is not None for default in defaults):
        values["default_same" if defaults[0] == defaults[1] else "default_differs"] = 1.0
    return values


def plain_default(column: Column) -> str | None:
    """A default without the cast that the server prints behind it; every sequence counts as the same."""
    if column.identity or (column.default or "").startswith("nextval("):
        return "nextval"
    return None if column.default is None else _CAST.sub("", column.default).lower()


def _role_features(scene: Scene, before: str, after: str) -> dict[str, float]:
    left, right = scene.old.roles.get(before, frozenset()), scene.new.roles.get(after, frozenset())
    to_old, to_new = scene.old.targets[before], scene.new.targets[after]
    return {
        "roles_same": float(bool(left) and left == right),
        "roles_differ": float(left != right),
        "target_differs": float(bool(to_old) and bool(to_new) and not to_old & to_new),
    }


def _place_features(scene: Scene, before: str, after: str) -> dict[str, float]:
    olds, news = len(scene.old.columns), len(scene.new.columns)
    values = {"lonely": float(olds == 1 and news == 1), "crowd": math.log(news), "crowd_old": math.log(olds)}
    if scene.order_known:
        values[_place(scene, before, after)] = 1.0
    return values


def _place(scene: Scene, before: str, after: str) -> str:
    """How the two places go together. Servers append what is added, so among the columns of one gap the renamed ones come first."""
    here, there = scene.old.place[before], scene.new.place[after]
    if here.gap != there.gap:
        return "gap_other" if scene.gaps[there.gap].right is None else "gap_moved_in"
    gap, aligned = scene.gaps[here.gap], here.gap in scene.aligned
    i, j = here.rank, there.rank
    if gap.right is None:
        if gap.single:
            return "tail_single"
        if i == j:
            return "tail_aligned" if aligned else "tail_rank"
        return "tail_possible" if j < i else "tail_shared"
    if gap.single:
        return "gap_single"
    if len(gap.old) == len(gap.new):
        return "gap_shared" if i != j else "gap_aligned" if aligned else "gap_possible"
    return "gap_possible" if j <= i and len(gap.new) - j <= len(gap.old) - i else "gap_shared"
