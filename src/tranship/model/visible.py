"""Text for people that says what it shows: no character moves the cursor, ends a line, hides itself or
changes the reading direction.

Values and names of a database may hold any of them (Unicode Standard Annex 9, "Bidirectional Algorithm";
Unicode Technical Report 36, "Security Considerations").
"""

from __future__ import annotations

import os
import re
import shlex

_LAYOUT = "\t\n"
"""What text of several lines needs: tab and line feed."""
# The general categories Cc, Cf, Cs, Zl and Zp, and the letters that are drawn as nothing (Default_Ignorable).
# Written out, because asking unicodedata for every character would cost 0.2 s of each command's start.
_RANGES = (
    "\\x7f-\\x9f\\xad\\u034f\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u115f\\u1160"
    "\\u17b4\\u17b5\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ud800-\\udfff"
    "\\ufeff\\uffa0\\ufff0-\\ufffb"
    "\\U000110bd\\U000110cd\\U00013430-\\U0001343f\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a"
    "\\U000e0000-\\U000e007f"
)
_UNSHOWN = re.compile(f"[\\x00-\\x1f{_RANGES}]")
_UNSHOWN_IN_LINES = re.compile(f"[\\x00-\\x08\\x0b-\\x1f{_RANGES}]")
_SQL_TOKEN = re.compile(
    r"""(?P<escaped>\b[eE]'(?:[^'\\]|\\.|'')*')|(?P<literal>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*")""",
    re.DOTALL,
)
_ESCAPED_CHARACTER = re.compile(r"\\?(.)", re.DOTALL)


def visible(text: str) -> str:
    """Returns a text on one line, with ``\\u000d`` and the like for the characters that are not shown."""
    return _UNSHOWN.sub(_by_number, text)


def printed(text: str) -> str:
    """Returns a text that may have several lines, with ``\\r`` and the like for the characters that are not
    shown.
    """
    return _UNSHOWN_IN_LINES.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def json_text(text: str) -> str:
    """Returns JSON with escapes for the characters that are not shown; it stands for the same value.

    JSON allows them in its strings, but readers of lines break at U+0085 and U+2028, and terminals obey them.
    """
    return _UNSHOWN_IN_LINES.sub(_as_utf16, text)


def pasteable(statement: str) -> str:
    """Returns a statement for a person to run: of the same meaning, with every name and literal visible.

    A name with such a character becomes ``U&"…"``. A literal with one, or with a backslash, becomes ``E'…'``,
    which any setting of ``standard_conforming_strings`` reads alike (PostgreSQL documentation, "String
    Constants with C-Style Escapes"). ``statement`` is quoted as with that setting on.
    """
    return _SQL_TOKEN.sub(_respelt, statement)


def shell_word(word: str) -> str:
    """Returns an argument as a POSIX shell reads it; ``$'…'`` with bytes where a character is not shown."""
    if not _UNSHOWN.search(word):
        return shlex.quote(word)
    shown = (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in os.fsencode(word))
    return "$'" + "".join({"'": "\\'", "\\": "\\\\"}.get(one, one) for one in shown) + "'"


def _by_number(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _as_utf16(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _respelt(token: re.Match[str]) -> str:
    text = token[0]
    unshown = _UNSHOWN.search(text) is not None
    match token.lastgroup:
        case "name" if unshown:
            inner = text[1:-1].replace("\\", "\\\\")
            return f'U&"{_UNSHOWN.sub(_in_name, inner)}"'
        case "literal" if unshown or "\\" in text:
            return "E'" + visible(text[1:-1].replace("\\", "\\\\")) + "'"
        case "escaped" if unshown:
            return "E'" + _ESCAPED_CHARACTER.sub(_within_escapes, text[2:-1]) + "'"
        case _:
            return text


def _in_name(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\{number:04x}" if number <= 0xFFFF else f"\\+{number:06x}"


def _within_escapes(match: re.Match[str]) -> str:
    # A backslash before such a character stands for the character itself.
    return visible(match[1]) if _UNSHOWN.match(match[1]) else match[0]
