"""Which questions ask the same: those to which one answer means the same, and does the same harm."""

from __future__ import annotations

from tranship.codec.decision_file import Entry
from tranship.codec.entry_fields import plain_json
from tranship.codec.jsonc import JsonValue
from tranship.planning.deciding.resolve.targets import Target
from tranship.planning.deciding.resolve.words import PLACEHOLDERS
from tranship.planning.deciding.suggest.drafts import Confidence

_NAMES = ("old_column", "old_columns", "new_column", "confidence")
"""Fields of a suggestion that say which columns it is about, or how sure it is."""


def alike(entry: Entry, key: str, target: Target) -> str:
    """Returns what an entry asks, without the names of its columns and its table; empty where nothing else
    asks the same.

    Types of both sides belong to it, since a constant or a mapping is made of values of the new one, and so
    does what the data suggests: the analysis tells tables apart whose rows hold other values.
    """
    old, new = _name(entry, "old_column"), _name(entry, "new_column")
    if old and new and old != new:
        # Whether one column became the other is asked of these two alone.
        return ""
    text = entry.get("description")
    asked = _without_names(text if isinstance(text, str) else "", key, old or new)
    own = _own_name(entry, old, new)
    if not asked or own is None or (new and target.type is None):
        # Of a column whose table nobody has paired yet the type is not known.
        return ""
    types = [one.text if one is not None else "" for one in (target.old_type, target.type)]
    said: list[JsonValue] = [asked, own, *types, target.required, dict(_suggested(entry))]
    return plain_json(said)


def _own_name(entry: Entry, old: str, new: str) -> str | None:
    """Returns the name that questions have to share; None where nobody else may be asked together with one.

    What is left behind is lost, and only the evidence of its own question says what that is. An old column
    is decided together with those of its name in other tables, an old table alone; those that hold nothing
    go together.
    """
    if new or not entry.get("_evidence") or _holds_nothing(entry):
        return ""
    return old or None


def _holds_nothing(entry: Entry) -> bool:
    """Returns whether the analysis found nothing that would be lost."""
    given = entry.get("_suggestion")
    if not isinstance(given, dict) or given.get("confidence") != Confidence.HIGH:
        return False
    return given.get("action") in ("ignore", "drop_table")


def _without_names(text: str, key: str, column: str) -> str:
    """Returns a question without the names in it; empty where it names none of its own."""
    said = text
    for name in filter(None, (key, key.partition(".")[2], column)):
        said = said.replace(f"'{name}'", "'*'")
    return said if said != text else ""


def _suggested(entry: Entry) -> Entry:
    given = entry.get("_suggestion")
    fields = given if isinstance(given, dict) else {}
    return {name: value for name, value in fields.items() if name not in _NAMES}


def _name(entry: Entry, field: str) -> str:
    value = entry.get(field)
    if value is None and field == "old_column":
        several = entry.get("old_columns")
        value = several[0] if isinstance(several, list) and several else None
    return value if isinstance(value, str) and value not in PLACEHOLDERS else ""
