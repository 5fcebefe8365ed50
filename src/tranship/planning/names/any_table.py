"""References that may lead to any table: ``subject_id`` beside ``subject_type``, whose values name tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tranship.model.catalog import Table
from tranship.planning.names.tokens import singular, stems
from tranship.planning.names.tokens import words as words_of

_ID_WORDS: Final = frozenset({"id", "key", "uuid", "guid", "ref"})
_KIND_WORDS: Final = frozenset({"type", "class", "kind", "model", "table", "entity"})
_OF_ANY_MODEL: Final = frozenset({"res", "object", "record", "row", "entity", "item", "target"})
"""Words before an id that stands beside a column such as ``model``, without a word in common."""


_NUMBERING_WORDS: Final = _ID_WORDS | {"number", "nr", "code", "reference"}
"""Words behind a table's name that make a reference of it, if the values have the type of its key: stems."""
_NUMBERING_ENDINGS: Final = ("id", "no", "nr", "num")
"""The same, glued to the name: ``custno``."""


def reference_words(column: str) -> tuple[str, ...] | None:
    """Returns the words before the one that says that a column is a reference; a glued ``userid`` is taken
    apart. None for any other column.
    """
    words = stems(column)
    if len(words) > 1 and words[-1] in _ID_WORDS:
        return words[:-1]
    glued = words[0].removesuffix("id") if len(words) == 1 and words[0].endswith("id") else ""
    return (glued,) if glued else None


def named_after_row(column: str, table: str) -> bool:
    """Returns whether a column is called like a row of a table, as ``cust``, ``customer``, ``customer_no``
    and ``main_custno`` beside ``cust`` are. A plural, as in ``posts`` or ``num_posts``, counts rows instead.
    """
    written, called = words_of(column), stems(table)
    if not written or not called or singular(written[-1]) != written[-1]:
        return False
    words = stems(column)
    if len(words) > len(called) and words[-1] in _NUMBERING_WORDS:
        words = words[:-1]
    return words[-len(called) :] == called or any(
        (*words[:-1], *stems(words[-1].removesuffix(ending)))[-len(called) :] == called
        for ending in _NUMBERING_ENDINGS
        if words[-1].endswith(ending) and words[-1] != ending
    )


def kind_beside(table: Table, column: str) -> str | None:
    """Returns the column that says to which table a reference leads, such as ``subject_type``."""
    before = reference_words(column) or ()
    for other in table.columns:
        words = stems(other.name)
        if words and words[-1] in _KIND_WORDS and (words[:-1] == before or _is_of_any_model(words, before)):
            return other.name
    return None


def _is_of_any_model(kind: Sequence[str], before: Sequence[str]) -> bool:
    return len(kind) == 1 and len(before) == 1 and before[0] in _OF_ANY_MODEL


def leads_elsewhere(before: Table, column: str, after: Table, new_column: str) -> bool:
    """Returns whether an old column may refer to any table, while a new one that has none of its words refers
    to a single one: by itself it cannot be what the old one became.
    """
    if kind_beside(before, column) is None or any(column in key.columns for key in before.foreign_keys):
        return False
    refers = any(key.columns == (new_column,) for key in after.foreign_keys)
    return refers and not set(reference_words(column) or ()) & set(stems(new_column))
