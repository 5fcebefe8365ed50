"""Expressions of an index that may raise for a row: it is refused then, although no constraint says so. Pure, on the safe side."""

from __future__ import annotations

import re
from typing import Final

_TOTAL: Final = frozenset(
    {
        "lower",
        "upper",
        "btrim",
        "ltrim",
        "rtrim",
        "coalesce",
        "nullif",
        "length",
        "char_length",
        "octet_length",
        "md5",
        "left",
        "right",
        "concat",
    }
    | {
        "replace",
        "reverse",
        "starts_with",
        "to_tsvector",
        "any",
        "all",
        "and",
        "or",
        "not",
        "in",
        "is",
        "when",
        "then",
        "else",
        "case",
        "array",
    }
)
"""Functions that take every value of their types (a text of a megabyte, too long for a tsvector, apart), and words that a bracket may follow."""
_LITERAL: Final = re.compile(r"E?'(?:[^']|'')*'(?:::[\w .]+(?:\[\])?)?|\"(?:[^\"]|\"\")+\"")
"""A literal with its cast, which was folded or tried when the index was made, or a quoted name."""
_CALL: Final = re.compile(r"([\w.]+)\s*\(")
_CAST: Final = re.compile(r"::(?!(?:text|character varying)\b(?!\())|\bCAST\(")
_HARMLESS: Final = re.compile(r"->>?|#>>?|@>|<@|\|\||<>|[<>]=?|!?~~?\*?")
_ARITHMETIC: Final = re.compile(r"[-+*/%^&#@|!]|\bOPERATOR\(")


def may_raise(expression: str) -> bool:
    """False where every part is known to take every value: names, literals, comparisons, and functions that are total."""
    bare = _LITERAL.sub(" x ", expression)
    called = {name.removeprefix("pg_catalog.").lower() for name in _CALL.findall(bare)}
    return bool(called - _TOTAL or _CAST.search(bare) or _ARITHMETIC.search(_HARMLESS.sub(" ", bare)))
