"""What ``rows`` makes of an old row is called ``item``: whether a FROM item says so, and how it would.

The text is looked at from its end, where its alias stands; the server says whether the rest is right.
"""

from __future__ import annotations

import re

from tranship.planning.deciding.resolve.words import QUOTED

_NAME = r"""(?:"(?:[^"]|"")*"|[^\W\d][\w$]*)"""
_LAST_NAME = re.compile(rf"({_NAME})\s*$")
_AS = re.compile(r"\bAS\s*$", re.IGNORECASE)
_COUNTED = re.compile(r"\bWITH\s+ORDINALITY\s*(?:AS\s+)?\"?item\"?\s*(?:\(|$)", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\r\n]*|/\*.*?\*/", re.DOTALL)
ITEM = "item"


def is_named_item(source: str) -> bool:
    """Returns whether the result of a FROM item is called ``item``."""
    return _plain(_alias(_masked(source))[0]) == ITEM


def is_counted(source: str) -> bool:
    """Returns whether the last column of ``item`` numbers the items: WITH ORDINALITY."""
    return _COUNTED.search(_masked(source)) is not None


def named_item(source: str) -> str:
    """Returns the FROM item with its result called ``item``."""
    bare = _COMMENT.sub(" ", source).rstrip()
    name, start, end = _alias(_masked(bare))
    if name:
        return f"{bare[:start]}{ITEM}{bare[end:]}"
    function = _masked(bare).endswith(")") and _LAST_NAME.search(_before_brackets(_masked(bare)))
    return f"{bare} AS {ITEM}(value)" if function else f"{bare} AS {ITEM}"


def _masked(sql: str) -> str:
    """Returns a text of the same length in which what stands in quotes is blank, names apart."""
    return QUOTED.sub(lambda found: found[0] if found[0].startswith('"') else " " * len(found[0]), sql)


def _alias(masked: str) -> tuple[str, int, int]:
    """Returns the alias at the end of a FROM item, with its place; empty without one."""
    before = _before_brackets(masked) if masked.rstrip().endswith(")") else masked
    found = _LAST_NAME.search(before)
    if found is None:
        return "", 0, 0
    ahead = before[: found.start()].rstrip()
    # Without AS only a name behind brackets is an alias: others are those of functions and relations.
    after_call = ahead.endswith(")") and found[1].upper() != "ORDINALITY"
    words = ahead.rsplit(None, 1)[-1:] if ahead else []
    if _AS.search(ahead) or after_call or (words and words[0].upper() == "ORDINALITY"):
        return found[1], found.start(1), found.end(1)
    return "", 0, 0


def _before_brackets(masked: str) -> str:
    """Returns what stands before the brackets with which a text ends."""
    depth = 0
    for place in range(len(masked.rstrip()) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(masked[place], 0)
        if depth == 0:
            return masked[:place]
    return ""


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
