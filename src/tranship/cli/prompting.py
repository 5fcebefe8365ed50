"""What a person types for one field of an answer in ``resolve edit``: a value, or that they want to go back
or to quit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from tranship.cli.terminal import say
from tranship.cli.trouble import line_of
from tranship.codec import JsonValue, parse_jsonc
from tranship.errors import UsageError
from tranship.model.resolution import Problem
from tranship.model.visible import visible
from tranship.planning.deciding.choices import Field, Kind
from tranship.planning.deciding.resolve.words import (
    PLACEHOLDERS,
    SPECIFY_DEFAULT_VALUE,
    USE_SCHEMA_DEFAULT,
)

Ask = Callable[[str], str]
Given = TypeVar("Given")
KEYS = 'b back · q quit · ? help · = before a value that is such a letter itself, as in "=q"'
_QUIT, _BACK, _HELP = ("q", "quit"), ("b", "back"), ("?", "h", "help")
_AT_A_FIELD = "?"
"""The only word for help where a value is asked for: values may well be words."""
_SKIP = ("s", "skip")
MOVES_EXPLAINED = (
    "s  skip: the question stays open, and the next one is shown",
    "b  back to what was shown before",
    "q  quit: every answer is in the file already",
)
"""What the commands do that lead from one question to another."""
_LITERAL = "="
_YES, _NO = ("yes", "y", "true"), ("", "no", "n", "false")
"""What people type for a flag; the file has ``true``."""
_OF_NEW_VALUES = ("default_value", "value_mapping")
"""Fields that hold values of the new column."""
_NAMED = 20
"""Known values that a prompt names."""


class Ended(Exception):
    """The person quits, or there is no more input."""


class Back(Exception):
    """The person wants to see the question again."""


class NewValues(Struct, frozen=True):
    """What a prompt knows of the new column whose value it asks for."""

    known: tuple[str, ...] = ()
    """The only values that it takes; empty: they are not known."""
    type: str = ""
    """Its type; empty: it is not known."""
    takes: Callable[[str], bool] = lambda _: True
    """Whether a text may be a value of it."""

    @property
    def words(self) -> str:
        """What may be typed, for a prompt; empty: nothing is known."""
        return f"one of: {known_words(self.known)}" if self.known else self.type

    @property
    def each(self) -> str:
        """The same behind a semicolon, for a prompt for several values; empty: nothing is known."""
        what = "is" if self.known else "is of type"
        return f"; each new value {what} {self.words}" if self.words else ""

    def refuses(self, word: str) -> bool:
        """Says that a word is no value of the column, where that is so; returns whether it is."""
        if not word or self.takes(word):
            return False
        among = f", but {self.words}" if self.known else ""
        say(visible(f"{word!r} is no value of type {self.type}{among}"))
        return True


UNKNOWN: Final = NewValues()
"""Nothing is known of the new column, or none is asked about."""


def command(ask: Ask, explained: Sequence[str]) -> str:
    """Returns the command that is typed at a question. Asks again behind an empty line, and behind a question
    mark, which shows what each command does: the lines ``explained``.
    """
    while True:
        word = ask("> ").strip()
        if word in _HELP:
            for line in explained:
                say(f"    {line}")
        elif word:
            return word
        else:
            say("Nothing is typed, so nothing is decided or skipped: s skips, ? explains the keys.")


def typed(ask: Ask, prompt: str, known: Sequence[str] = (), keys: str = KEYS) -> str:
    """Returns what is typed behind a prompt, without blanks at its ends.

    A word of ``known`` is a value, whatever else it would mean. A question mark shows the ``keys``, and the
    prompt comes again.

    Raises:
        Ended: the person quits.
        Back: the person wants to see the question again.
    """
    while (word := ask(prompt).strip()) == _AT_A_FIELD and word not in known:
        say(f"  {keys}")
    if word in known:
        return word
    if word in _QUIT:
        raise Ended
    if word in _BACK:
        raise Back
    return word[1:] if word.removeprefix(_LITERAL) in (*_QUIT, *_BACK, _AT_A_FIELD) else word


def reason(ask: Ask) -> str | None:
    """Returns why a person decides so, which may be empty; None: the question is to be skipped after all.

    Raises:
        Ended: the person quits.
        Back: the person wants to see the question again.
    """
    word = typed(ask, "because (may be empty): ", keys=f"s skip · {KEYS}")
    if word in _SKIP:
        return None
    return word[1:] if word.removeprefix(_LITERAL) in _SKIP else word


def checked(given: Callable[[], Given | None], wrong: Callable[[Given], Sequence[Problem]]) -> Given | None:
    """Returns what is given, and asks for it until nothing is wrong with it; None: nothing is given.

    Raises:
        Ended: the person quits.
        Back: the person wants to see the question again.
    """
    while (value := given()) is not None:
        problems = wrong(value)
        if not problems:
            return value
        for problem in problems:
            say(line_of(problem))
        say("Nothing was saved. It is asked once more; b leads back to the question.")
    return None


def field_value(ask: Ask, field: Field, values: NewValues) -> JsonValue:
    """Returns what is typed for a field; None: nothing. ``values``: those of the new column.

    Raises:
        Ended: the person quits.
        Back: the person wants to see the question again.
    """
    values = values if field.name in _OF_NEW_VALUES else UNKNOWN
    prompt = f"{field.name} ({field.asked}{values.each}): "
    match field.kind:
        case Kind.MAPPING:
            return _refused_again(ask, json_object(ask, prompt, field.asked), values)
        case Kind.JSON:
            return json_value(ask, prompt, field.asked)
        case Kind.LINES:
            return list(iter(lambda: typed(ask, prompt), "")) or None
        case Kind.FLAG:
            return _flag(ask, prompt)
        case Kind.WORD:
            return typed(ask, f"{prompt}{', '.join(field.words)}: ", field.words) or None
        case Kind.TEXT | Kind.SQL:
            return _value(ask, prompt, values, (USE_SCHEMA_DEFAULT,)) or None


def _flag(ask: Ask, prompt: str) -> bool | None:
    """Returns True for a yes, and None for a no, of which the entry says nothing. Asks until it is one."""
    while True:
        word = typed(ask, f"{prompt}yes, or empty for no: ")
        if word.lower() in _YES:
            return True
        if word.lower() in _NO:
            return None
        say(visible(f"{word!r} is neither yes nor no."))


def json_object(ask: Ask, prompt: str, example: str) -> dict[str, JsonValue] | None:
    """Returns an object that is typed as JSON, and asks until it is one; None: nothing is typed.

    ``example`` is shown where it is none.

    Raises:
        Ended: the person quits.
        Back: the person wants to see the question again.
    """
    while (value := json_value(ask, prompt, example)) is not None:
        if isinstance(value, dict):
            return value
        say(f"An object is expected, {example}")
    return None


def json_value(ask: Ask, prompt: str, example: str) -> dict[str, JsonValue] | str | None:
    """Returns an object or a text that is typed as JSON, likewise."""
    while text := typed(ask, prompt):
        try:
            value = parse_jsonc(Path("the input"), text).root
        except UsageError as error:
            say(line_of(error.problems[0]))
            say(f"Write it as JSON, {example} (empty: back to the question)")
            continue
        if isinstance(value, dict | str):
            return value
        say(f"An object is expected, {example}")
    return None


def mapped(ask: Ask, mapping: Mapping[str, JsonValue], values: NewValues) -> dict[str, JsonValue]:
    """Returns a mapping with the new values asked for that it leaves open. Going back leads to the value
    before.

    Raises:
        Ended: the person quits.
        Back: the person goes back from the first value.
    """
    made = dict(mapping)
    open_ = [old for old, new in mapping.items() if isinstance(new, str) and new in PLACEHOLDERS]
    among = f"; {values.words}" if values.words else ""
    at = 0
    while at < len(open_):
        prompt = f"new value for {visible(repr(open_[at]))} (empty: its rows are rejected{among}): "
        try:
            made[open_[at]] = _value(ask, prompt, values)
            at += 1
        except Back:
            if not at:
                raise
            at -= 1
    return {old: new for old, new in made.items() if old not in open_ or new}


def _refused_again(
    ask: Ask, mapping: dict[str, JsonValue] | None, values: NewValues
) -> dict[str, JsonValue] | None:
    """Returns a mapping with those new values asked for again that the new column refuses; None for none."""
    if mapping is None:
        return None
    left = {
        old: SPECIFY_DEFAULT_VALUE if isinstance(new, str) and values.refuses(new) else new
        for old, new in mapping.items()
    }
    return mapped(ask, left, values) if left != mapping else mapping


def _value(ask: Ask, prompt: str, values: NewValues, beside: Sequence[str] = ()) -> str:
    """Returns a value of the new column, or one of the words that are allowed ``beside``, and asks until it
    is one; empty: nothing is typed.
    """
    while True:
        word = typed(ask, prompt, values.known)
        if word in beside or not values.refuses(word):
            return word


def known_words(known: Sequence[str]) -> str:
    """Returns the values that a column takes, the first of them by name."""
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return visible(", ".join(known[:_NAMED]) + more)
