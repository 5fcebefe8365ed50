"""Functions on plain text that several layers use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from heapq import nlargest
from typing import Final

MOST_COMPARED: Final = 100
"""Words among which each is compared letter by letter, which takes about 20 µs. Among more, only those are
that share the most letters with the word."""
_LIKELIEST: Final = 10
"""Of the words that share letters, how many are compared: their order by shared letters is nearly the final
one."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Returns the known word that was probably meant, or None when none is similar.

    The only word that begins with the given one and an underscore comes before words that are less alike than
    0.8: "drop" is a part of "drop_table", and shares letters with "adopt" by accident. 0.6 is difflib's own
    threshold: below it most pairs of short names share letters by accident.
    """
    folded = _folded(tuple(known))
    wanted = word.casefold()
    if wanted in folded:
        return folded[wanted]
    likely = _likeliest(wanted, tuple(folded)) if len(folded) > MOST_COMPARED else folded
    found = get_close_matches(wanted, likely, n=1, cutoff=0.8)
    longer = [name for name in folded if wanted and name.startswith(f"{wanted}_")]
    if not found and len(longer) == 1:
        found = longer
    found = found or get_close_matches(wanted, likely, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


# The names of a few catalogs: a file with hundreds of wrong names asks again and again among the same words.
@lru_cache(maxsize=8)
def _folded(names: tuple[str, ...]) -> Mapping[str, str]:
    return {name.casefold(): name for name in names}


def _likeliest(word: str, names: tuple[str, ...]) -> list[str]:
    """Returns the names that have the largest share of their parts in common with a word."""
    parts = _parts(word)
    holders = _holders(names)
    shared: Counter[str] = Counter()
    for part in parts:
        shared.update(holders.get(part, ()))
    # Two characters on each side make each character begin a part and end one: a name of n characters has
    # about n + 2 parts.
    alike = {name: 2 * count / (len(parts) + len(name) + 2) for name, count in shared.items()}
    return nlargest(_LIKELIEST, alike, key=lambda name: (alike[name], name))


@lru_cache(maxsize=8)
def _holders(names: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Returns for each part the names that hold it."""
    holders: dict[str, list[str]] = {}
    for name in names:
        for part in _parts(name):
            holders.setdefault(part, []).append(name)
    return holders


def _parts(word: str) -> set[str]:
    """Returns all runs of three characters of a word that is extended on both sides, so that short words and
    wrong first letters have parts in common, too.
    """
    padded = f"\0\0{word}\0\0"
    return {padded[at : at + 3] for at in range(len(word) + 2)}
