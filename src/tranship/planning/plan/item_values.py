"""When the values of items are computed: as the items are made, or where an expression reads them.

The planner pulls a subquery in FROM up, and the body of a function in SQL (PostgreSQL sources,
``src/backend/optimizer/README``), so that a value of such an item is computed, and may raise, where
``item.column`` stands. A function in C has computed all values when its first row is read.
"""

from __future__ import annotations

import re
from typing import Final

from tranship.planning.printed.may_raise import may_raise

_SUBQUERY: Final = re.compile(r"\b(?:select|values|table|with(?!\s+ordinality))\b", re.IGNORECASE)
_RAISING: Final = re.compile(
    r"~|\b(?:select|like|ilike|similar|table|with(?!\s+ordinality)|at)\b", re.IGNORECASE
)
_BRACKET: Final = re.compile(r"(?:([\w.]+)\s*)?\(|\)")
_LITERAL: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_AROUND: Final = frozenset({"", "from", "lateral"})
"""What stands before a bracket around functions: ``ROWS FROM (…)``."""
_MAKERS: Final = frozenset(
    f"{json}_{made}"
    for json in ("json", "jsonb")
    for made in ("array_elements", "array_elements_text", "each", "each_text", "object_keys", "to_recordset")
) | {
    *("generate_series", "regexp_matches", "regexp_split_to_table", "string_to_table", "unnest"),
    *("as", "item"),
}
"""Functions in C that make items, and what stands before the names of an item's columns."""
_IN_VALUES: Final = frozenset({"item", "values", "string_to_array"})


def made_late(source: str, order_by: str = "") -> bool:
    """Returns whether a value of an item, or its number, may raise where an expression reads it, although the
    item was made.

    ``source`` is what stands after ``CROSS JOIN LATERAL``. The answer errs on the safe side.
    """
    if order_by and (_RAISING.search(order_by) or may_raise(order_by)):
        return True
    if _SUBQUERY.search(source):
        return bool(_RAISING.search(source)) or may_raise(source, _IN_VALUES)
    return not _outermost(source) <= _MAKERS


def _outermost(source: str) -> set[str]:
    """Returns the functions of a FROM item that are no argument of another, as pg_catalog names them."""
    names, within = set[str](), list[bool]()
    for bracket in _BRACKET.finditer(_LITERAL.sub("x", source)):
        if bracket[0] == ")":
            del within[-1:]
            continue
        name = (bracket[1] or "").removeprefix("pg_catalog.").lower()
        if name not in _AROUND and True not in within:
            names.add(name)
        within.append(name not in _AROUND)
    return names
