"""Conversions that would keep the bytes and change the meaning.

Keys are judged by the schemas and the data (``references``); units, codes, flags, clocks and secrets by
names, types, comments and what the data said. A conversion that is automatic by its types stays so unless
something speaks against it.

Lives here: rules that look at one old and one new column, and the questions to the data that they need. Does
not live here: what a change of meaning becomes in the list of changes (``comparing.column_changes``). Begin
with ``context``. Order of the files: units → context → flags · numbers · texts; number_names → key_questions
→ composite_keys → another_key → references · codes.
"""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.catalog import Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import ColumnPair, Comparison, Pairing
from tranship.model.evidence import MeaningQuestion
from tranship.model.names import ColumnRef
from tranship.planning.comparing.meaning.another_key import another_key_meant
from tranship.planning.comparing.meaning.codes import code_concern
from tranship.planning.comparing.meaning.context import (
    AS_THEY_ARE,
    Concern,
    KeyOfParents,
    Landscape,
    Observed,
    PairContext,
    observed_in,
)
from tranship.planning.comparing.meaning.flags import (
    clock_concern,
    flag_concern,
    is_utc,
)
from tranship.planning.comparing.meaning.key_questions import key_questions
from tranship.planning.comparing.meaning.numbers import measures, number_concern, only_beside
from tranship.planning.comparing.meaning.references import NOT_ASKED, keys_misread
from tranship.planning.comparing.meaning.texts import readable, text_concern
from tranship.planning.comparing.meaning.units import times, unit_of

__all__ = [
    "AS_THEY_ARE",
    "Concern",
    "KeyOfParents",
    "Landscape",
    "Observed",
    "PairContext",
    "another_key_meant",
    "concern_of",
    "is_utc",
    "key_questions",
    "meaning_change",
    "meaning_questions",
    "observed_in",
    "times",
    "unit_of",
]


def meaning_change(pair: ColumnPair, before: Table, after: Table, landscape: Landscape) -> Concern | None:
    """Returns why the values would mean something else in NEW; None where they mean the same.

    A person who paired the two columns has said that they are the same, but nobody says so of ids and names.
    """
    keys = keys_misread(pair, before, after, landscape)
    if keys is not None:
        return keys
    if pair.pairing is Pairing.DECIDED:
        return None
    observed, ref = landscape.observed, ColumnRef(before.name, pair.old)
    found = code_concern(pair, before, after, landscape)
    found = found or concern_of(before, after, (pair.old, pair.new), observed, landscape.old.timezone)
    if found is None and ref in observed.unanswered:
        return Concern((f"{NOT_ASKED}: what the values of {ref} measure or list",), unasked=True)
    return found


def concern_of(
    before: Table, after: Table, columns: tuple[str, str], observed: Observed, zone: str
) -> Concern | None:
    """Returns the same for any two columns, keys apart; ``zone`` is OLD's database time zone."""
    old, new = before.column(columns[0]), after.column(columns[1])
    if old is None or new is None or new.generated:
        return None
    pair = PairContext(before, after, old, new, observed, zone)
    return flag_concern(pair) or number_concern(pair) or clock_concern(pair) or text_concern(pair)


def meaning_questions(comparison: Comparison, landscape: Landscape) -> Iterator[MeaningQuestion]:
    """Yields a question for each pair, proposed ones included, of which the data can tell whether both mean
    the same.
    """
    for pair in comparison.matching.pairs:
        before, after = landscape.old.table(pair.old), landscape.new.table(pair.new)
        if before is None or after is None or before.kind is RelationKind.QUERY:
            continue
        kept = [(p.old, p.new) for p in pair.columns if p.pairing is not Pairing.DECIDED]
        for columns in (*kept, *((p.old, p.new) for p in pair.proposals)):
            context = _context(before, after, columns)
            question = _question(context) if context is not None else None
            if question is not None:
                yield question


def _context(before: Table, after: Table, columns: tuple[str, str]) -> PairContext | None:
    old, new = before.column(columns[0]), after.column(columns[1])
    if old is None or new is None or new.generated:
        return None
    return PairContext(before, after, old, new)


def _question(pair: PairContext) -> MeaningQuestion | None:
    """Returns what to ask about a pair of columns: magnitudes, else frequent values; None where neither would
    tell.
    """
    numbers = measures(pair)
    if not numbers and not readable(pair):
        return None
    old = ColumnRef(pair.before.name, pair.old.name)
    new = ColumnRef(pair.after.name, pair.new.name)
    return MeaningQuestion(old, new, numbers=numbers, beside=numbers and only_beside(pair))
