"""The constants that a CHECK lists."""

from __future__ import annotations

import re

_LIST = re.compile(r"= ANY \(+(?:ARRAY)\[(.*?)\]")
_EQUALS = re.compile(r"\)?(?:::[a-z ]+)? = (?:'((?:[^']|'')*)'|(-?[0-9]+))")
# A name before a bracket is a call, unless it is a type with a length: varying(10), character(3),
# numeric(5,2).
_CALL = re.compile(r"(?<!varying)(?<!character)(?<!numeric)(?<=\w)\(")
_ELEMENT = re.compile(r"'((?:[^']|'')*)'(?:::|,|\s|$)|\(?(-?[0-9]+)\)?(?:,|$)")


def listed_values(expression: str) -> tuple[str, ...]:
    """Returns the constants that a printed CHECK allows, without repetitions; an empty tuple when it is no
    list.

    Two forms are read: ``x = ANY (ARRAY['a'::text, …])``, which is how an IN is printed, and
    ``(x = 'a') OR (x = 'b')``.
    """
    # A further condition, a negation or a call means that a listed constant may still be refused, or another
    # accepted.
    conditional = " AND " in expression or " NOT " in expression or "<>" in expression
    if conditional or _CALL.search(expression):
        return ()
    found = _constants(expression)
    return tuple(dict.fromkeys(text.replace("''", "'") or number for text, number in found))


def _constants(expression: str) -> list[tuple[str, str]]:
    """Returns (text, number) for each constant, one of the two empty; nothing when a comparison is not with
    one.
    """
    array = _LIST.search(expression)
    if array is not None:
        return _ELEMENT.findall(array[1])
    comparisons = expression.count(" = ")
    if " OR " not in expression and comparisons != 1:
        return []
    found = _EQUALS.findall(expression)
    return found if len(found) == comparisons else []
