"""A decision that no question asks for, as a person types it in ``resolve edit``: a filter, one more flow, a
merge, new values of a key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct

from tranship.cli.filling import filled
from tranship.cli.prompting import UNKNOWN, Ask, typed
from tranship.cli.terminal import say
from tranship.codec import JsonValue
from tranship.codec.decision_file import Entry
from tranship.model.resolution import Problem
from tranship.model.visible import visible
from tranship.planning.deciding.choices import Choice, additions

ADD_EXPLAINED = "n  add what nobody asked: take only some rows, one more flow, a merge, new values of a key"


class Addition(Struct, frozen=True):
    """One more decision, and the key under which it stands in the file: a table, or a flow."""

    key: str
    fields: dict[str, JsonValue]


def addition(ask: Ask, table: str, wrong: Callable[[str, Entry], Sequence[Problem]]) -> Addition | None:
    """Returns a decision about the rows of a table that a person types; None where they type nothing.
    ``wrong``: what is wrong with fields under a key.

    Raises:
        Ended: the person quits.
        Back: the person wants to see the question again.
    """
    choice = _chosen(ask, additions())
    if choice is None:
        return None
    key = typed(ask, f"for (empty: {visible(table)}; 'old -> new' is one more flow into another table): ")
    fields = filled(ask, choice, UNKNOWN, partial(wrong, key or table))
    return Addition(key or table, fields) if fields is not None else None


def _chosen(ask: Ask, ways: tuple[Choice, ...]) -> Choice | None:
    for number, choice in enumerate(ways, 1):
        say(f"  {number}  {choice.title}: {choice.does}")
    while word := typed(ask, "number (empty: back to the question): "):
        if word.isdecimal() and 0 < int(word) <= len(ways):
            return ways[int(word) - 1]
        say(visible(f"{word!r} is none of 1 to {len(ways)}"))
    return None
