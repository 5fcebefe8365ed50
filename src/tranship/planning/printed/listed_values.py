"""The constants that a CHECK lists. Pure."""

from __future__ import annotations

import re

_LIST = re.compile(r"= ANY \(+(?:ARRAY)\[(.*?)\]")
_EQUALS = re.compile(r"\)?(?:::[a-z ]+)? = (?:'((?:[^']|'')*)'|(-?[0-9]+))")
_CALL = re.compile(r"(?<!varying)(?<!character)(?<!numeric)(?<=\w)\(")
_ELEMENT = re.compile(r"'((?:[^']|'')*)'(?:::|,|\s|$)|\(?(-?[0-9]+)\)?(?:,|$)")


def listed(expression: str) -> tuple[str, ...]:
    """The constants of ``x = ANY (ARRAY['a'::text, …])``, or of ``(x = 'a') OR (x = 'b')``, as ``pg_get_expr`` prints them."""
    if " AND " in expression or " NOT " in expression or "<>" in expression or _CALL.search(expression):
        return ()
    listed = _LIST.search(expression)
    if listed is not None:
        found = _ELEMENT.findall(listed[1])
    elif " OR " in expression or expression.count(" = ") == 1:
        found = _EQUALS.findall(expression)
        if len(found) != expression.count(" = "):
            return ()
    else:
        return ()
    return tuple(dict.fromkeys(text.replace("''", "'") or number for text, number in found))
