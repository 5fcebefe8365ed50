"""Who decided an entry of a resolutions file, when and how, and whether it still says what they decided."""

from __future__ import annotations

import datetime
import hashlib

from tranship.codec.decision_file import Entry
from tranship.codec.entry_fields import plain_json
from tranship.codec.jsonc import JsonValue

_DECIDED, _SEAL = "_decided", "seal"
_LENGTH = 12
"""Hexadecimal digits of a seal: it tells of changes made by hand, and proves nothing against a forger."""


def signature(by: str, how: str) -> dict[str, JsonValue]:
    """Returns the field that says who decides, now, and how: by a suggestion, for example."""
    stamp = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {_DECIDED: {"by": by, "at": stamp, "how": how}}


def sealed(entry: Entry) -> Entry:
    """Returns a signed entry with the mark of what it says, by which a later change of it is known."""
    decided = entry[_DECIDED]
    assert isinstance(decided, dict)
    return {**entry, _DECIDED: {**decided, _SEAL: _seal(entry)}}


def by_whom(entry: Entry) -> str:
    """Returns who decided an entry, when and how, and whether it was changed by hand since; empty where
    nobody has.
    """
    if not isinstance(entry.get(_DECIDED), dict):
        return ""
    by, at, how, seal = (note(entry, name) for name in ("by", "at", "how", _SEAL))
    said = "{}, {}, by {}".format(*(one if isinstance(one, str) else "" for one in (by, at, how)))
    return f"{said}; changed by hand since" if isinstance(seal, str) and seal != _seal(entry) else said


def note(entry: Entry, name: str) -> JsonValue:
    """Returns a field of what is noted about the decision of an entry; None where it is absent."""
    decided = entry.get(_DECIDED)
    return decided.get(name) if isinstance(decided, dict) else None


def says(entry: Entry) -> dict[str, JsonValue]:
    """Returns what an entry decides, without what it is called and why."""
    beside = ("description", "because")
    return {name: value for name, value in entry.items() if name[:1] != "_" and name not in beside}


def _seal(entry: Entry) -> str:
    """Returns the mark of the fields of an entry and of their reason, in whatever order they stand."""
    fields = {**says(entry), "because": entry.get("because") or ""}
    text = plain_json(dict(sorted(fields.items())))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]
