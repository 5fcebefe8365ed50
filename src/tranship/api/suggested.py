"""Whole suggestions of a resolutions file: entries that stand beside the questions until a person takes them.

Taking one writes its entries among the decisions, and what stood there before into their ``_decided``, so
that it can be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Struct

from tranship.api.signing import by_whom, note, says, sealed
from tranship.codec.decision_file import DecisionFile, Entry
from tranship.codec.entry_fields import plain_json
from tranship.codec.jsonc import JsonValue
from tranship.model.resolution import Action
from tranship.planning.deciding.resolve.words import PLACEHOLDERS
from tranship.planning.deciding.suggest.document import SUGGESTIONS
from tranship.planning.deciding.suggest.shapes.whole import FIRST

Entries = Mapping[str, Sequence[Entry]]
"""By key of the file."""
KEPT = ("description", "tables", "when", "_suggestion", "_example", "_evidence", "_comments")
"""Fields of an entry that an answer leaves as they are."""
_OF, _BEFORE = "of", "before"
"""Fields of ``_decided``: the suggestion that was taken, and what stood in the place of the entry."""
_ONCE = (Action.ROWS, Action.MERGE, Action.EXISTING, Action.QUERY)
"""Actions that a flow has once: a second one would be refused. A filter may be about other rows."""
_ARROW = re.compile(r"\s*(?:->|→)\s*")


class Suggested(Struct, frozen=True):
    """One whole suggestion."""

    place: str
    """Its JSON path."""
    table: str
    """The key under which the questions stand that it would answer."""
    text: str
    evidence: tuple[str, ...]
    entries: Entries
    lines: tuple[str, ...]
    """The entries as JSON, one a line, each behind its key."""
    taken: str = ""
    """Who took it, when and how; empty where it is not taken."""
    undoable: bool = False
    """Its entries are marked as those of the suggestion, so that it can be taken back."""
    complete: bool = True
    """It leaves no value open."""
    first: tuple[str, ...] = ()
    """Old tables and keys whose questions have to be answered before it can be taken."""


def suggestions_in(seen: DecisionFile) -> tuple[Suggested, ...]:
    """Returns the whole suggestions of a file, in its order, without what is no suggestion any more."""
    root = seen.document.root
    listed = root.get(SUGGESTIONS) if isinstance(root, dict) else None
    found = listed if isinstance(listed, list) else []
    made = (_suggested(seen, f"$.{SUGGESTIONS}[{n}]", one) for n, one in enumerate(found))
    return tuple(one for one in made if one is not None)


def _suggested(seen: DecisionFile, place: str, given: JsonValue) -> Suggested | None:
    if not isinstance(given, dict):
        return None
    text, entries = given.get("question"), _entries(given)
    if not isinstance(text, str) or not any(entries.values()):
        return None
    own = _marked(seen, entries, text)
    return Suggested(
        place,
        _table_of(seen, entries, text),
        text,
        _texts(given.get("_evidence")),
        entries,
        tuple(f"{plain_json(key)}: {plain_json(dict(one))}" for key, one in _each(entries)),
        taken=by_whom(own[0][1]) if own else _standing(seen, entries),
        undoable=bool(own),
        complete=not any(leaves_open(dict(one)) for _, one in _each(entries)),
        first=_texts(given.get(FIRST)),
    )


def _texts(value: JsonValue) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def entries_of(value: JsonValue) -> Entries | None:
    """Returns entries by key, as a person changed them; None where the value is something else."""
    made = _entries({"resolutions": value})
    return made if {key: list(own) for key, own in made.items()} == value else None


def _entries(given: Mapping[str, JsonValue]) -> Entries:
    tables = given.get("resolutions")
    if not isinstance(tables, dict):
        return {}
    named = {key: own for key, own in tables.items() if isinstance(own, list) and key[:1] != "_"}
    return {key: [one for one in own if isinstance(one, dict)] for key, own in named.items()}


def _each(entries: Entries) -> Iterator[tuple[str, Entry]]:
    yield from ((key, entry) for key, own in entries.items() for entry in own)


def _table_of(seen: DecisionFile, entries: Entries, text: str) -> str:
    """Returns the key whose questions a suggestion answers; without any, the old table of its first flow."""
    named = [name for key in entries for name in (key, _ARROW.split(key)[0])]
    own = ((name, seen.entries_by_key.get(name, ())) for name in named)
    asked = (name for name, others in own if any(note(entry, _OF) != text for _, entry in others))
    return next(asked, named[1])


def leaves_open(value: JsonValue) -> bool:
    """Returns whether a placeholder is left in a value of an entry, however deep."""
    match value:
        case str():
            return value in PLACEHOLDERS
        case dict():
            return any(map(leaves_open, value.values()))
        case list():
            return any(map(leaves_open, value))
        case _:
            return False


def _marked(seen: DecisionFile, entries: Entries, text: str) -> list[tuple[str, Entry]]:
    """Returns the entries that came from a suggestion, with their places. Two tables of one name in two
    schemas can be asked about in the same words.
    """
    own = chain.from_iterable(seen.entries_by_key.get(key, ()) for key in entries)
    return [(place, entry) for place, entry in own if note(entry, _OF) == text]


def _stands(seen: DecisionFile, key: str, entry: Entry) -> bool:
    return any(says(one) == says(entry) for _, one in seen.entries_by_key.get(key, ()))


def _standing(seen: DecisionFile, entries: Entries) -> str:
    """Returns in words how the file decides all of a suggestion without its being accepted; empty where it
    leaves a part of it open.
    """
    each = list(_each(entries))
    stand = [_stands(seen, key, entry) for key, entry in each]
    if all(stand):
        return "its entries stand in the file"
    otherwise = (stands or _is_decided(seen, *one) for stands, one in zip(stand, each, strict=True))
    return "the file decides it otherwise" if all(otherwise) else ""


def _is_decided(seen: DecisionFile, key: str, entry: Entry) -> bool:
    """Returns whether a person has decided what an entry is about: a column, or what a flow has once."""
    others = (one for _, one in seen.entries_by_key.get(key, ()) if not _is_undecided(one))
    subject = _subject(entry)
    return subject is not None and any(_subject(one) == subject for one in others)


def _subject(entry: Entry) -> tuple[str, JsonValue] | None:
    """Returns what an entry is about, if no other entry of its flow can be about the same."""
    if (name := _new_column(entry)) is not None:
        return "new_column", name
    if (name := _old_column(entry)) is not None:
        return "old_column", name
    action = entry.get("action")
    return ("action", action) if action in _ONCE else None


def with_taken(
    seen: DecisionFile, suggested: Suggested, entries: Entries, signed: Entry
) -> tuple[DecisionFile, tuple[str, ...]]:
    """Returns the file with the entries of a suggestion among its decisions, and their places. Nothing is
    written.

    A question about the same column, or one that a suggestion filled in, gives its place to the entry; what a
    person decided stays beside it.

    Args:
        seen: the file.
        suggested: one of its suggestions.
        entries: those of the suggestion, with what it leaves open filled in.
        signed: the fields that say who decided.

    Raises:
        UsageError: the file has no resolutions.
    """
    instead: dict[str, Entry] = {}
    more: dict[str, list[Entry]] = {}
    for key, entry in _each(entries):
        if _stands(seen, key, entry):
            continue
        place = next((one for one in _asking(seen, key, entry) if one not in instead), None)
        if place is not None:
            kept, before = _parted(seen.entries[place][1])
            instead[place] = sealed({**kept, **entry, **_marking(signed, suggested, {_BEFORE: before})})
        else:
            bare: Entry = {_BEFORE: []} if seen.is_bare(key) else {}
            more.setdefault(key, []).append(sealed({**entry, **_marking(signed, suggested, bare)}))
    changed = seen.with_entries(instead)
    places = list(instead)
    # A new key is put before the others.
    for key in reversed(more):
        for entry in more[key]:
            changed, place = changed.with_added(key, entry)
            places.append(place)
    return changed, tuple(places)


def _parted(entry: Entry) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Returns the fields that an answer leaves as they are, and the others."""
    kept = {name: value for name, value in entry.items() if name in KEPT}
    return kept, {name: value for name, value in entry.items() if name not in KEPT}


def _marking(signed: Entry, suggested: Suggested, before: Entry) -> Entry:
    decided = signed["_decided"]
    assert isinstance(decided, dict)
    return {**signed, "_decided": {**decided, _OF: suggested.text, **before}}


def _asking(seen: DecisionFile, key: str, entry: Entry) -> Iterator[str]:
    """Yields the places of entries about the same column or table that nobody has decided, those about the
    same new column first.
    """
    asking = [(place, one) for place, one in seen.entries_by_key.get(key, ()) if _is_undecided(one)]
    for about in (_new_column, _old_column, _of_table):
        subject = about(entry)
        yield from (place for place, one in asking if subject is not None and about(one) == subject)


def _is_undecided(entry: Entry) -> bool:
    """Returns whether an entry asks, or was filled in and nobody gave a reason for it."""
    filled_in = isinstance(entry.get("_suggestion"), str) and not entry.keys() & {"_decided", "because"}
    return filled_in or leaves_open(says(entry))


def _new_column(entry: Entry) -> str | None:
    value = entry.get("new_column")
    return value if isinstance(value, str) and value not in PLACEHOLDERS else None


def _old_column(entry: Entry) -> str | None:
    """Returns the old column of an entry that says of no new one."""
    value = entry.get("old_column")
    alone = entry.get("action") in ("ignore", "rename") or _new_column(entry) is None
    return value if isinstance(value, str) and alone else None


def _of_table(entry: Entry) -> str | None:
    """Returns what stands for a whole table: of another action a table can have several entries."""
    is_named = entry.keys() & {"old_column", "old_columns", "new_column"}
    about = ("rename_table", "drop_table", *PLACEHOLDERS)
    return "table" if not is_named and entry.get("action") in about else None


def without_taken(seen: DecisionFile, suggested: Suggested) -> DecisionFile:
    """Returns the file as it would be if nobody had taken a suggestion. Nothing is written.

    Raises:
        UsageError: an entry is gone.
    """
    changed = seen
    # From the last one on: what stands before it in its list keeps its place.
    for place, entry in reversed(_marked(seen, suggested.entries, suggested.text)):
        before = note(entry, _BEFORE)
        if isinstance(before, dict):
            kept = _parted(entry)[0]
            # In the order in which `resolve generate` writes.
            named = {"description": kept["description"]} if "description" in kept else {}
            changed = changed.with_entry(place, {**named, **before, **kept})
        else:
            changed = changed.without(place, keep_key=before is not None)
    return changed
