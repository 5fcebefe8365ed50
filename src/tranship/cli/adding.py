"""A decision that no question asks for, as a person types it in ``resolve edit``: a filter, one more flow, a
merge, new values of a key.
"""

from __future__ import annotations

from msgspec import Struct

from tranship.cli.prompting import KEYS, UNKNOWN, Ask, field_value, typed
from tranship.cli.terminal import say
from tranship.codec import JsonValue
from tranship.model.visible import visible
from tranship.planning.deciding.choices import Choice, additions

ADD_EXPLAINED = "n  add what nobody asked: take only some rows, one more flow, a merge, new values of a key"


class Addition(Struct, frozen=True):
    """One more decision, and the key under which it stands in the file: a table, or a flow."""

    key: str
    fields: dict[str, JsonValue]


def addition(ask: Ask, table: str) -> Addition | None:
    """Returns a decision about the rows of a table that a person types; None where they type nothing.

    Raises:
        Ended: the person quits.
        Back: the person wants to see the question again.
    """
    say(f"  {KEYS}")
    choice = _chosen(ask, additions())
    if choice is None:
        return None
    key = typed(ask, f"for (empty: {visible(table)}; 'old -> new' is one more flow into another table): ")
    fields: dict[str, JsonValue] = {"action": choice.action.value}
    for field in choice.fields:
        value = field_value(ask, field, UNKNOWN)
        if value is None and not field.optional:
            return None
        if value is not None:
            fields[field.name] = value
    return Addition(key or table, fields)


def _chosen(ask: Ask, ways: tuple[Choice, ...]) -> Choice | None:
    for number, choice in enumerate(ways, 1):
        say(f"  {number}  {choice.title}: {choice.does}")
    while word := typed(ask, "number (empty: back to the question): "):
        if word.isdecimal() and 0 < int(word) <= len(ways):
            return ways[int(word) - 1]
        say(visible(f"{word!r} is none of 1 to {len(ways)}"))
    return None
