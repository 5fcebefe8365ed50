"""Texts and numbers that are something else written in another way: found on the values, written as
expressions. Dates and moments are in ``dates``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Column
from tranship.model.evidence import ColumnFacts
from tranship.model.types import TypeKind
from tranship.planning.comparing.meaning import times, unit_of
from tranship.planning.deciding.otherwise import reads_as_another, says_another
from tranship.planning.deciding.suggest.codes import code_guesses, width_of
from tranship.planning.deciding.suggest.dates import DATES, dates, moments
from tranship.planning.deciding.suggest.facts import Fact, quoting
from tranship.planning.deciding.suggest.guesses import (
    BLANKS_AROUND,
    Guess,
    matches,
    of_one_form,
    reference,
    share,
)
from tranship.planning.names.families import family

_MOST = 0.5
"""The share of the values that must fit before a format is proposed; the trial on the data counts all rows
then.
"""
_NUMERIC_OR_TEXT = ("text", "integer", "decimal")
_NUMBER = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)"
_COMMA = r"[+-]?([0-9]{1,3}([.][0-9]{3})+|[0-9]+)(,[0-9]+)?"
_POINT = r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)([.][0-9]+)?"
_SIGN = r"(?:[€$£¥%]|EUR|USD|GBP|CHF|kg|km|cm|mm)"
_LITERAL = r"\{.*\}"
"""An array as the server itself writes it."""
_WORDS = r"\S+( \S+)*"
_LONE_SEPARATOR = re.compile(r"[+-]?[0-9]{1,3}[.,][0-9]{3}")
"""A number whose one separator may be a decimal sign or stand between thousands."""


def format_guesses(source: Column, target: Column, facts: ColumnFacts | None, datestyle: str) -> list[Guess]:
    """Returns expressions for one old and one new column, the likeliest first; ``datestyle`` is NEW's.

    The list is empty where the server's own input reads the values rightly.
    """
    if facts is None or not facts.values:
        return []
    value = _value(source, blank=_has_blanks(facts))
    found = _guesses(source, target, _written_values(facts), datestyle, value)
    return [_saying_of_blanks(guess, source) for guess in found]


def _guesses(
    source: Column, target: Column, values: tuple[str, ...], datestyle: str, value: str
) -> Iterator[Guess]:
    before, base = family(source.type), target.type.leaf.base
    if base in DATES and before == "text":
        yield from dates(source, target, values, datestyle, value)
    elif base in DATES and before == "integer":
        yield from moments(source, target, values)
    elif base == "interval" and before in _NUMERIC_OR_TEXT:
        yield from _durations(source, target, values)
    elif before == "integer" and width_of(target) is not None:
        yield from code_guesses(source, target, values)
    elif before == "text":
        yield from _texts(source, target, values, value)


def _saying_of_blanks(guess: Guess, source: Column) -> Guess:
    if guess.shown == reference(source):
        return guess
    return replace(guess, evidence=(*guess.evidence, "blank texts become NULL"))


def _texts(source: Column, target: Column, values: tuple[str, ...], value: str) -> Iterator[Guess]:
    if family(target.type) in ("integer", "decimal"):
        yield from _numbers(source, target, values, value)
    elif target.type.leaf.kind is TypeKind.ARRAY:
        yield from _listed(source, target, values)


def reads_otherwise(source: Column, target: Column, facts: ColumnFacts | None) -> Fact | None:
    """Returns why the server's own reading of a value is not to be trusted; None where it is."""
    if facts is None and family(source.type) == "integer" and width_of(target) is not None:
        return f"the data were not asked: a char({width_of(target)}) pads shorter numbers with spaces behind"
    doubted = reads_as_another(source.type, target.type)
    if doubted is None:
        return None
    if facts is None:
        unasked = "the data were not asked: texts that are no ISO dates are read by NEW's DateStyle"
        return unasked if target.type.leaf.base in DATES else None
    found = [counted for counted in facts.values if doubted(counted.value)]
    said = says_another(sum(counted.rows for counted in found), target.type)
    return quoting(said, [counted.value for counted in found]) if found else None


def _written_values(facts: ColumnFacts) -> tuple[str, ...]:
    """Returns the values that are more than blanks."""
    return tuple(counted.value.strip() for counted in facts.values if counted.value.strip())


def _has_blanks(facts: ColumnFacts) -> bool:
    return any(not counted.value.strip() for counted in facts.values)


def _value(source: Column, *, blank: bool) -> str:
    """Returns the old text as an expression; an empty one is no value."""
    return f"NULLIF(btrim({reference(source)}), '')" if blank else reference(source)


# --- text that is a number


def _numbers(source: Column, target: Column, values: tuple[str, ...], value: str) -> Iterator[Guess]:
    # What the server reads by itself needs no expression.
    notation = _notation(values) if values and share(_NUMBER, values) < 1.0 else None
    if notation is None or share(notation.pattern, values) < _MOST:
        return
    core = f"regexp_replace({value}, '[^0-9.,+-]', '', 'g')" if notation.signs else value
    fits = matches(value, notation.pattern)
    written = "a number with a decimal comma" if notation.comma else "a number with a decimal point"
    sql = of_one_form(fits, _ungrouped(core, notation), value, written)
    provable = not notation.ambiguous and not notation.signs
    yield Guess(
        (source.name,),
        target.name,
        sql,
        fits,
        value,
        tuple(_number_evidence(notation)),
        provable=provable,
    )


class _Notation(Struct, frozen=True):
    """How numbers are written: the decimal sign, and the signs of currencies and units around them."""

    comma: bool
    """The decimal sign is a comma."""
    grouped: bool
    """Commas stand somewhere."""
    ambiguous: bool
    """No value tells the decimal sign from a separator of thousands."""
    signs: tuple[str, ...]

    @property
    def pattern(self) -> str:
        """The regular expression of a number as a whole."""
        body = _COMMA if self.comma else _POINT
        # Only the signs that were seen: a server of another encoding may not know the others.
        sign = f"(?:{'|'.join(map(re.escape, self.signs))})"
        before, after = rf"{sign}[\s\u00a0]?", rf"[\s\u00a0]?{sign}"
        return rf"(?:{before})?(?:{body})(?:{after})?" if self.signs else body


def _notation(values: tuple[str, ...]) -> _Notation | None:
    """Returns the notation that all values are written in; None where some contradict others."""
    signs = {sign for text in values for sign in re.findall(_SIGN, text)}
    bare = [re.sub(rf"^{_SIGN}[\s\u00a0]?|[\s\u00a0]?{_SIGN}$", "", text) for text in values]
    comma, point = _comma_decides(bare), _point_decides(bare)
    if comma and point:
        return None
    ambiguous = not (comma or point) and any(map(_LONE_SEPARATOR.fullmatch, bare))
    grouped = any("," in text for text in bare)
    return _Notation(comma, grouped, ambiguous, tuple(sorted(signs)))


def _ungrouped(core: str, notation: _Notation) -> str:
    """Returns the expression without separators of thousands, with a decimal point."""
    if notation.comma:
        return f"replace(replace({core}, '.', ''), ',', '.')"
    return f"replace({core}, ',', '')" if notation.grouped else core


def _number_evidence(notation: _Notation) -> Iterator[str]:
    yield f"read with a decimal {'comma' if notation.comma else 'point'}"
    if notation.ambiguous:
        yield "a value like one digit, a separator and three digits could be either: check"
    if notation.signs:
        yield f"signs are left out: {', '.join(notation.signs)}"


def _comma_decides(values: list[str]) -> bool:
    """Returns whether some comma can only be a decimal one: three digits behind it may be thousands."""
    return any(
        re.fullmatch(r"[+-]?[0-9.]*,([0-9]{1,2}|[0-9]{4,})", v)
        or re.fullmatch(r"[+-]?[0-9]{1,3}([.][0-9]{3})+,[0-9]+", v)
        for v in values
    )


def _point_decides(values: list[str]) -> bool:
    return any(
        re.fullmatch(r"[+-]?[0-9,]*[.]([0-9]{1,2}|[0-9]{4,})", v)
        or re.fullmatch(r"[+-]?[0-9]{1,3}(,[0-9]{3})+[.][0-9]+", v)
        for v in values
    )


# --- durations, texts that are lists


def _durations(source: Column, target: Column, values: tuple[str, ...]) -> Iterator[Guess]:
    """Yields bare numbers as durations: in the unit of the column's name or comment, else in seconds."""
    if share(_NUMBER, values) < _MOST:
        return
    value, named = reference(source), unit_of(source)
    unit = named if named is not None and named.dimension == "time" else None
    seconds = unit.factor if unit is not None and unit.factor is not None else Fraction(1)
    number = f"CAST({value} AS numeric)" if family(source.type) == "text" else value
    sql = f"make_interval(secs => {number if seconds == 1 else times(number, seconds)})"
    fits = matches(f"CAST({value} AS text)", _NUMBER)
    evidence = "bare numbers read as seconds, as the server would: are they minutes or hours?"
    if unit is not None:
        evidence = f"read as {unit.word}s"
    yield Guess((source.name,), target.name, sql, fits, value, (evidence,), provable=unit is not None)


def _listed(source: Column, target: Column, values: tuple[str, ...]) -> Iterator[Guess]:
    """Yields texts that list what NEW holds as an array; array literals need no help."""
    if not values or share(_LITERAL, values) == 1.0:
        return
    cut = _cut_of(reference(source), values)
    if cut is None:
        return
    value, element = reference(source), family(target.type).removesuffix("[]")
    if element == "text":
        fits = f"{value} IS NOT NULL"
        yield Guess((source.name,), target.name, cut.sql, fits, value, (cut.evidence,), provable=False)
    elif element in ("integer", "decimal"):
        # Only numbers between the separators: then there is no other reading, and a trial can prove it.
        fits = matches(value, rf"\s*({_NUMBER}({cut.between}{_NUMBER})*)?\s*")
        sql = f"{cut.sql}::{target.type.leaf.text}"
        yield Guess((source.name,), target.name, sql, fits, value, (cut.evidence,))


class _Cut(Struct, frozen=True):
    """How a text is cut into the elements of an array."""

    sql: str
    between: str
    """The regular expression of what stands between two elements."""
    evidence: str


def _cut_of(value: str, values: tuple[str, ...]) -> _Cut | None:
    """Returns the cut at the separator that most values have, else at single blanks; None where neither is
    there.
    """
    found = [(sum(separator in text for text in values), separator) for separator in (",", ";", "|")]
    count, separator = max(found, key=lambda pair: pair[0])
    if count:
        between = rf"\s*[{separator}]\s*"
        trimmed = f"regexp_replace({value}, '{BLANKS_AROUND}', '', 'g')"
        sql = f"array_remove(regexp_split_to_array({trimmed}, '{between}'), '')"
        return _Cut(
            sql, between, f"cut at every {separator!r}; each item is trimmed, blank ones are left out"
        )
    if share(_WORDS, values) < 1.0 or not any(" " in text for text in values):
        return None
    return _Cut(f"string_to_array({value}, ' ')", " ", "cut at every blank")
