"""Two names side by side: the words that stay, the words that change, and how alike the letters are."""

from __future__ import annotations

from msgspec import Struct
from rapidfuzz import fuzz

from tranship.planning.names.tokens import squashed, stems, synonymous

Change = tuple[frozenset[str], frozenset[str]]
"""The words that only the old name has, and the words that only the new name has."""


class Wording(Struct, frozen=True):
    """An old and a new name compared word by word and letter by letter."""

    common: frozenset[str]
    change: Change
    ratio: float
    """Likeness of the letters, 0 to 1 (rapidfuzz: normalized insertions and deletions)."""
    likeness: float
    """The mean of the likeness of letters and the share of common words, 0 to 1."""

    @property
    def contained(self) -> bool:
        """Whether all words of one name occur in the other."""
        return bool(self.common) and not all(self.change)

    @property
    def synonyms(self) -> float:
        """The share of the lost words that have a synonym among the new ones, 0 to 1."""
        lost, came = self.change
        replaced = sum(any(synonymous(a, b) for b in came) for a in lost)
        return replaced / max(1, len(lost))


KEY_WORDS = frozenset({"id", "key", "uuid", "guid", "pk", "ref"})
"""Words that any two references have in common."""
_AUXILIARY = "is has have had was were are be can should do does did will flag"
AUXILIARIES = frozenset(_AUXILIARY.split())
"""Words that make a question out of another word, and say nothing by themselves."""
LOOKS_ALIKE = 0.6
"""Likeness of letters, 0 to 1, from which it says something."""


def names_agree(before: str, after: str) -> bool:
    """Returns whether two names speak of one thing: a common word, a synonym, or letters that look alike.

    Words for keys say nothing, since they end the name of every reference.
    """
    wording = compare_names(before, after)
    left, right = ("".join(word for word in stems(name) if word not in KEY_WORDS) for name in (before, after))
    alike = bool(left and right) and fuzz.ratio(left, right) / 100 >= LOOKS_ALIKE
    return squashed(before) == squashed(after) or _share(wording) or alike


def _share(wording: Wording) -> bool:
    return bool(wording.common - KEY_WORDS) or bool(wording.synonyms)


def compare_names(before: str, after: str) -> Wording:
    """Returns the comparison of two names of columns or tables."""
    left, right = frozenset(stems(before)), frozenset(stems(after))
    common = left & right
    ratio = fuzz.ratio(squashed(before), squashed(after)) / 100
    # Letters alone take ship_to for shop_to, words alone see nothing in a typing error: each corrects the
    # other.
    overlap = len(common) / (len(left | right) or 1)
    return Wording(common, (left - common, right - common), ratio, (ratio + overlap) / 2)
