"""Reads a resolutions file into nouns. Shapes and field names are checked here, their meaning in
``planning/deciding/resolve``.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import UNSET, Struct, UnsetType

from tranship.codec.files import Document, child, read_jsonc
from tranship.codec.jsonc import JsonValue, Number
from tranship.errors.codes.configuration import NoResolutionsFile, ResolutionsNotAnObject
from tranship.errors.codes.entries import Malformed, NoScalar, UnknownField, WrongShape
from tranship.errors.message import Message
from tranship.model.resolution import ForAll, JsonText, LookupTable, Problem, Resolution, ResolutionFile
from tranship.model.text import nearest

INSTRUCTIONS, COMMENTS = "_instructions", "_comments"
"""Keys of a resolutions file: the instructions that `resolve generate` writes, and the ``//`` comments, which
it keeps under a key when it writes the file again."""
_HEAD = ("resolutions", "for_all", "format_version", "tool_version", "old_fingerprint", "new_fingerprint")
_NAMES = (
    "action",
    "old_column",
    "new_column",
    "transform_sql",
    "new_table",
    "new_schema",
    "description",
    "because",
)
_VALUES = ("default_value", "null_value")
_FIELDS = (*_NAMES, *_VALUES, "old_columns", "value_mapping", "lookup_table")
_OF_A_PATTERN = (
    *("tables", "when", "action", "value_mapping", "lookup_table", "transform_sql"),
    *("default_value", "null_value", "description", "because"),
)
"""The fields of an entry of ``for_all``: it names no columns, because it is about all of two types."""
_ARROWS = re.compile(r"->|→")
_LOOKUP = ("table", "key_column", "key_columns", "value_column", "schema", "database")


def read_resolutions(path: Path) -> ResolutionFile:
    """Returns a resolutions file. What is wrong with single entries is in its ``problems``, all of it at
    once.

    Raises:
        UsageError: the file cannot be read, is no JSON, names a key twice, or is no resolutions file at all.
    """
    return parse_resolutions(read_jsonc(path))


def parse_resolutions(document: Document) -> ResolutionFile:
    """Returns the resolutions file of a document that is already read.

    Raises:
        UsageError: it is no resolutions file at all.
    """
    root = document.root
    if not isinstance(root, dict) or "resolutions" not in root:
        raise document.error("$", NoResolutionsFile())
    tables = root["resolutions"]
    if not isinstance(tables, dict):
        raise document.error("$.resolutions", ResolutionsNotAnObject())
    reading = _Reading(document)
    reading.known_only(root, "$", _HEAD)
    entries: tuple[Resolution, ...] = ()
    patterns: tuple[ForAll, ...] = ()
    # In the order of the file: it tells to which entry a comment belongs.
    for key in root:
        if key == "resolutions":
            entries = tuple(reading.tables(tables))
        elif key == "for_all":
            patterns = tuple(reading.patterns(root[key]))
    remarks = tuple(
        (key, plain_json(value)) for key, value in root.items() if key.startswith("_") and key != INSTRUCTIONS
    )
    return ResolutionFile(
        entries=entries,
        for_all=patterns,
        old_fingerprint=_text(root.get("old_fingerprint")),
        new_fingerprint=_text(root.get("new_fingerprint")),
        problems=tuple(reading.problems),
        remarks=(*remarks, *reading.loose_comments()),
    )


def plain_json(value: JsonValue) -> str:
    """Returns a value as JSON text on one line, with the digits of its numbers as they were written."""
    match value:
        case Number(text=text):
            return text
        case dict():
            members = (
                f"{json.dumps(key, ensure_ascii=False)}: {plain_json(member)}"
                for key, member in value.items()
            )
            return "{" + ", ".join(members) + "}"
        case list():
            return "[" + ", ".join(plain_json(member) for member in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _text(value: JsonValue | None) -> str:
    return value if isinstance(value, str) else ""


def _with_comments(entry: dict[str, JsonValue], comments: list[str]) -> dict[str, JsonValue]:
    """Returns the entry with its comments under a key, so that they are kept when the file is written
    again.
    """
    earlier = entry.get(COMMENTS)
    known: list[JsonValue] = earlier if isinstance(earlier, list) else [] if earlier is None else [earlier]
    return {**entry, COMMENTS: [*known, *comments]} if comments else entry


class _Scalar(Struct, frozen=True):
    text: JsonText | None


class _Reading:
    """One pass over one document. It gathers problems; an entry with a problem is left out."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.problems: list[Problem] = []
        self._commented_lines = [line for line, _ in document.comments]
        # Entries are read in the order of the file: what lies before belongs to an earlier entry or to none.
        self._next_comment = 0
        self._loose: list[str] = []

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

    def table(self, key: str, value: JsonValue) -> Iterator[Resolution]:
        """Yields the entries under one table key that have no problem."""
        path = child("$.resolutions", key)
        if not isinstance(value, list):
            self._problem(path, WrongShape("a list of entries"))
            return
        for number, entry in enumerate(value):
            before = len(self.problems)
            comments = self._comments_of(self._document.line(path), child(path, number))
            made = self._entry(key, child(path, number), entry, comments)
            if made is not None and len(self.problems) == before:
                yield made

    def patterns(self, value: JsonValue | None) -> Iterator[ForAll]:
        """Yields the entries of ``for_all`` that have no problem."""
        if value is None:
            return
        if not isinstance(value, list):
            self._problem("$.for_all", WrongShape("a list of entries"))
            return
        for number, entry in enumerate(value):
            before = len(self.problems)
            path = child("$.for_all", number)
            comments = self._comments_of(self._document.line("$.for_all"), path)
            made = self._pattern(path, entry, comments)
            if made is not None and len(self.problems) == before:
                yield made

    def _pattern(self, path: str, entry: JsonValue, comments: list[str]) -> ForAll | None:
        if not isinstance(entry, dict):
            self._problem(path, WrongShape("an object with tables, when and an action"))
            return None
        self.known_only(entry, path, _OF_A_PATTERN)
        tables, when = self._name(entry, path, "tables"), self._name(entry, path, "when")
        for field, text in (("tables", tables), ("when", when)):
            if not text:
                self._problem(path, Malformed(repr(field)))
        types = tuple(" ".join(part.split()) for part in _ARROWS.split(when or ""))
        if when and (len(types) != 2 or not all(types)):
            wanted = "an old and a new type, such as 'timestamp -> timestamptz'"
            self._problem(child(path, "when"), WrongShape(wanted))
            return None
        made = self._fields(when or "", path, entry, comments)
        return ForAll(made, tables or "", (types[0], types[-1]))

    def known_only(self, value: Mapping[str, JsonValue], path: str, known: tuple[str, ...]) -> None:
        """Adds a problem for every key that is neither known nor a comment."""
        for key in value:
            if key not in known and not key.startswith("_"):
                near = nearest(key, known)
                hint = f"did you mean {near!r}?" if near else f"known: {', '.join(known)}"
                self._problem(child(path, key), UnknownField(key, hint))

    def _entry(self, table: str, path: str, entry: JsonValue, comments: list[str]) -> Resolution | None:
        if not isinstance(entry, dict):
            self._problem(path, WrongShape("an object with an action"))
            return None
        self.known_only(entry, path, _FIELDS)
        return self._fields(table, path, entry, comments)

    def _fields(self, table: str, path: str, entry: dict[str, JsonValue], comments: list[str]) -> Resolution:
        names = {field: self._name(entry, path, field) for field in _NAMES}
        return Resolution(
            table=table,
            path=path,
            line=self._document.line(path),
            source=plain_json(_with_comments(entry, comments)),
            action=names["action"] or "",
            old_column=names["old_column"],
            old_columns=self._list(entry, path, "old_columns"),
            new_column=names["new_column"],
            value_mapping=self._mapping(entry, path),
            lookup_table=self._lookup(entry, path),
            transform_sql=names["transform_sql"],
            default_value=self._value(entry, path, "default_value"),
            null_value=self._value(entry, path, "null_value"),
            new_table=names["new_table"],
            new_schema=names["new_schema"],
            description=names["description"] or "",
            because=names["because"] or "",
        )

    def _problem(self, path: str, what: Message) -> None:
        self.problems.append(what.problem(f"{path}, line {self._document.line(path)}"))

    def _name(self, entry: Mapping[str, JsonValue], path: str, field: str) -> str | None:
        value = entry.get(field)
        if value is None or isinstance(value, str):
            return value
        self._problem(child(path, field), WrongShape("a text"))
        return None

    def _list(self, entry: Mapping[str, JsonValue], path: str, field: str) -> tuple[str, ...]:
        value = entry.get(field)
        if value is None:
            return ()
        if isinstance(value, list) and value and all(isinstance(member, str) for member in value):
            return tuple(str(member) for member in value)
        self._problem(child(path, field), WrongShape("a list of texts that is not empty"))
        return ()

    def _scalar(self, value: JsonValue, path: str) -> _Scalar | None:
        match value:
            case None | str():
                return _Scalar(value)
            # Before numbers: in JSON true is no number, and servers read the word.
            case bool():
                return _Scalar("true" if value else "false")
            case Number(text=text):
                return _Scalar(text)
            case _:
                self._problem(path, NoScalar())
                return None

    def _value(self, entry: Mapping[str, JsonValue], path: str, field: str) -> JsonText | UnsetType | None:
        if field not in entry:
            return UNSET
        scalar = self._scalar(entry[field], child(path, field))
        return scalar.text if scalar is not None else UNSET

    def _mapping(
        self, entry: Mapping[str, JsonValue], path: str
    ) -> tuple[tuple[str, JsonText | None], ...] | None:
        value = entry.get("value_mapping")
        if value is None:
            return None
        inside = child(path, "value_mapping")
        if not isinstance(value, dict):
            self._problem(inside, WrongShape("an object: old value to new value"))
            return None
        scalars = [(key, self._scalar(result, child(inside, key))) for key, result in value.items()]
        return tuple((key, scalar.text) for key, scalar in scalars if scalar is not None)

    def _lookup(self, entry: Mapping[str, JsonValue], path: str) -> LookupTable | None:
        value = entry.get("lookup_table")
        if value is None:
            return None
        inside = child(path, "lookup_table")
        if not isinstance(value, dict):
            self._problem(inside, WrongShape(f"an object with {', '.join(_LOOKUP)}"))
            return None
        self.known_only(value, inside, _LOOKUP)
        for field in ("table", "value_column"):
            if value.get(field) is None:
                self._problem(inside, Malformed(repr(field)))
        if value.get("key_column") is None and value.get("key_columns") is None:
            self._problem(inside, Malformed("'key_column' or 'key_columns'"))
        database = self._name(value, inside, "database") or "new"
        if database not in ("new", "old"):
            self._problem(child(inside, "database"), WrongShape(f'"new" or "old", not {database!r}'))
        return LookupTable(
            table=self._name(value, inside, "table") or "",
            value_column=self._name(value, inside, "value_column") or "",
            key_column=self._name(value, inside, "key_column"),
            key_columns=self._list(value, inside, "key_columns"),
            schema=self._name(value, inside, "schema"),
            database="old" if database == "old" else "new",
        )
