"""What two columns have in common, as numbers that a weighted sum can add up; most are between 0 and 1."""

from __future__ import annotations

import math
import re

from tranship.model.catalog import Column
from tranship.planning.matching.renames.columns_context import ColumnsContext
from tranship.planning.matching.renames.gap import Gap
from tranship.planning.matching.renames.rivals import NO_RIVALS, best_of_others
from tranship.planning.matching.renames.vetoes import token_vetoes
from tranship.planning.names.tokens import stems

_CAST = re.compile(r"::[a-z ]+(\([0-9, ]+\))?(\[\])?$")


def features(context: ColumnsContext, before: Column, after: Column) -> dict[str, float]:
    """Returns the features of one pair by name; those that are 0 may be missing."""
    return {
        "bias": 1.0,
        **_name_features(context, before.name, after.name),
        **_type_features(context, before, after),
        **_role_features(context, before.name, after.name),
        **_place_features(context, before.name, after.name),
    }


def _name_features(context: ColumnsContext, before: str, after: str) -> dict[str, float]:
    wording = context.names[before, after]
    lost, came = wording.change
    own, synonyms = wording.likeness, wording.synonyms
    rival_old, rival_new = (
        best_of_others(context.old.best.get(before, NO_RIVALS), own),
        best_of_others(context.new.best.get(after, NO_RIVALS), own),
    )
    return {
        "ratio": wording.ratio,
        "tokens": len(wording.common) / (len(wording.common) + len(lost) + len(came) or 1),
        "contained": float(wording.contained),
        "synonyms": synonyms,
        "disjoint": float(not wording.common and not synonyms and wording.ratio < 0.5),
        "one_id": float(("id" in stems(before)[-1:]) != ("id" in stems(after)[-1:])),
        "token_veto": float(bool(token_vetoes(before, after))),
        "pattern": float(context.patterns.get(wording.change, 0) > 1 and bool(wording.common)),
        "outdone_old": max(0.0, rival_old - own),
        "outdone_new": max(0.0, rival_new - own),
        "ahead": max(0.0, own - max(rival_old, rival_new)),
        "with_table": float(
            bool(lost) and bool(came) and any(lost <= a and came <= b for a, b in context.table_changes)
        ),
    }


def _type_features(context: ColumnsContext, before: Column, after: Column) -> dict[str, float]:
    left, right = context.old.family[before.name], context.new.family[after.name]
    values = {
        "type_same": float(before.type.text == after.type.text),
        "null_same": float(before.not_null == after.not_null),
    }
    if left == right:
        values["family_same"] = 1.0
        values["family_rare"] = (context.old.families[left] * context.new.families[right]) ** -0.5
    defaults = plain_default(before), plain_default(after)
    if any(default is not None for default in defaults):
        values["default_same" if defaults[0] == defaults[1] else "default_differs"] = 1.0
    return values


def plain_default(column: Column) -> str | None:
    """Returns a default without the cast that the server prints; every sequence counts as the same."""
    if column.identity or (column.default or "").startswith("nextval("):
        return "nextval"
    return None if column.default is None else _CAST.sub("", column.default).lower()


def _role_features(context: ColumnsContext, before: str, after: str) -> dict[str, float]:
    left, right = context.old.roles.get(before, frozenset()), context.new.roles.get(after, frozenset())
    to_old, to_new = context.old.targets[before], context.new.targets[after]
    return {
        "roles_same": float(bool(left) and left == right),
        "roles_differ": float(left != right),
        "target_differs": float(bool(to_old) and bool(to_new) and not to_old & to_new),
    }


def _place_features(context: ColumnsContext, before: str, after: str) -> dict[str, float]:
    olds, news = len(context.old.columns), len(context.new.columns)
    values = {"lonely": float(olds == 1 and news == 1), "crowd": math.log(news), "crowd_old": math.log(olds)}
    if context.order_known:
        values[_place(context, before, after)] = 1.0
    return values


def _place(context: ColumnsContext, before: str, after: str) -> str:
    """Returns the name of the feature that says how the places of two columns go together."""
    here, there = context.old.place[before], context.new.place[after]
    if here.gap != there.gap:
        return "gap_other" if context.gaps[there.gap].right is None else "gap_moved_in"
    gap, aligned = context.gaps[here.gap], here.gap in context.aligned
    rule = _place_at_end if gap.right is None else _place_between
    return rule(gap, aligned, here.rank, there.rank)


def _place_at_end(gap: Gap, aligned: bool, rank_old: int, rank_new: int) -> str:
    """At the end of a table renamed columns come first, since ADD COLUMN appends the new ones behind them."""
    if gap.single:
        return "tail_single"
    if rank_old == rank_new:
        return "tail_aligned" if aligned else "tail_rank"
    return "tail_possible" if rank_new < rank_old else "tail_shared"


def _place_between(gap: Gap, aligned: bool, rank_old: int, rank_new: int) -> str:
    """Between two survivors columns can only have gone: an added one would stand at the end of the table."""
    if gap.single:
        return "gap_single"
    if len(gap.old) == len(gap.new):
        if rank_old != rank_new:
            return "gap_shared"
        return "gap_aligned" if aligned else "gap_possible"
    # So many old columns before and behind this one have to be enough for the new ones before and behind the
    # other.
    room_before = rank_new <= rank_old
    room_behind = len(gap.new) - rank_new <= len(gap.old) - rank_old
    return "gap_possible" if room_before and room_behind else "gap_shared"
