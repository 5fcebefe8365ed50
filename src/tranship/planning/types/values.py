"""Whether a text of a decision can be a value of a type, as far as it can be said without a server. Pure."""

from __future__ import annotations

import re

from tranship.model.builtin_types import MOMENT_WORDS, Family
from tranship.model.types import PgType, TypeKind
from tranship.planning.types.inputs import SPACES
from tranship.planning.types.table import RULES

_MOMENT = re.compile(rf"(?<![a-z])(?:{'|'.join(MOMENT_WORDS)})(?![a-z])", re.IGNORECASE | re.ASCII)


def names_moment(pg_type: PgType, text: str) -> bool:
    """Says whether the type would read a word of the text as the moment of reading: ``today``."""
    return pg_type.reads_moments and _MOMENT.search(text) is not None


def castable(pg_type: PgType, text: str) -> bool | None:
    """Says whether the input function of the type takes the text, its modifier included; None: only the
    server knows.

    A text that stands for the moment of reading is no value: each batch would read another one.
    """
    if names_moment(pg_type, text):
        return False
    match pg_type.kind:
        case TypeKind.ENUM:
            return text in pg_type.labels
        case TypeKind.DOMAIN:
            inner = castable(pg_type.element, text) if pg_type.element is not None else None
            return None if inner and pg_type.checks else inner
        case TypeKind.BASE:
            return RULES[pg_type.family].takes(pg_type, text) if pg_type.family is not None else None
        case TypeKind.ARRAY | TypeKind.COMPOSITE | TypeKind.RANGE | TypeKind.MULTIRANGE:
            return None if text.strip(SPACES) else False
        case TypeKind.PSEUDO:
            return None


def canonical(pg_type: PgType, text: str) -> str:
    """Returns one text for values that the type's ``=`` takes for equal, where that is known here; else the
    text itself.
    """
    leaf = pg_type.leaf
    if leaf.family is None or castable(leaf, text) is not True:
        return text
    if leaf.typname == "bpchar":
        return text.rstrip(" ")
    return RULES[leaf.family].normal(text)


def holds_text(pg_type: PgType) -> bool:
    """Says whether the type's input function takes every text, lengths and domain checks apart."""
    leaf = pg_type.leaf
    return leaf.family is Family.STRING and leaf.typname not in ("name", "char")
