"""The answer that stands in a resolutions file, or is suggested there, as the form of its question is filled
in with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tranship.api.suggested import KEPT
from tranship.codec.decision_file import Entry
from tranship.codec.entry_fields import plain_json
from tranship.codec.jsonc import JsonValue
from tranship.planning.deciding.choices import Choice, Field, Kind
from tranship.planning.deciding.resolve.words import PLACEHOLDERS

NAMING = ("old_column", "old_columns", "new_column")
"""Fields that say which columns an entry is about: an answer leaves them as they are."""


class Present(Struct, frozen=True):
    """The answer of an entry that asks no more, or the suggested one."""

    text: str
    """Its fields as JSON on one line, without who decided them and why."""
    choice: int | None = None
    """The number of the choice that says the same; None where only the fields themselves do."""
    values: Mapping[str, str] = {}
    """What is typed into the fields of the choice, by name."""


def present(entry: Entry, choices: Sequence[Choice]) -> Present:
    """Returns the answer of an entry with the choice that would save the same fields again."""
    own = decided_fields(entry)
    text = plain_json(own)
    for number, choice in enumerate(choices):
        values = _typed(own, choice)
        if values is not None:
            return Present(text, number, values)
    return Present(text)


def drafted(entry: Entry, suggestion: Entry, choices: Sequence[Choice]) -> Present | None:
    """Returns what is suggested with the choice that says it, fields that it leaves open being empty; None
    where only the fields themselves say it.
    """
    for number, choice in enumerate(choices):
        asked = {field.name for field in choice.fields}
        # The answer of a form keeps the columns that the entry names, and knows no others.
        named = all(
            entry.get(name) == suggestion[name] for name in NAMING if name in suggestion.keys() - asked
        )
        values = _typed(_emptied(suggestion), choice) if suggestion and named else None
        if values is not None:
            return Present(plain_json(dict(suggestion)), number, values)
    return None


def _emptied(suggestion: Entry) -> dict[str, JsonValue]:
    return {
        name: "" if isinstance(value, str) and value in PLACEHOLDERS else value
        for name, value in suggestion.items()
    }


def decided_fields(entry: Entry) -> dict[str, JsonValue]:
    """Returns what an entry decides: its fields without notes, and without why they were chosen."""
    beside = (*KEPT, "because")
    return {name: value for name, value in entry.items() if name[:1] != "_" and name not in beside}


def _typed(own: Mapping[str, JsonValue], choice: Choice) -> dict[str, str] | None:
    """Returns what is typed into the fields of a choice for an entry; None where the choice cannot say it."""
    named = {field.name for field in choice.fields}
    beyond = own.keys() - named - {"action", *NAMING}
    missing = [field for field in choice.fields if field.name not in own and not field.optional]
    if own.get("action") != choice.action or beyond or missing:
        return None
    values: dict[str, str] = {}
    for field in (one for one in choice.fields if one.name in own):
        text = _text_of(field, own[field.name])
        if text is None:
            return None
        values[field.name] = text
    return values


def _text_of(field: Field, value: JsonValue) -> str | None:
    """Returns the text from which the page makes this value again; None where there is none."""
    match field.kind:
        case Kind.JSON | Kind.MAPPING:
            return plain_json(value)
        case Kind.FLAG:
            return "true" if value is True else None
        case Kind.LINES:
            return _lines(value)
        case Kind.WORD:
            return value if isinstance(value, str) and value in field.words else None
        case _:
            return _plain(value, lines=field.kind is Kind.SQL) if isinstance(value, str) else None


def _plain(value: str, *, lines: bool) -> str | None:
    """Returns a text if an input of the page gives it back as it is: one of several lines knows no carriage
    return, and one of a single line knows no line end at all.
    """
    return value if "\r" not in value and (lines or "\n" not in value) else None


def _lines(value: JsonValue) -> str | None:
    texts = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    whole = bool(texts) and texts == value
    plain = all(one and one == one.strip() and len(one.splitlines()) == 1 for one in texts)
    return "\n".join(texts) if whole and plain else None
