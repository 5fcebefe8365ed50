"""Texts and numbers that are dates or numbers written in another way: found on the values, written as
expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from msgspec import Struct

from tranship.model.catalog import Column
from tranship.model.evidence import ColumnFacts
from tranship.model.types import TypeKind
from tranship.planning.comparing.meaning import times, unit_of
from tranship.planning.deciding.otherwise import reads_as_another, says_another
from tranship.planning.deciding.suggest.codes import code_guesses, width_of
from tranship.planning.deciding.suggest.facts import Fact, quoting
from tranship.planning.deciding.suggest.guesses import Guess, matches, reference, share, text_literal
from tranship.planning.names.families import family

_MOST = 0.5
"""The share of the values that must fit before a format is proposed; the trial on the data counts all rows
then.
"""
_DAY, _MONTH, _YEAR = "(0?[1-9]|[12][0-9]|3[01])", "(0?[1-9]|1[0-2])", "([0-9]{4})"
_CLOCK = "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_ISO = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T].*)?"
_SEPARATORS = (".", "/", "-")
_NUMERIC_OR_TEXT = ("text", "integer", "decimal")
_ZONED = "timestamp with time zone"
_DATES = ("date", "timestamp without time zone", _ZONED)
_NUMBER = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)"
_COMMA = r"[+-]?([0-9]{1,3}([.][0-9]{3})+|[0-9]+)(,[0-9]+)?"
_POINT = r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)([.][0-9]+)?"
_SIGN = r"(?:[€$£¥%]|EUR|USD|GBP|CHF|kg|km|cm|mm)"
_LITERAL = r"\{.*\}"
"""An array as the server itself writes it."""
_WORDS = r"\S+( \S+)*"
_LONE_SEPARATOR = re.compile(r"[+-]?[0-9]{1,3}[.,][0-9]{3}")
"""A number whose one separator may be a decimal sign or stand between thousands."""
_SECONDS = (100_000_000, 5_000_000_000)
"""Seconds since 1970 between 1973 and 2128: smaller numbers are counts as a rule."""
_DAYS = (1900_01_01, 2100_12_31)
"""Year, month and day in one number."""


def format_guesses(source: Column, target: Column, facts: ColumnFacts | None, datestyle: str) -> list[Guess]:
    """Returns expressions for one old and one new column, the likeliest first; ``datestyle`` is NEW's.

    The list is empty where the server's own input reads the values rightly.
    """
    if facts is None or not facts.values:
        return []
    values, blank = _written_values(facts), _has_blanks(facts)
    before, base = family(source.type), target.type.leaf.base
    guesses: Iterator[Guess] = iter(())
    if base in _DATES and before == "text":
        guesses = _dates(source, target, values, datestyle, blank)
    elif base in _DATES and before == "integer":
        guesses = _moments(source, target, values)
    elif base == "interval" and before in _NUMERIC_OR_TEXT:
        guesses = _durations(source, target, values)
    elif before == "integer" and width_of(target) is not None:
        guesses = code_guesses(source, target, values)
    elif before == "text":
        guesses = _texts(source, target, values, blank)
    return list(guesses)


def _texts(source: Column, target: Column, values: tuple[str, ...], blank: bool) -> Iterator[Guess]:
    if family(target.type) in ("integer", "decimal"):
        yield from _numbers(source, target, values, blank)
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
        dates = target.type.leaf.base in _DATES
        unasked = "the data were not asked: texts that are no ISO dates are read by NEW's DateStyle"
        return unasked if dates else None
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


# --- text that is a date


def _dates(
    source: Column, target: Column, values: tuple[str, ...], datestyle: str, blank: bool
) -> Iterator[Guess]:
    if not values or share(_ISO, values) == 1.0:
        return
    value = _value(source, blank=blank)
    compact = r"[12][0-9]{3}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
    if share(compact, values) >= _MOST:
        sql = f"to_date({value}, 'YYYYMMDD')"
        yield Guess((source.name,), target.name, sql, matches(value, compact), value)
    for separator in _SEPARATORS:
        yield from _separated(source, target, values, _DateStyle(separator, datestyle), value)


class _DateStyle(Struct, frozen=True):
    """A separator of dates, and the order in which NEW's server would read them."""

    separator: str
    datestyle: str

    def order(self, dated: list[str]) -> _Order | None:
        """Returns the order of day and month that the values give away; None where they contradict one
        another.
        """
        pairs = [tuple(int(part) for part in re.split(f"[{self.separator}]", text)[:2]) for text in dated]
        # Only a day can be above 12.
        day_first, month_first = any(a > 12 for a, _ in pairs), any(b > 12 for _, b in pairs)
        if day_first and month_first:
            return None
        ambiguous = not day_first and not month_first
        # A point is written between day and month where the day comes first; else NEW's own order is the best
        # guess.
        by_habit = self.separator == "." or self.datestyle.endswith("DMY")
        return _Order(self.separator, day_first or (ambiguous and by_habit), ambiguous)


class _Order(Struct, frozen=True):
    """In which order day, month and year stand."""

    separator: str
    day_first: bool
    ambiguous: bool
    """No value tells the day from the month."""

    @property
    def template(self) -> str:
        """The order as ``to_date`` takes it."""
        names = ("DD", "MM", "YYYY") if self.day_first else ("MM", "DD", "YYYY")
        return self.separator.join(names)

    @property
    def pattern(self) -> str:
        """The regular expression of a date in this order."""
        names = (_DAY, _MONTH, _YEAR) if self.day_first else (_MONTH, _DAY, _YEAR)
        return f"[{self.separator}]".join(names)

    @property
    def evidence(self) -> str:
        """How it was found, in words."""
        read = f"read as {self.template}"
        if self.ambiguous:
            return f"{read}: no value tells day from month, so look at how they were entered"
        # Day and month between points is the only order that is written so: that needs no proof.
        if self.separator != "." or not self.day_first:
            return f"{read}: some values leave no other order"
        return read


def _separated(
    source: Column, target: Column, values: tuple[str, ...], style: _DateStyle, value: str
) -> Iterator[Guess]:
    """Yields day, month and year in the order that the values give away."""
    bracket, base = f"[{style.separator}]", target.type.leaf.base
    clock = rf"(?:[ T]{_CLOCK})?" if base != "date" else ""
    any_order = f"[0-9]{{1,2}}{bracket}[0-9]{{1,2}}{bracket}[0-9]{{4}}{clock}"
    dated = [text for text in values if re.fullmatch(any_order, text)]
    order = style.order(dated) if len(dated) >= len(values) * _MOST else None
    if order is None:
        return
    sql = f"to_date({value}, {text_literal(order.template)})"
    if any(":" in text for text in dated):
        rest = f"COALESCE(substring({value} from '[ T](.*)$'), '00:00')"
        sql = f"{sql} + CAST({rest} AS time)"
    fits = matches(value, f"{order.pattern}{clock}")
    # A time without a zone that becomes one with a zone depends on whose clock it was.
    provable = not order.ambiguous and base != _ZONED
    yield Guess((source.name,), target.name, sql, fits, value, (order.evidence,), provable=provable)


# --- text that is a number


def _numbers(source: Column, target: Column, values: tuple[str, ...], blank: bool) -> Iterator[Guess]:
    # What the server reads by itself needs no expression.
    notation = _notation(values) if values and share(_NUMBER, values) < 1.0 else None
    if notation is None or share(notation.pattern, values) < _MOST:
        return
    value = _value(source, blank=blank)
    core = f"regexp_replace({value}, '[^0-9.,+-]', '', 'g')" if notation.signs else value
    sql = f"CAST({_ungrouped(core, notation)} AS numeric)"
    provable = not notation.ambiguous and not notation.signs
    yield Guess(
        (source.name,),
        target.name,
        sql,
        matches(value, notation.pattern),
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
        sign = rf"{_SIGN}[\s\u00a0]?", rf"[\s\u00a0]?{_SIGN}"
        return rf"(?:{sign[0]})?(?:{body})(?:{sign[1]})?" if self.signs else body


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


# --- numbers that are moments, texts that are lists


def _moments(source: Column, target: Column, values: tuple[str, ...]) -> Iterator[Guess]:
    numbers = [int(text) for text in values if re.fullmatch(r"-?[0-9]+", text)]
    if not numbers:
        return
    enough, zoned = len(numbers) * _MOST, target.type.leaf.base == _ZONED
    if not zoned and sum(map(_is_day, numbers)) >= enough:
        yield _day_guess(source, target)
        return
    low, high = _SECONDS
    # Magnitudes of a thousand times each other do not overlap, so the first that fits is the only one.
    for unit, factor in (("seconds", 1), ("milliseconds", 1000), ("microseconds", 1000000)):
        if sum(low * factor <= number <= high * factor for number in numbers) >= enough:
            yield _moment_guess(source, target, unit, factor, zoned=zoned)
            return


def _is_day(number: int) -> bool:
    """Returns whether a number may be year, month and day (20240131)."""
    first, last = _DAYS
    return first <= number <= last and 1 <= number // 100 % 100 <= 12 and 1 <= number % 100 <= 31


def _day_guess(source: Column, target: Column) -> Guess:
    value, (first, last) = reference(source), _DAYS
    sql = f"to_date(CAST({value} AS text), 'YYYYMMDD')"
    fits = f"{value} BETWEEN {first} AND {last}"
    evidence = ("read as year, month and day in one number",)
    return Guess((source.name,), target.name, sql, fits, value, evidence)


def _moment_guess(source: Column, target: Column, unit: str, factor: int, *, zoned: bool) -> Guess:
    value, (low, high) = reference(source), _SECONDS
    moment = f"to_timestamp({value})" if factor == 1 else f"to_timestamp({value} / {factor}.0)"
    evidence = [f"read as {unit} since 1970"]
    if not zoned:
        moment = f"{moment} AT TIME ZONE 'UTC'"
        evidence.append("written in UTC: say another zone if NEW's clock has one")
    fits = f"{value} BETWEEN {low * factor} AND {high * factor}"
    return Guess((source.name,), target.name, moment, fits, value, tuple(evidence), provable=zoned)


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
        fits = matches(value, f"({_NUMBER}({cut.between}{_NUMBER})*)?")
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
        sql = f"regexp_split_to_array({value}, '{between}')"
        return _Cut(sql, between, f"cut at every {separator!r}, the blanks around it dropped")
    if share(_WORDS, values) < 1.0 or not any(" " in text for text in values):
        return None
    return _Cut(f"string_to_array({value}, ' ')", " ", "cut at every blank")
