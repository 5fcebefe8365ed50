"""A JSON reader for files that people write: it takes ``//`` comments, keeps the digits of numbers, refuses a
key that stands twice in an object, and knows the line of every value. It reads RFC 8259 otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from msgspec import Struct


class Number(Struct, frozen=True):
    """A JSON number as it is written: a float in between would round it."""

    text: str

    @property
    def integer(self) -> int | None:
        """Its value where it is written as a whole number, else None."""
        return int(self.text) if re.fullmatch(r"-?[0-9]{1,100}", self.text) else None


JsonValue = None | bool | str | Number | list["JsonValue"] | dict[str, "JsonValue"]


class Located(Struct, frozen=True):
    """The value of a text, and where its parts stand. Lines count from 1."""

    root: JsonValue
    lines: dict[str, int]
    """The line of every value, by its JSON path."""
    ends: dict[str, int] = {}
    """The line of every object's closing bracket."""
    spans: dict[str, tuple[int, int]] = {}
    """Where every object and list begins, and where the text behind it begins, in characters from 0."""
    comments: tuple[tuple[int, str], ...] = ()
    """Every ``//`` comment with its line, in their order."""


class SyntaxProblem(Exception):
    """The text is no JSON; ``line`` counts from 1."""

    def __init__(self, line: int, message: str, *, hint: str = "", duplicate: bool = False) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.hint = hint
        self.duplicate = duplicate


# One match takes white space and comments together: a loop in Python would cost most of the time of a large
# file.
_GAP = re.compile(r"(?:[ \t\r\n]++|//[^\n]*+)*+")
# Possessive repetition keeps no way back: a text of a million escapes would else take 100 bytes for each.
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_SURROGATE = re.compile("[\ud800-\udfff]")
# What follows a number must not continue it: 1.2.3 and 0x10 are no numbers.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z_.])")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEPTH = 100
"""Nested arrays and objects, at most: the reader calls itself, and Python's stack holds 1,000 calls."""
_LOCATED_DEPTH = 8
"""Values nested deeper have the line of their parent at this depth.

The files have 6 levels. Each path repeats those of all its parents, so the paths of a wide array
100 levels down would take gigabytes.
"""
MOST_VALUES = 2_000_000
"""Values of one file, at most; they take about 0.5 GB. A file of 60,000 entries has a sixth of them."""


def parse(text: str, child: Callable[[str, str | int], str]) -> Located:
    """Returns the value of a whole text with its lines. ``child`` makes the JSON path of a member from that
    of its parent.

    Raises:
        SyntaxProblem: at the first place that is no JSON, or at a key that stands twice in one object.
    """
    return _Reader(text, child).read()


class _Reader:
    def __init__(self, text: str, child: Callable[[str, str | int], str]) -> None:
        self._text = text
        self._child = child
        self._at = 0
        self._line = 1
        self._counted = 0
        self._values = 0
        self._lines: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._spans: dict[str, tuple[int, int]] = {}
        self._comments: list[tuple[int, str]] = []

    def read(self) -> Located:
        self._skip()
        root = self._value("$", 0)
        self._skip()
        if self._at < len(self._text):
            raise self._problem("more text after the end of the JSON value")
        return Located(root, self._lines, self._ends, self._spans, tuple(self._comments))

    def _line_here(self) -> int:
        # Counted on from the last place: counting from the beginning for every value would be quadratic.
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _problem(self, message: str, *, hint: str = "", duplicate: bool = False) -> SyntaxProblem:
        if self._at >= len(self._text):
            message, hint = "the file ends in the middle: it is truncated or a bracket is not closed", ""
        return SyntaxProblem(
            self._line_here(),
            f"not JSON: {message}" if not duplicate else message,
            hint=hint,
            duplicate=duplicate,
        )

    def _skip(self) -> None:
        match = _GAP.match(self._text, self._at)
        assert match is not None
        if "//" in match.group():
            first = self._line_here()
            self._comments += [
                (first + n, line.split("//", 1)[1].strip())
                for n, line in enumerate(match.group().split("\n"))
                if "//" in line
            ]
        self._at = match.end()

    def _path(self, parent: str, key: str | int, depth: int) -> str:
        return self._child(parent, key) if depth < _LOCATED_DEPTH else parent

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _value(self, path: str, depth: int) -> JsonValue:
        self._values += 1
        if depth <= _LOCATED_DEPTH:
            self._lines[path] = self._line_here()
        if depth > _DEPTH:
            raise self._problem(f"nested deeper than {_DEPTH} levels")
        if self._values > MOST_VALUES:
            raise self._problem(f"more than {MOST_VALUES} values")
        match self._peek():
            case "{":
                return self._object(path, depth)
            case "[":
                return self._array(path, depth)
            case '"':
                return self._string()
            case _:
                return self._scalar()

    def _scalar(self) -> JsonValue:
        number = _NUMBER.match(self._text, self._at)
        if number is not None:
            self._at = number.end()
            return Number(number.group())
        word = _WORD.match(self._text, self._at)
        if word is not None and word.group() in _WORDS:
            self._at = word.end()
            return _WORDS[word.group()]
        if word is not None:
            raise self._problem("a word without quotes", hint='texts stand in "double quotes"')
        if self._peek() == "'":
            raise self._problem("single quotes", hint='texts stand in "double quotes"')
        if self._peek() in ("}", "]", ","):
            raise self._problem(
                f"a value is missing before {self._peek()}", hint="no comma after the last entry"
            )
        raise self._problem("a value is expected here")

    def _string(self) -> str:
        match = _STRING.match(self._text, self._at)
        if match is None:
            end = self._text.find("\n", self._at)
            rest = self._text[self._at + 1 : end if end >= 0 else None]
            closed = '"' in rest
            if end < 0 and not closed:
                self._at = len(self._text)
            what = (
                "a text with a control character or a wrong \\ escape"
                if closed
                else "a text is not closed on its line"
            )
            raise self._problem(what, hint="write \\\\ for a backslash" if "\\" in rest else "")
        value = match.group()[1:-1]
        if "\\" in value:
            value = json.loads(match.group())
            assert isinstance(value, str)
        # An escape can be half a surrogate pair, which no server and no UTF-8 file can hold.
        if not value.isascii() and _SURROGATE.search(value):
            raise self._problem("half of a surrogate pair in a text")
        self._at = match.end()
        return value

    def _object(self, path: str, depth: int) -> dict[str, JsonValue]:
        made: dict[str, JsonValue] = {}
        begin = self._at
        self._at += 1
        self._skip()
        while self._peek() != "}":
            if self._peek() != '"':
                raise self._problem(
                    'a key in "double quotes" is expected here',
                    hint="no comma after the last entry" if made else "",
                )
            start = self._at
            key = self._string()
            # Comments may repeat their key.
            if key in made and not key.startswith("_"):
                self._at = start
                raise self._problem(
                    f"the key {json.dumps(key, ensure_ascii=False)} stands twice in {path}", duplicate=True
                )
            self._expect(":", "after a key")
            made[key] = self._value(self._path(path, key, depth), depth + 1)
            self._skip()
            if self._peek() == "}":
                break
            self._comma("}")
        if depth <= _LOCATED_DEPTH:
            self._ends[path] = self._line_here()
            self._spans[path] = begin, self._at + 1
        self._at += 1
        return made

    def _array(self, path: str, depth: int) -> list[JsonValue]:
        made: list[JsonValue] = []
        begin = self._at
        self._at += 1
        self._skip()
        while self._peek() != "]":
            made.append(self._value(self._path(path, len(made), depth), depth + 1))
            self._skip()
            if self._peek() == "]":
                break
            self._comma("]")
        if depth <= _LOCATED_DEPTH:
            self._spans[path] = begin, self._at + 1
        self._at += 1
        return made

    def _expect(self, sign: str, where: str) -> None:
        self._skip()
        if self._peek() != sign:
            name = {",": "a comma", ":": "a colon"}[sign]
            raise self._problem(f"{name} is missing {where}")
        self._at += 1
        self._skip()

    def _comma(self, end: str) -> None:
        self._skip()
        at = self._at
        self._expect(",", "between two entries")
        if self._peek() == end:
            # The comma is what is wrong, and may be lines above.
            self._at = at
            raise self._problem("a comma after the last entry", hint="take the comma away")
