"""Why a pair of columns is proposed, in words."""

from __future__ import annotations

from itertools import product

from tranship.model.catalog import Column
from tranship.planning.matching.renames.columns_context import ColumnsContext
from tranship.planning.matching.renames.features import plain_default
from tranship.planning.matching.renames.vetoes import vetoes
from tranship.planning.names.likeness import LOOKS_ALIKE, names_agree
from tranship.planning.names.tokens import in_common, synonymous

ENOUGH_LEANING = 2.0
"""Log-odds from which values speak for a pair: common values that are the same, or a list that NEW allows.
Equal ranges and shares of NULL are less, and every flag has the values of every other flag.
"""


def describe(context: ColumnsContext, before: Column, after: Column) -> tuple[str, ...]:
    """Returns what speaks for and against a pair; what speaks against it begins with ``but``."""
    lines = [
        *_place(context, before.name, after.name),
        *_names(context, before.name, after.name),
        *_nature(context, before, after),
    ]
    lines += [text if by > 0 else f"but {text}" for by, text in context.evidence_of_values(before, after)]
    lines += [
        f"but {veto}" for veto in vetoes(context.table_old, context.table_new, before, after, context.context)
    ]
    return tuple(lines)


def of_place_alone(context: ColumnsContext, before: Column, after: Column) -> bool:
    """Returns whether nothing but the places and the declarations of two columns speaks for a pair: neither
    their names, nor a table that both refer to, nor their values.
    """
    wording = context.names[before.name, after.name]
    named = names_agree(before.name, after.name) or wording.change in context.table_changes
    keys = context.old.roles.get(before.name, frozenset()) & context.new.roles.get(after.name, frozenset())
    tied = context.old.targets[before.name] & context.new.targets[after.name] or "primary key" in keys
    return not named and not tied and context.leaning(before, after) < ENOUGH_LEANING


def _place(context: ColumnsContext, before: str, after: str) -> list[str]:
    if not context.order_known or context.old.place[before].gap != context.new.place[after].gap:
        return []
    gap = context.gaps[context.old.place[before].gap]
    if gap.left is None or gap.right is None:
        after = f"after {gap.left[1]}" if gap.left else "alone"
        return [f"both stand {f'before {gap.right[1]}' if gap.right else after}"]
    return [f"both stand between {gap.left[1]} and {gap.right[1]}"]


def _names(context: ColumnsContext, before: str, after: str) -> list[str]:
    wording = context.names[before, after]
    lines = in_common(before, after, wording.common)
    if not wording.common and wording.ratio >= LOOKS_ALIKE:
        lines.append("names look alike")
    lost, came = wording.change
    changes = product(sorted(lost), sorted(came))
    lines += [f"{a} and {b} are used for one another" for a, b in changes if synonymous(a, b)]
    followers = context.patterns.get(wording.change, 0) if wording.common else 0
    if followers > 1:
        lines.append(f"{followers} columns change their names in the same way")
    return lines


def _nature(context: ColumnsContext, before: Column, after: Column) -> list[str]:
    lines = []
    if before.type.text == after.type.text:
        lines.append(f"same type {before.type.text}")
    elif context.old.family[before.name] == context.new.family[after.name]:
        lines.append(f"types of one family ({before.type.text} → {after.type.text})")
    if before.default is not None and plain_default(before) == plain_default(after):
        lines.append(f"same default {plain_default(before)}")
    lines += [
        f"both point to {target}"
        for target in sorted(context.old.targets[before.name] & context.new.targets[after.name])
    ]
    roles = context.old.roles.get(before.name, frozenset()) & context.new.roles.get(
        after.name, frozenset()
    ) - {"foreign key"}
    lines += [f"both are {role}" for role in sorted(roles)]
    if before.not_null != after.not_null:
        lines.append("but only one of them refuses NULL")
    return lines
