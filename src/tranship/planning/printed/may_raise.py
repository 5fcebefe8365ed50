"""Index expressions that may raise an error for a row.

Such a row is refused although no constraint refuses it. The answer errs on the safe side: an unknown function
may raise.
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Final

_TOTAL: Final = frozenset(
    {
        "lower",
        "upper",
        "btrim",
        "ltrim",
        "rtrim",
        "trim",
        "initcap",
        "concat_ws",
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
"""Functions that accept every value of their argument types, and keywords that a bracket may follow.

One exception is accepted: ``to_tsvector`` raises for a text whose tsvector would exceed one megabyte.
"""
_LITERAL: Final = re.compile(r"E?'(?:[^']|'')*'(?:::[\w .]+(?:\[\])?)?|\"(?:[^\"]|\"\")+\"")
"""A quoted name, or a literal with its cast: the server evaluated such a cast when the index was created."""
_CALL: Final = re.compile(r"([\w.]+)\s*\(")
# Casts to text and to varchar without a length accept everything; varchar(3) does not.
_CAST: Final = re.compile(r"::(?!(?:text|character varying)\b(?!\())|\bCAST\(")
# Operators of JSON access, containment, concatenation, comparison and pattern matching raise for no value;
# they are removed before what is left is searched for arithmetic, where overflow and division by zero raise.
_HARMLESS: Final = re.compile(r"->>?|#>>?|@>|<@|\|\||<>|[<>]=?|!?~~?\*?")
_ARITHMETIC: Final = re.compile(r"[-+*/%^&#@|!]|\bOPERATOR\(")


def may_raise(expression: str, known: Set[str] = frozenset()) -> bool:
    """Returns False when every part of a printed expression is known to accept every value.

    Such parts are names, literals, comparisons, and functions that are total; ``known`` holds what else may
    stand before a bracket.
    """
    bare = _LITERAL.sub(" x ", expression)
    called = {name.removeprefix("pg_catalog.").lower() for name in _CALL.findall(bare)}
    others = called - _TOTAL - known
    return bool(others or _CAST.search(bare) or _ARITHMETIC.search(_HARMLESS.sub(" ", bare)))
