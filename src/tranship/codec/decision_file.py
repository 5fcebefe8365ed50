"""A resolutions file that is answered entry by entry: one entry of the text is replaced, all else stays as it
is written, and nobody's answers are overwritten.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import msgspec

from tranship.codec.entry_fields import COMMENTS, plain_json
from tranship.codec.files import Document, child, parse_jsonc, read_text, write_text
from tranship.codec.jsonc import JsonValue
from tranship.codec.resolutions import parse_resolutions
from tranship.errors import UsageError
from tranship.errors.codes.usage import CannotWrite, ChangedMeanwhile, EntryGone
from tranship.model.resolution import ResolutionFile
from tranship.model.visible import json_text

Entry = Mapping[str, JsonValue]
_NAMED = 5
"""Changes of a file that are named."""
_SHOWN = 60
"""Characters of a changed value that are shown: five changes with two values each fit on one screen."""
_GAP = re.compile(r"(?:[ \t\r\n]++|//[^\n]*+)*+")
_COMMENT = re.compile(r"[ \t]*//[^\r\n]*")
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|//[^\n]*+|,')
"""What tells a comma between values, and a key, from those in texts and comments."""


class DecisionFile:
    """A resolutions file as it was read at one moment.

    Raises:
        UsageError: the text is no resolutions file.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.document: Document = parse_jsonc(path, text)
        self.file: ResolutionFile = parse_resolutions(self.document)
        self.version = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        """Changes with every change of the text."""

    @classmethod
    def read(cls, path: Path) -> DecisionFile:
        """Returns the file as it is now.

        Raises:
            UsageError: it cannot be read, or is no resolutions file.
        """
        return cls(path, _text(path))

    def now(self) -> DecisionFile:
        """Returns the file as it is now; this very state where nobody changed it.

        Raises:
            UsageError: as `read`.
        """
        text = _text(self.path)
        return self if text == self.text else DecisionFile(self.path, text)

    @cached_property
    def entries(self) -> dict[str, tuple[str, Entry]]:
        """By JSON path every entry with the key under which it stands, in the order of the file."""
        root = self.document.root
        assert isinstance(root, dict)
        return dict(_entries(root))

    @cached_property
    def entries_by_key(self) -> dict[str, list[tuple[str, Entry]]]:
        """The entries under each key, with their JSON paths: a file may have 60,000 of them."""
        found: dict[str, list[tuple[str, Entry]]] = {}
        for place, (key, entry) in self.entries.items():
            found.setdefault(key, []).append((place, entry))
        return found

    def with_entry(self, place: str, entry: Entry) -> DecisionFile:
        """Returns the file with another entry in one place; nothing is written.

        Raises:
            UsageError: there is no entry in that place.
        """
        return self.with_entries({place: entry})

    def with_entries(self, entries: Mapping[str, Entry]) -> DecisionFile:
        """Returns the file with other entries in some places.

        Raises:
            UsageError: there is no entry in one of these places.
        """
        for place in entries:
            if place not in self.entries:
                raise UsageError(EntryGone(self.path, place=place))
        text = self.text
        # From the last one on: what stands before a place does not move.
        for place in sorted(entries, key=self.document.span, reverse=True):
            first, end = self.document.span(place)
            lines = _pretty({**entries[place], **self._comments_in(place, entries[place])}).splitlines()
            text = text[:first] + ("\n" + self._indent(first)).join(lines) + text[end:]
        return DecisionFile(self.path, text)

    def with_added(self, key: str, entry: Entry) -> tuple[DecisionFile, str]:
        """Returns the file with one more entry under a key, which is made where it is missing, and the place
        of the entry. It stands behind the others of its key; nothing is written.

        Raises:
            UsageError: the file has no resolutions.
        """
        tables = self._tables()
        own, path, count = tables.get(key), child("$.resolutions", key), self._count(key)
        pretty = _pretty(entry)
        if count:
            first, at = self.document.span(child(path, count - 1))
            added = "\n" + self._indent(first) + pretty.replace("\n", "\n" + self._indent(first))
            return self._with_text(at, ",", added), child(path, count)
        if isinstance(own, list):
            at, added = self.document.span(path)[0] + 1, pretty
        else:
            at = self.document.span("$.resolutions")[0] + 1
            listed = f"{json_text(json.dumps(key, ensure_ascii=False))}: [\n{_indented(pretty, 6)}\n    ]"
            added = f"\n    {listed}" + ("," if tables else "\n  ")
        return self._with_text(at, "", added), child(path, count)

    def _with_text(self, at: int, there: str, added: str) -> DecisionFile:
        """Returns the file with a text in one place and another one behind the comment of that line."""
        comment = _COMMENT.match(self.text, at) if added[:1] == "\n" else None
        behind = comment.end() if comment is not None else at
        changed = self.text[:at] + there + self.text[at:behind] + added + self.text[behind:]
        return DecisionFile(self.path, changed)

    def _tables(self) -> dict[str, JsonValue]:
        root = self.document.root
        tables = root.get("resolutions") if isinstance(root, dict) else None
        if not isinstance(tables, dict):
            raise UsageError(EntryGone(self.path, place="$.resolutions"))
        return tables

    def _count(self, key: str) -> int:
        own = self._tables().get(key)
        return len(own) if isinstance(own, list) else 0

    def is_bare(self, key: str) -> bool:
        """Returns whether a key stands in the file without an entry, which can make a flow."""
        return self._tables().get(key) == []

    def without(self, place: str, *, keep_key: bool = False) -> DecisionFile:
        """Returns the file without one entry; nothing is written. Comments beside the entry stay.

        A key without an entry can make a flow, so it goes with its last one, unless ``keep_key``.

        Raises:
            UsageError: there is no entry in that place.
        """
        if place not in self.entries:
            raise UsageError(EntryGone(self.path, place=place))
        listed = place.rpartition("[")[0]
        first, end = self.document.span(place)
        if keep_key or listed == "$.for_all" or self._count(self.entries[place][0]) > 1:
            return self._cut(self.document.span(listed)[0] + 1, (first, end), "")
        start, closed = self.document.span(listed)
        begin = self.document.span("$.resolutions")[0] + 1
        # The name of the key is the last text before its list.
        keys = [one.start() for one in _TOKEN.finditer(self.text, begin, start) if one[0][0] == '"']
        beside = self.text[start + 1 : first] + self.text[end : closed - 1]
        return self._cut(begin, (keys[-1], closed), beside if "//" in beside else "")

    def _cut(self, begin: int, part: tuple[int, int], left: str) -> DecisionFile:
        """Returns the file without one value of a list or an object and the comma that parts it from others.

        Args:
            begin: where the first value of the list or the object can begin.
            part: where the value, with its key, begins and where the text behind it begins.
            left: what stays in its place.
        """
        first, end = part
        gap = _GAP.match(self.text, end)
        comma = gap.end() if gap is not None else end
        before, after = self.text[:first], self.text[end:]
        commas = [one.start() for one in _TOKEN.finditer(self.text, begin, first) if one[0] == ","]
        if self.text[comma : comma + 1] == ",":
            after = self.text[end:comma] + self.text[comma + 1 :]
        elif commas:
            between = self.text[commas[-1] + 1 : first]
            before = self.text[: commas[-1]] + (between if between.strip() else "")
        # A line of its own goes as a whole; else what follows could end up behind a comment.
        if not left and after.lstrip(" \t\r")[:1] == "\n" and before.rstrip(" \t")[-1:] == "\n":
            before = before.rstrip(" \t").removesuffix("\n").removesuffix("\r")
        return DecisionFile(self.path, before + left + after)

    def _indent(self, at: int) -> str:
        """Returns the blanks that stand before a place on its line, or as many."""
        return " " * (at - self.text.rfind("\n", 0, at) - 1)

    def _comments_in(self, place: str, entry: Entry) -> Entry:
        """Returns the ``//`` comments inside of an entry under their key. Others stay where they are."""
        first, last = self.document.line(place), self.document.end(place)
        inside: list[JsonValue] = [text for line, text in self.document.comments if first <= line < last]
        earlier = entry.get(COMMENTS)
        known = earlier if isinstance(earlier, list) else []
        return {COMMENTS: [*known, *inside]} if inside else {}

    def save(self, place: str, entry: Entry) -> DecisionFile:
        """Writes the file with another entry in one place, and returns it as it is then.

        Raises:
            UsageError: as `replace`.
        """
        return self.replace(self.with_entry(place, entry))

    def replace(self, changed: DecisionFile) -> DecisionFile:
        """Writes a changed state of this file in its place, and returns it.

        Raises:
            UsageError: somebody changed the file since it was read (:class:`ChangedMeanwhile`), or it cannot
                be written.
        """
        with _alone(self.path):
            now = self.now()
            if now is not self:
                raise UsageError(changed_meanwhile(self, now))
            write_text(self.path, changed.text)
        return changed


def _text(path: Path) -> str:
    return read_text(path, "tranship resolve generate")


def _entries(root: dict[str, JsonValue]) -> Iterator[tuple[str, tuple[str, Entry]]]:
    tables, patterns = root.get("resolutions"), root.get("for_all")
    listed = [("for_all", "$.for_all", patterns)]
    if isinstance(tables, dict):
        listed += [(key, child("$.resolutions", key), own) for key, own in tables.items() if key[:1] != "_"]
    for key, path, entries in listed:
        if isinstance(entries, list):
            for number, entry in enumerate(entries):
                if isinstance(entry, dict):
                    yield child(path, number), (key, entry)


def _pretty(entry: Entry) -> str:
    return json_text(msgspec.json.format(plain_json(dict(entry)).encode(), indent=2).decode())


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.splitlines())


def changed_meanwhile(before: DecisionFile, now: DecisionFile) -> ChangedMeanwhile:
    """Returns what to say to somebody who saw an earlier state of a file."""
    changed = list(_differences(before, now))
    more = len(changed) - _NAMED
    rest = f"; and {more} more" if more > 0 else ""
    return ChangedMeanwhile(now.path, "; ".join(changed[:_NAMED]) + rest)


def _differences(before: DecisionFile, now: DecisionFile) -> Iterator[str]:
    """Yields what changed between two states of a file, an entry each; what is no entry in one line."""
    there, here = before.entries, now.entries
    for place in (*there, *(place for place in here if place not in there)):
        old, new = there.get(place), here.get(place)
        if old != new:
            yield f"{place}: {_became(old, new)}"
    if there == here:
        yield "its comments or its layout"


def _became(old: tuple[str, Entry] | None, new: tuple[str, Entry] | None) -> str:
    """Returns what became of an entry: its action, or where that is the same the fields that changed."""
    if old is None or new is None or old[1].get("action") != new[1].get("action"):
        return f"{_action(old)} became {_action(new)}"
    before, after = old[1], new[1]
    names = dict.fromkeys(name for name in (*before, *after) if name[:1] != "_")
    fields = [
        f"{name} {_value(before, name)} became {_value(after, name)}"
        for name in names
        if (name in before, before.get(name)) != (name in after, after.get(name))
    ]
    # Who answers in a terminal or the studio signs anew.
    signed = after.get("_decided")
    by_hand = ", changed by hand" if fields and signed and before.get("_decided") == signed else ""
    return f"{_action(new)}{by_hand}: {', '.join(fields) or 'what is noted beside it'}"


def _value(entry: Entry, name: str) -> str:
    """Returns a field as JSON, a long one with its begin alone."""
    if name not in entry:
        return "(nothing)"
    text = plain_json(entry[name])
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _action(entry: tuple[str, Entry] | None) -> str:
    if entry is None:
        return "nothing"
    action = entry[1].get("action")
    decided = entry[1].get("_decided")
    by = decided.get("by") if isinstance(decided, dict) else None
    return json.dumps(action, ensure_ascii=False) + (f" by {by}" if isinstance(by, str) else "")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keeps other processes that save the same file out for the block. It locks the folder, so that nothing
    is left behind and the file itself can be replaced.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise UsageError(CannotWrite(path, error.strerror or str(error))) from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
