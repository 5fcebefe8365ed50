"""Numbers with their nouns: 1 row, 2 rows."""

from __future__ import annotations

from collections.abc import Callable

_PLURALS = {"batch": "batches", "index": "indexes", "entry": "entries", "query": "queries"}
"""By their last word, where an "s" is not enough."""


def count_of(number: int, noun: str, *, write: Callable[[int], str] = str) -> str:
    """Returns a number with its noun in the singular or the plural; ``write`` makes a text of the number."""
    if number == 1:
        return f"1 {noun}"
    words, _, last = noun.rpartition(" ")
    plural = _PLURALS.get(last, f"{last}s")
    return f"{write(number)} {words} {plural}" if words else f"{write(number)} {plural}"
