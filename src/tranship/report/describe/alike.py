"""Finds notes that say the same about many tables or columns, so that a report says it once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from tranship.model.change import Change

_FEWEST = 3
"""Notes that are said together: two are as short one by one."""
MOST_NAMES = 8
"""Places of equal notes that are named."""


class Alike(Struct, frozen=True):
    """A note, and those that say the same about something else."""

    first: Change
    others: tuple[Change, ...] = ()


def _nothing(_: Change) -> tuple[str, ...]:
    return ()


def alike(notes: Sequence[Change], facts: Callable[[Change], tuple[str, ...]] = _nothing) -> list[Alike]:
    """Returns the notes in their order, those that say the same as an earlier one with that one. ``facts``:
    what else has to be the same.
    """
    known: dict[tuple[object, ...], list[Change]] = {}
    groups: list[list[Change]] = []
    for note in notes:
        rest = (note.kind, note.auto_action, note.evidence, facts(note))
        # Several old tables may flow into one: the constraint of that one has the same name for all of them,
        # although it may begin with the name of one.
        ways = [(text, *rest) for text in (note.description, _without_names(note))]
        group = next((known[way] for way in ways if way in known), None)
        if group is None:
            group = []
            groups.append(group)
        known |= dict.fromkeys(ways, group)
        group.append(note)
    found: list[Alike] = []
    for group in groups:
        if len(group) < _FEWEST:
            found += [Alike(note) for note in group]
        else:
            found.append(Alike(group[0], tuple(group[1:])))
    order = {id(note): place for place, note in enumerate(notes)}
    return sorted(found, key=lambda one: order[id(one.first)])


def _without_names(note: Change) -> str:
    """Returns the words of a note without the names of its table and columns."""
    text = note.description
    bare = note.table.partition(".")[2] or note.table
    # An underscore ends a name here: the sequence of a table is called after it.
    text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(bare)}(?![A-Za-z0-9])", "*", text)
    for column in (note.old_column, note.new_column):
        if column:
            text = text.replace(f"'{column}'", "'*'")
    return text


def the_same_for(others: Sequence[tuple[str, str | None]], *, most: int | None = MOST_NAMES) -> str:
    """Returns the line below a note that says where else it applies: pairs of table and column. ``most``
    of them are named, None: all.
    """
    columns = any(column for _, column in others)
    word = "" if not columns else " column" if len(others) == 1 else " columns"
    names = [f"{table}.{column}" if column else table for table, column in others[:most]]
    more = f" and {len(others) - len(names)} more" if len(others) > len(names) else ""
    return f"the same for {len(others)} more{word}: {', '.join(names)}{more}"
