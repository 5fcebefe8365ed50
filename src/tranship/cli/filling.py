"""The fields of a choice as a person types them in ``resolve edit``, each checked where it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from tranship.cli.prompting import KEYS, Ask, NewValues, checked, field_value
from tranship.cli.terminal import say
from tranship.codec import JsonValue
from tranship.codec.decision_file import Entry
from tranship.errors.codes.entries import Malformed, UnknownColumn
from tranship.errors.codes.entry_values import WrongFieldValue
from tranship.model.resolution import Action, Problem
from tranship.planning.deciding.choices import Choice

_OF_ONE_FIELD = (Malformed.code, UnknownColumn.code, WrongFieldValue.code)
"""Problems that one field has by itself, whatever the others of its entry hold."""
Wrong = Callable[[Entry], Sequence[Problem]]
"""What is wrong with the fields of an answer."""


def filled(ask: Ask, choice: Choice, values: NewValues, wrong: Wrong) -> dict[str, JsonValue] | None:
    """Returns the fields of an answer; None where one is needed and nothing is typed. A wrong value is asked
    for again, and what was typed before it is kept.

    Raises:
        Ended: the person quits.
        Back: the person wants to see the question again.
    """
    fields: dict[str, JsonValue] = {"action": choice.action.value}
    if choice.fields:
        say(f"  {KEYS}")
    for number, field in enumerate(choice.fields, 1):
        lacks = any(not one.optional for one in choice.fields[number:])
        value = checked(
            partial(field_value, ask, field, values),
            partial(_wrong_field, wrong, fields, field.name, lacks=lacks),
        )
        if value is None and not field.optional:
            return None
        if value is not None:
            fields[field.name] = value
    return fields


def _wrong_field(
    wrong: Wrong, before: Entry, name: str, value: JsonValue, *, lacks: bool
) -> Sequence[Problem]:
    """Returns what is wrong with the value of one field; ``lacks``: needed ones are asked behind it."""
    fields = {**before, name: value}
    if not lacks:
        return wrong(fields)
    if fields["action"] == Action.TRANSFORM:
        # Whatever makes the value, the columns are right or wrong.
        return wrong({**fields, "transform_sql": "NULL"})
    return [one for one in wrong(fields) if one.code in _OF_ONE_FIELD]
