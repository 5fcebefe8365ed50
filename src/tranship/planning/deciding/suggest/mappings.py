"""Value mappings from what OLD holds to what NEW allows: enum labels, IN lists, boolean words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from rapidfuzz import fuzz

from tranship.model.evidence import ColumnFacts
from tranship.planning.deciding.resolve.words import SPECIFY_DEFAULT_VALUE
from tranship.planning.names.tokens import words

_ALIKE = 85
"""Of 100: one letter in eight may differ."""
_TRUE_WORDS = """
t true y yes 1 on active enabled j ja o oui v vrai s si sí sì sim vero verdadero verdadeiro tak prawda ano да истина evet igen kyllä wahr waar はい 是
"""
_FALSE_WORDS = """
f false n no 0 off inactive disabled nein non faux falso não nao nie nej ne нет ложь hayır nem ei falsch onwaar いいえ 否
"""
_TRUE, _FALSE = frozenset(_TRUE_WORDS.split()), frozenset(_FALSE_WORDS.split())
_SHORT = {
    "m": ("male", "man", "mr", "männlich"),
    "f": ("female", "woman", "mrs", "feminin"),
    "w": ("female", "woman", "weiblich"),
    "d": ("diverse", "divers", "other"),
    "x": ("diverse", "other", "unspecified"),
    "u": ("unknown", "unspecified"),
}
"""Letters with a usual meaning, and labels that say it."""


class Mapped(Struct, frozen=True):
    """A mapping of all listed old values."""

    pairs: tuple[tuple[str, str | None], ...]
    certain: bool
    """Every value there is has its counterpart, by the same word and not by a guess."""
    by_word: bool
    """No counterpart is a guess."""
    open: tuple[str, ...]
    """Old values without a counterpart."""


def map_values(facts: ColumnFacts, allowed: Sequence[str], *, boolean: bool) -> Mapped | None:
    """Old values to allowed ones; None where the values seen are not all listed or hardly any has a counterpart."""
    if len(facts.values) < facts.distinct or not facts.values or not allowed:
        return None
    pairs: list[tuple[str, str | None]] = []
    missing: list[str] = []
    certain = True
    for counted in facts.values:
        found, sure = _counterpart(counted.value, allowed, boolean=boolean)
        certain = certain and sure
        if found is None:
            missing.append(counted.value)
        pairs.append((counted.value, found if found is not None else SPECIFY_DEFAULT_VALUE))
    if len(missing) > len(pairs) / 2:
        return None
    results = [result for _, result in pairs if result != SPECIFY_DEFAULT_VALUE]
    distinct = boolean or len(set(results)) == len(results)
    return Mapped(
        tuple(pairs),
        by_word=certain,
        certain=certain and facts.complete and not missing and distinct,
        open=tuple(missing),
    )


def _counterpart(value: str, allowed: Sequence[str], *, boolean: bool) -> tuple[str | None, bool]:
    if value in allowed:
        return value, True
    word = _folded(value)
    if boolean:
        return ("true", True) if word in _TRUE else ("false", True) if word in _FALSE else (None, False)
    same = [label for label in allowed if _folded(label) == word]
    if len(same) == 1:
        return same[0], True
    truth = _TRUE if word in _TRUE else _FALSE if word in _FALSE else frozenset()
    alike = [label for label in allowed if _folded(label) in truth]
    if len(alike) == 1:
        return alike[0], True
    for guess in (_begun, _initials, _usual, _contracted, _misspelt):
        found = [label for label in allowed if word and guess(word, label)]
        if len(found) == 1:
            return found[0], False
    return None, False


def _begun(word: str, label: str) -> bool:
    """``act`` and ``active``."""
    return _folded(label).startswith(word) or word.startswith(_folded(label))


def _initials(word: str, label: str) -> bool:
    """``ip`` and ``in_progress``."""
    parts = words(label)
    return len(parts) > 1 and "".join(part[0] for part in parts) == word


def _usual(word: str, label: str) -> bool:
    """``w`` and ``female``."""
    return _folded(label) in _SHORT.get(word, ())


def _contracted(word: str, label: str) -> bool:
    """``jr`` and ``junior``: some of its letters in their order, the first and the last among them."""
    whole = _folded(label)
    letters = iter(whole)
    return (
        1 < len(word) < len(whole)
        and (word[0], word[-1]) == (whole[0], whole[-1])
        and all(letter in letters for letter in word)
    )


def _misspelt(word: str, label: str) -> bool:
    """``canceled`` and ``cancelled``."""
    return min(len(word), len(label)) > 3 and fuzz.ratio(word, _folded(label)) >= _ALIKE


def _folded(text: str) -> str:
    return re.sub(r"[\s_\-./]+", "", text.strip()).casefold()
