"""References that may lead to any table: ``subject_id`` beside ``subject_type``, whose values name tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tranship.model.catalog import Table
from tranship.planning.names.tokens import stems

_ID_WORDS: Final = frozenset({"id", "key", "uuid", "guid", "ref"})
_KIND_WORDS: Final = frozenset({"type", "class", "kind", "model", "table", "entity"})
_OF_ANY_MODEL: Final = frozenset({"res", "object", "record", "row", "entity", "item", "target"})
"""Words before an id that stands beside a column such as ``model``, without a word in common."""


def reference_words(column: str) -> tuple[str, ...] | None:
    """Returns the words before the one that says that a column is a reference; a glued ``userid`` is taken
    apart. None for any other column.
    """
    words = stems(column)
    if len(words) > 1 and words[-1] in _ID_WORDS:
        return words[:-1]
    glued = words[0].removesuffix("id") if len(words) == 1 and words[0].endswith("id") else ""
    return (glued,) if glued else None


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
