"""Two names side by side: what stays, what gives way, how alike they look."""

from __future__ import annotations

from msgspec import Struct
from rapidfuzz import fuzz

from tranship.planning.names.tokens import squashed, stems, synonymous

Change = tuple[frozenset[str], frozenset[str]]
"""Words of the old name that are gone and words of the new one that came."""


class Wording(Struct, frozen=True):
    """An old and a new name compared word by word and letter by letter."""

    common: frozenset[str]
    change: Change
    ratio: float
    """Likeness of the letters, 0 to 1."""
    likeness: float
    """Letters and words together, 0 to 1."""

    @property
    def contained(self) -> bool:
        """All words of one name stand in the other."""
        return bool(self.common) and not all(self.change)

    @property
    def synonyms(self) -> float:
        """Share of the lost words for which a synonym came."""
        lost, came = self.change
        met = sum(any(synonymous(a, b) for b in came) for a in lost) if came else 0
        return met / max(1, len(lost))


def compare_names(before: str, after: str) -> Wording:
    """Compare two names of columns or tables."""
    left, right = frozenset(stems(before)), frozenset(stems(after))
    common = left & right
    ratio = fuzz.ratio(squashed(before), squashed(after)) / 100
    overlap = len(common) / (len(left | right) or 1)
    return Wording(common, (left - common, right - common), ratio, (ratio + overlap) / 2)
