"""Texts of OLD that would become the names of rows: which of them are no name, and which are one name written
in several ways.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tranship.model.catalog import Column
from tranship.model.count import count_of
from tranship.model.evidence import ColumnFacts, ValueCount
from tranship.planning.deciding.suggest.drafts import Field
from tranship.planning.deciding.suggest.facts import Fact, Valued, quoting
from tranship.planning.deciding.suggest.guesses import BLANKS_AROUND, reference, text_literal
from tranship.planning.deciding.suggest.mappings import unadorned
from tranship.planning.names.families import family

_NO_NAME = frozenset(("", "na", "none", "null", "nil", "unknown", "tbd", "notavailable", "notapplicable"))
"""Words that stand where there is no value, without signs: ``n/a``, ``-``, ``?``."""

# Names quoted in one line, each with all its spellings.
_SHOWN = 4


class NewNames(Struct, frozen=True):
    """What the values leave to say, and the keys of an entry that reads them without blanks."""

    fields: Mapping[str, Field] = {}
    evidence: tuple[Fact, ...] = ()
    clean: bool = True
    """Whether every value was seen, and each is a name of its own."""


def new_names(facts: ColumnFacts | None, source: Column, target: Column) -> NewNames:
    """Returns what is to be said of texts of which each distinct one makes a row.

    Blanks around a text, and texts of blanks alone, are left out by the entry itself; whether two spellings
    are one name, and whether a word means that there is none, a person has to say.
    """
    if facts is None:
        return NewNames(evidence=("the values were not looked at",), clean=False)
    # The labels of an enum are names as they are.
    texts = facts.values if family(source.type) == "text" else ()
    blank = [one for one in texts if not one.value.strip()]
    padded = [one for one in texts if one.value.strip() and one.value != one.value.strip()]
    evidence = (*_seen(facts), *_trimmed(blank, padded, target), *_spellings(facts), *_no_names(facts))
    fields: dict[str, Field] = {}
    if blank or padded:
        trimmed = f"regexp_replace({reference(source)}, {text_literal(BLANKS_AROUND)}, '', 'g')"
        fields["key_sql"] = f"nullif({trimmed}, '')"
    return NewNames(fields, evidence, not evidence)


def _seen(facts: ColumnFacts) -> tuple[Fact, ...]:
    if len(facts.values) >= facts.distinct and not facts.sampled:
        return ()
    return (f"of {count_of(facts.distinct, 'distinct value')} {len(facts.values)} were looked at for this",)


def _trimmed(blank: list[ValueCount], padded: list[ValueCount], target: Column) -> tuple[Fact, ...]:
    said: list[Fact] = []
    if padded:
        told = f"{count_of(len(padded), 'value')} with blanks around: key_sql leaves these out"
        said.append(quoting(told, [one.value for one in padded]))
    if blank:
        become = (
            "they are rejected, since NEW refuses NULL" if target.refuses_null else "key_sql makes them NULL"
        )
        said.append(f"{count_of(_rows(blank), 'row')} of empty text or blanks alone: {become}")
    return tuple(said)


def _spellings(facts: ColumnFacts) -> tuple[Fact, ...]:
    """Returns the names that are written in several ways beside blanks around them."""
    ways: dict[str, set[str]] = {}
    for one in facts.values:
        if one.value.strip():
            ways.setdefault(unadorned(one.value), set()).add(one.value.strip())
    several = [" = ".join(map(repr, sorted(names))) for names in ways.values() if len(names) > 1]
    if not several:
        return ()
    told = f"{count_of(len(several), 'name')} written in several ways, of which each would be a row"
    more = f" and {len(several) - _SHOWN} more" if len(several) > _SHOWN else ""
    return (Valued(told, "; ".join(several[:_SHOWN]) + more),)


def _no_names(facts: ColumnFacts) -> tuple[Fact, ...]:
    said = [
        one
        for one in facts.values
        if one.value.strip() and "".join(filter(str.isalnum, unadorned(one.value))) in _NO_NAME
    ]
    if not said:
        return ()
    told = f"{count_of(_rows(said), 'row')} with a word that may mean no name, and would be a row of its own"
    return (quoting(told, [one.value for one in said]),)


def _rows(values: list[ValueCount]) -> int:
    return sum(one.rows for one in values)
