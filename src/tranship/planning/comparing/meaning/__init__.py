"""Conversions that would keep the bytes and change the meaning. Pure.

Keys are judged by the schemas (``references``); units, codes, flags, clocks and secrets by names, types, comments and what the data said. A
conversion that is automatic by its types stays so unless something speaks against it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.catalog import Table
from tranship.model.change import ColumnPair, Comparison, Pairing
from tranship.model.evidence import MeaningQuestion
from tranship.model.names import ColumnRef
from tranship.planning.comparing.meaning.flags import clock_doubt, flag_doubt, is_utc, opposed
from tranship.planning.comparing.meaning.key_questions import key_questions
from tranship.planning.comparing.meaning.numbers import measures, number_doubt, only_beside
from tranship.planning.comparing.meaning.references import NOT_ASKED, keys_misread
from tranship.planning.comparing.meaning.scene import Doubt, Landscape, Observed, Sight, observed_in
from tranship.planning.comparing.meaning.texts import readable, text_doubt
from tranship.planning.comparing.meaning.units import times, unit_of

__all__ = [
    "Doubt",
    "Landscape",
    "Observed",
    "Sight",
    "doubt_of",
    "is_utc",
    "key_questions",
    "meaning_change",
    "meaning_questions",
    "observed_in",
    "opposed",
    "times",
    "unit_of",
]


def meaning_change(pair: ColumnPair, before: Table, after: Table, landscape: Landscape) -> Doubt | None:
    """Why the values would mean something else in NEW; None where they mean the same.

    A person who paired the two columns has said that they are the same, but nobody says so of ids and names.
    """
    keys = keys_misread(pair, before, after, landscape)
    if keys is not None:
        return keys
    if pair.pairing is Pairing.DECIDED:
        return None
    observed, ref = landscape.observed, ColumnRef(before.name, pair.old)
    found = doubt_of(before, after, (pair.old, pair.new), observed, landscape.old.timezone)
    if found is None and ref in observed.unanswered:
        return Doubt((f"{NOT_ASKED}: what the values of {ref} measure or list",), unasked=True)
    return found


def doubt_of(
    before: Table, after: Table, columns: tuple[str, str], observed: Observed, zone: str
) -> Doubt | None:
    """The same for any two columns, keys apart; ``zone`` is OLD's database time zone."""
    old, new = before.column(columns[0]), after.column(columns[1])
    if old is None or new is None or new.generated:
        return None
    sight = Sight(before, after, old, new, observed, zone)
    return flag_doubt(sight) or number_doubt(sight) or clock_doubt(sight) or text_doubt(sight)


def meaning_questions(comparison: Comparison, landscape: Landscape) -> Iterator[MeaningQuestion]:
    """The pairs, proposed ones included, of which the data can tell whether they mean the same."""
    for pair in comparison.matching.pairs:
        before, after = landscape.old.table(pair.old), landscape.new.table(pair.new)
        if before is None or after is None:
            continue
        named = [(p.old, p.new) for p in pair.columns if p.pairing is not Pairing.DECIDED] + [
            (p.old, p.new) for p in pair.proposals
        ]
        for left, right in named:
            old, new = before.column(left), after.column(right)
            if old is None or new is None or new.generated:
                continue
            sight = Sight(before, after, old, new)
            if measures(sight) or readable(sight):
                numbers = measures(sight)
                beside = numbers and only_beside(sight)
                yield MeaningQuestion(
                    ColumnRef(pair.old, left), ColumnRef(pair.new, right), numbers=numbers, beside=beside
                )
