"""Value mappings from what OLD holds to what NEW allows: enum labels, IN lists, boolean words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence, Set

from msgspec import Struct
from rapidfuzz import fuzz

from tranship.model.evidence import ColumnFacts
from tranship.planning.deciding.resolve.words import SPECIFY_DEFAULT_VALUE
from tranship.planning.names.opposites import asks_the_same, opposed
from tranship.planning.names.tokens import words
from tranship.planning.names.truths import FALSE, STATES, TRUE, answers, truth_of

_ALIKE = 85
"""Likeness of 100 from which a label counts as misspelt: one letter in seven may differ."""
_BETWEEN = re.compile(r"(?<=[^\W_])[\s_\-./]+(?=[^\W_])")
"""What stands between two letters or digits without a meaning."""
_SAYING = {True: TRUE, False: FALSE, None: frozenset[str]()}
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
    """A mapping of all old values that are listed."""

    pairs: tuple[tuple[str, str | None], ...]
    certain: bool
    """Whether every value has its counterpart, by the same word and not by a guess."""
    by_word: bool
    """Whether no counterpart is a guess."""
    open: tuple[str, ...]
    """Old values without a counterpart."""


def map_values(
    facts: ColumnFacts, allowed: Sequence[str], names: tuple[str, str], *, boolean: bool
) -> Mapped | None:
    """Returns the mapping of old values to allowed ones, given the names of the old and the new column.

    Where the new name asks the opposite of the old one, a yes becomes a no, and nothing is certain.

    None means that the values seen are not all listed, or that hardly any has a counterpart.
    """
    if not allowed or not _lists_all(facts):
        return None
    found = _counterparts([counted.value for counted in facts.values], allowed, names, boolean=boolean)
    labels = {value: label for value, (label, _) in found.items()}
    missing = tuple(value for value in labels if labels[value] is None)
    # With most values open, a table to fill in is no suggestion any more.
    if len(missing) > len(labels) / 2:
        return None
    # A value without a counterpart is not sure either.
    by_word = all(sure for _, sure in found.values())
    certain = by_word and _is_one_to_one(labels, boolean=boolean)
    proven = facts.complete and not opposed(*names)
    return Mapped(_with_placeholders(labels), certain and proven, by_word, missing)


def _lists_all(facts: ColumnFacts) -> bool:
    return bool(facts.values) and len(facts.values) >= facts.distinct


def _is_one_to_one(labels: Mapping[str, str | None], *, boolean: bool) -> bool:
    """Returns whether no two values become one.

    Such values may have been kept apart on purpose; a boolean has two results for any number of words.
    """
    return boolean or len(set(labels.values())) == len(labels)


def _counterparts(
    values: Sequence[str], allowed: Sequence[str], names: tuple[str, str], *, boolean: bool
) -> dict[str, tuple[str | None, bool]]:
    """Returns the label of each value, and whether it is no guess."""
    found = {value: _counterpart(value, allowed, names, boolean=boolean) for value in values}
    return found if boolean else found | dict.fromkeys(_joined(found, allowed, names), (None, False))


def _joined(
    found: Mapping[str, tuple[str | None, bool]], allowed: Sequence[str], names: tuple[str, str]
) -> list[str]:
    """Returns the values that share a label with another one from which they differ by more than case, blanks
    and accents: ``A+`` and ``A-``. That they are one is no guess to make; a word for yes or no says so.
    """
    plain = {value: unadorned(value) for value in found}
    return [
        value
        for value, (label, _) in found.items()
        if label is not None and value not in allowed and _truth(_folded(value), names) is None
        if any(one == label and plain[other] != plain[value] for other, (one, _) in found.items())
    ]


def unadorned(value: str) -> str:
    """Returns a value without case, accents, and what stands between its words."""
    letters = unicodedata.normalize("NFKD", _BETWEEN.sub(" ", value.strip()))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


def _with_placeholders(labels: Mapping[str, str | None]) -> tuple[tuple[str, str | None], ...]:
    return tuple(
        (value, SPECIFY_DEFAULT_VALUE if label is None else label) for value, label in labels.items()
    )


def _counterpart(
    value: str, allowed: Sequence[str], names: tuple[str, str], *, boolean: bool
) -> tuple[str | None, bool]:
    """Returns the one label that a value means, and whether that is no guess; None where it is none, or
    several.
    """
    word = _folded(value)
    says = _truth(word, names)
    if boolean:
        return (None, False) if says is None else ("true" if says else "false", True)
    truth = _SAYING[says]
    if opposed(*names) and word not in STATES:
        # Neither the same label nor one that looks like it: only the other answer will do.
        return _only(_folding_to(allowed, truth))
    if value in allowed:
        return value, True
    for labels in (_folding_to(allowed, {word}), _folding_to(allowed, truth)):
        if len(labels) == 1:
            return _only(labels)
    return _guessed(word, allowed), False


def _only(labels: Sequence[str]) -> tuple[str | None, bool]:
    return (labels[0], True) if len(labels) == 1 else (None, False)


def _truth(word: str, names: tuple[str, str]) -> bool | None:
    """Returns what a word of the old column says to the question of the new one; None: nothing."""
    old, new = names
    says, turned = truth_of(word), opposed(old, new)
    if word in STATES and (opposed(word, new) or asks_the_same(word, new)):
        return asks_the_same(word, new)
    if says is None or (turned and not answers(word)):
        return None
    return says != turned


def _folding_to(allowed: Sequence[str], words: Set[str]) -> list[str]:
    return [label for label in allowed if _folded(label) in words]


def _guessed(word: str, allowed: Sequence[str]) -> str | None:
    """Returns the label that exactly one is by the first rule that gives one; the rules go from the safest
    on.
    """
    for rule in (_begun, _initials, _usual, _contracted, _misspelt):
        found = [label for label in allowed if word and rule(word, label)]
        if len(found) == 1:
            return found[0]
    return None


def _begun(word: str, label: str) -> bool:
    """Returns whether one is the beginning of the other: ``act`` and ``active``."""
    return _folded(label).startswith(word) or word.startswith(_folded(label))


def _initials(word: str, label: str) -> bool:
    """Returns whether a word is made of initials: ``ip`` and ``in_progress``."""
    parts = words(label)
    return len(parts) > 1 and "".join(part[0] for part in parts) == word


def _usual(word: str, label: str) -> bool:
    """Returns whether a letter usually means the label: ``w`` and ``female``."""
    return _folded(label) in _SHORT.get(word, ())


def _contracted(word: str, label: str) -> bool:
    """Returns whether a word is made of letters of the label in their order, the first and the last among
    them: ``jr`` and ``junior``.
    """
    whole = _folded(label)
    letters = iter(whole)
    return (
        1 < len(word) < len(whole)
        and (word[0], word[-1]) == (whole[0], whole[-1])
        and all(letter in letters for letter in word)
    )


def _misspelt(word: str, label: str) -> bool:
    """Returns whether two words differ by a letter or two: ``canceled`` and ``cancelled``.

    Letters in front of a word often turn its meaning round: ``inactive`` is no misspelt ``active``.
    """
    whole = _folded(label)
    turned = word != whole and (word.endswith(whole) or whole.endswith(word))
    return min(len(word), len(label)) > 3 and not turned and fuzz.ratio(word, whole) >= _ALIKE


def _folded(text: str) -> str:
    """Returns a word without case and what stands inside it; a sign before or behind it has a meaning
    (``-1``, ``A-``).
    """
    return re.sub(r"\s+", "", _BETWEEN.sub("", text.strip("_. \t"))).casefold()
