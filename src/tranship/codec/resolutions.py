"""Reads a resolutions file into nouns. Shapes and field names are checked here, their meaning in
``planning/deciding/resolve``.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from tranship.codec.entry_fields import COMMENTS, FIELDS, OF_A_PATTERN, EntryFields, plain_json
from tranship.codec.files import Document, child, read_jsonc
from tranship.codec.jsonc import JsonValue
from tranship.codec.kinds import other_kind
from tranship.errors.codes.configuration import (
    NoResolutionsFile,
    OtherInPlaceOfResolutions,
    ResolutionsNotAnObject,
)
from tranship.errors.codes.entries import Malformed, WrongShape
from tranship.model.resolution import ForAll, Resolution, ResolutionFile

_WRITTEN_ANEW = ("_instructions", "_examples", "_suggestions")
"""Keys of what `resolve generate` writes into every file for people."""
_HEAD = (
    "$schema",
    "resolutions",
    "for_all",
    "format_version",
    "tool_version",
    "old_fingerprint",
    "new_fingerprint",
)
_ARROWS = re.compile(r"->|→")


def read_resolutions(path: Path) -> ResolutionFile:
    """Returns a resolutions file. What is wrong with single entries is in its ``problems``, all of it at
    once.

    Raises:
        UsageError: the file cannot be read, is no JSON, names a key twice, or is no resolutions file at all.
    """
    return parse_resolutions(read_jsonc(path, "tranship resolve generate"))


def parse_resolutions(document: Document) -> ResolutionFile:
    """Returns the resolutions file of a document that is already read.

    Raises:
        UsageError: it is no resolutions file at all.
    """
    root = document.root
    other = other_kind(root, "a resolutions file")
    if other is not None:
        raise document.error("$", OtherInPlaceOfResolutions(*other))
    if not isinstance(root, dict) or "resolutions" not in root:
        raise document.error("$", NoResolutionsFile())
    tables = root["resolutions"]
    if not isinstance(tables, dict):
        raise document.error("$.resolutions", ResolutionsNotAnObject())
    reading = _Reading(document)
    reading.fields.known_only(root, "$", _HEAD)
    entries: tuple[Resolution, ...] = ()
    patterns: tuple[ForAll, ...] = ()
    # In the order of the file: it tells to which entry a comment belongs.
    for key in root:
        if key == "resolutions":
            entries = tuple(reading.tables(tables))
        elif key == "for_all":
            patterns = tuple(reading.patterns(root[key]))
    comments = {key: value for key, value in root.items() if key.startswith("_")}
    remarks = tuple((key, plain_json(value)) for key, value in comments.items() if key not in _WRITTEN_ANEW)
    return ResolutionFile(
        entries=entries,
        bare_keys=tuple(reading.bare_keys(tables)),
        for_all=patterns,
        old_fingerprint=_text(root.get("old_fingerprint")),
        new_fingerprint=_text(root.get("new_fingerprint")),
        problems=tuple(reading.fields.problems),
        misread=tuple(reading.misread),
        misread_for_all=tuple(reading.misread_for_all),
        remarks=(*remarks, *reading.loose_comments()),
    )


def _text(value: JsonValue | None) -> str:
    return value if isinstance(value, str) else ""


class _Reading:
    """One pass over one document. It gathers problems; an entry with a problem is left out."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.fields = EntryFields(document)
        self._commented_lines = [line for line, _ in document.comments]
        # Entries are read in the order of the file: what lies before belongs to an earlier entry or to none.
        self._next_comment = 0
        self._loose: list[str] = []
        self.misread: list[Resolution] = []
        self.misread_for_all: list[ForAll] = []

    def loose_comments(self) -> tuple[tuple[str, str], ...]:
        """Returns the comments that belong to no entry, as one pair of key and JSON; empty without any."""
        self._leave(len(self._commented_lines))
        return ((COMMENTS, json.dumps(self._loose, ensure_ascii=False)),) if self._loose else ()

    def _comments_of(self, first: int, path: str) -> list[str]:
        """Returns the comments from a line on to the end of an entry that no entry before it has."""
        self._leave(bisect_left(self._commented_lines, first))
        start = self._next_comment
        end = bisect_right(self._commented_lines, self._document.end(path), lo=start)
        self._next_comment = end
        return [text for _, text in self._document.comments[start:end]]

    def _leave(self, end: int) -> None:
        """Passes over the comments before a position: they belong to no entry."""
        self._loose += [text for _, text in self._document.comments[self._next_comment : end]]
        self._next_comment = max(self._next_comment, end)

    def tables(self, tables: Mapping[str, JsonValue]) -> Iterator[Resolution]:
        """Yields the entries under all table keys that have no problem."""
        for key, value in tables.items():
            if not key.startswith("_"):
                yield from self.table(key, value)

    def bare_keys(self, tables: Mapping[str, JsonValue]) -> Iterator[Resolution]:
        """Yields the keys whose list of entries is empty."""
        for key, value in tables.items():
            if value == [] and not key.startswith("_"):
                path = child("$.resolutions", key)
                yield Resolution(key, path, "", line=self._document.line(path))

    def table(self, key: str, value: JsonValue) -> Iterator[Resolution]:
        """Yields the entries under one table key that have no problem."""
        path = child("$.resolutions", key)
        if not isinstance(value, list):
            self.fields.problem(path, WrongShape("a list of entries"))
            return
        for number, entry in enumerate(value):
            before = len(self.fields.problems)
            comments = self._comments_of(self._document.line(path), child(path, number))
            made = self._entry(key, child(path, number), entry, comments)
            if made is None:
                continue
            if len(self.fields.problems) == before:
                yield made
            else:
                self.misread.append(made)

    def patterns(self, value: JsonValue | None) -> Iterator[ForAll]:
        """Yields the entries of ``for_all`` that have no problem."""
        if value is None:
            return
        if not isinstance(value, list):
            self.fields.problem("$.for_all", WrongShape("a list of entries"))
            return
        for number, entry in enumerate(value):
            before = len(self.fields.problems)
            path = child("$.for_all", number)
            comments = self._comments_of(self._document.line("$.for_all"), path)
            made = self._pattern(path, entry, comments)
            if made is None:
                continue
            if len(self.fields.problems) == before:
                yield made
            else:
                self.misread_for_all.append(replace(made, misread=True))

    def _pattern(self, path: str, entry: JsonValue, comments: list[str]) -> ForAll | None:
        if not isinstance(entry, dict):
            self.fields.problem(path, WrongShape("an object with tables, when and an action"))
            return None
        self.fields.known_only(entry, path, OF_A_PATTERN)
        tables, when = self.fields.name(entry, path, "tables"), self.fields.name(entry, path, "when")
        for field, text in (("tables", tables), ("when", when)):
            if not text:
                self.fields.problem(path, Malformed(repr(field)))
        types = tuple(" ".join(part.split()) for part in _ARROWS.split(when or ""))
        if when and (len(types) != 2 or not all(types)):
            wanted = "an old and a new type, such as 'timestamp -> timestamptz'"
            self.fields.problem(child(path, "when"), WrongShape(wanted))
            return None
        made = self.fields.resolution(when or "", path, entry, comments)
        return ForAll(made, tables or "", (types[0], types[-1]))

    def _entry(self, table: str, path: str, entry: JsonValue, comments: list[str]) -> Resolution | None:
        if not isinstance(entry, dict):
            self.fields.problem(path, WrongShape("an object with an action"))
            return None
        self.fields.known_only(entry, path, FIELDS)
        return self.fields.resolution(table, path, entry, comments)
