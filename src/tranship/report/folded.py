"""Long lines of text, broken between words, so that a terminal does not break them within one."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from typing import Final, TextIO

WIDEST: Final = 140
"""Columns to which a report's own sentences are folded in its file, and on wider terminals."""
_NARROWEST: Final = 20
"""Columns below which folding leaves one word a line; such a terminal breaks lines as it likes."""
_HANGING: Final = 2
"""Columns by which the rest of a line stands further in than its beginning."""

COMMANDS: Final = (
    "analyze|completion|demo|doctor|explain|init|migrate|ping|preview|purge|report|resolve|rollback|schema"
    "|status|studio|verify"
)
"""The commands as an alternative of an expression."""
_INVOKED = rf"(?:PYTHONPATH=\S+ )?(?:(?:python3? -m )?tranship (?:{COMMANDS})\b|python3? \S+\.py\b)"
# A command is one word to the end of its line, since a person copies it into a shell, where a line feed would
# end it. So is what double quotes hold, which may be a name in a statement of SQL.
_WORD = re.compile(rf'{_INVOKED}.*|(?:"[^"]*"|[^\s"]|")+', re.DOTALL)


def folded(text: str, width: int) -> str:
    """Returns text whose lines are at most ``width`` columns wide, where words and commands allow it. What
    follows the first part of a line stands further in than its beginning.
    """
    if width < _NARROWEST:
        return text
    return "\n".join(part for line in text.split("\n") for part in _parts(line, width))


def fitting(stream: TextIO, text: str) -> str:
    """Returns text for a stream: folded to the width of a terminal, and as it is where none is there."""
    width = terminal_width(stream)
    return text if width is None else folded(text, width)


def terminal_width(stream: TextIO) -> int | None:
    """Returns the columns of the terminal that a stream writes to; None: it writes to none."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except OSError:
        # What calls itself a terminal need not be one, as in a notebook.
        return None


def _parts(line: str, width: int) -> Iterator[str]:
    if columns(line) <= width:
        yield line
        return
    inner = len(line) - len(line.lstrip(" "))
    hanging = " " * min(inner + _HANGING, width // 2)
    part, end = "", 0
    for word in _WORD.finditer(line):
        # The blanks before a word belong to it: columns of a table stay apart.
        longer = part + line[end : word.start()] + word[0]
        if part.strip() and columns(longer) > width:
            yield part
            part = hanging + word[0]
        else:
            part = longer
        end = word.end()
    yield part + line[end:]


def columns(text: str) -> int:
    """Returns how many columns of a terminal a line of text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
