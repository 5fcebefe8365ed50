"""One spelling for what servers print in several ways without a difference in meaning."""

from __future__ import annotations

import re
from functools import lru_cache

_LITERAL = r"'(?:[^']|'')*'"
_VARCHARS = rf"{_LITERAL}::character varying(?:, {_LITERAL}::character varying)*"
# Strings and quoted names are an alternative of their own, before the keywords, so that no keyword is found
# inside them.
_PRINTED = re.compile(
    rf"(?:\(ARRAY\[(?P<inner>{_VARCHARS})\]\)|ARRAY\[(?P<bare>{_VARCHARS})\])::text\[\]"
    rf"|(?:\((?P<one>{_LITERAL})::character varying\)|(?P<plain>{_LITERAL})::character varying)"
    r"::text(?!\w|\[)"
    rf"|(?P<kept>{_LITERAL}|\"(?:[^\"]|\"\")*\")"
    r"|\b(?P<now>CURRENT_TIMESTAMP)\b(?!\()"
    r"|\b(?P<user>USER|CURRENT_ROLE)\b"
)


@lru_cache(maxsize=4096)
def one_spelling(text: str) -> str:
    """Returns a printed expression with one form for each of these; strings and quoted names stay as they
    are.

    - ``IN`` over varchar constants, which a server prints differently before a dump and after its restore;
    - the current moment (``now()``);
    - the current user (``CURRENT_USER``).
    """
    return _PRINTED.sub(_replacement, text)


def _replacement(match: re.Match[str]) -> str:
    items = match["inner"] or match["bare"]
    if items is not None:
        return "ARRAY[" + re.sub(rf"({_LITERAL})::character varying", r"\1::text", items) + "]"
    literal = match["one"] or match["plain"]
    if literal is not None:
        return f"{literal}::text"
    if match["now"] is not None:
        return "now()"
    return "CURRENT_USER" if match["user"] is not None else match["kept"]
