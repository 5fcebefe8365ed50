"""Texts and numbers that are dates and moments written in another way.

Every expression reads values of exactly one form: ``to_date`` alone takes ``03.04.82`` for the year 82,
``00.00.0000`` for 1 BC, and cuts what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Column
from tranship.model.evidence import ColumnFacts, ValueCount
from tranship.planning.deciding.suggest.guesses import (
    Guess,
    matches,
    of_one_form,
    reference,
    share,
    text_literal,
)

ZONED: Final = "timestamp with time zone"
DATES: Final = ("date", "timestamp without time zone", ZONED)
_MOST = 0.5
"""The share of the values that must fit before a format is proposed; the trial on the data counts all rows
then.
"""
_YEAR = "(?!0000)[0-9]{4}"
_PARTS: Final = {"D": "(0?[1-9]|[12][0-9]|3[01])", "M": "(0?[1-9]|1[0-2])", "Y": _YEAR, "y": "[0-9]{2}"}
_NAMES: Final = {"D": "DD", "M": "MM", "Y": "YYYY", "y": "YY"}
_DAYS_OF_MONTHS: Final = (
    ("(?:0?[1-9]|1[0-9]|2[0-8])", "(?:0?[1-9]|1[0-2])", _YEAR),
    ("(?:29|30)", "(?:0?[13-9]|1[0-2])", _YEAR),
    ("31", "(?:0?[13578]|1[02])", _YEAR),
    ("29", "0?2", "(?!0000)(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"),
)
"""Days, months and years that go together; the last row is that of leap years."""
_CLOCK = "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_OFFSET = r"([ ]?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?))?"
_ZONE_BEHIND: Final = "(:[0-9.]+ ?[+-][0-9]{2}(:?[0-9]{2})*|[A-Za-z])$"
"""Ends a time that says its zone: an offset behind a time of day, or a name."""
_ISO = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T].*)?"
"""What the server reads in one way whatever its DateStyle is; whether it is a date is said by the server."""
_COMPACT = r"[12][0-9]{3}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
_SEPARATORS = (".", "/", "-")
_ORDERS: Final = ("DMY", "MDY", "DMy", "MDy", "yMD")
_SECONDS = (100_000_000, 5_000_000_000)
"""Seconds since 1970 between 1973 and 2128: smaller numbers are counts as a rule."""
_DAYS = (1900_01_01, 2100_12_31)
"""Year, month and day in one number."""


def texts_without_zone(facts: ColumnFacts | None) -> list[ValueCount]:
    """Returns the listed texts that say no time zone."""
    return [one for one in facts.values if one.value.strip() and _lacks_zone(one.value)] if facts else []


def _lacks_zone(text: str) -> bool:
    return re.search(_ZONE_BEHIND, text.strip()) is None


def read_as_utc(value: str, *, mixed: bool) -> str:
    """Returns the expression that reads texts without a zone as UTC; ``mixed``: others say theirs."""
    utc = f"{value} || ' UTC'"
    return f"CASE WHEN {value} ~ {text_literal(_ZONE_BEHIND)} THEN {value} ELSE {utc} END" if mixed else utc


def _real_days(order: str, separator: str) -> str:
    """Returns the regular expression of the days that exist, in an order such as DMY; a year has four digits,
    and is not 0.
    """
    alternatives = (dict(zip("DMY", row, strict=True)) for row in _DAYS_OF_MONTHS)
    return f"(?:{'|'.join(separator.join(parts[part] for part in order) for parts in alternatives)})"


# --- texts


def dates(
    source: Column, target: Column, values: tuple[str, ...], datestyle: str, value: str
) -> Iterator[Guess]:
    """Yields how texts become dates or moments; ``value`` is the old text as an expression.

    Nothing is yielded where the server's own input reads every value in one way.
    """
    if not values or share(_ISO, values) == 1.0:
        return
    if share(_ISO, values) >= _MOST:
        yield _iso_guess(source, target, value)
    if share(_COMPACT, values) >= _MOST:
        sql = f"CAST(to_date({value}, 'YYYYMMDD') AS text)"
        sql = of_one_form(matches(value, _COMPACT), sql, value, "YYYYMMDD")
        exact = f"{matches(value, _COMPACT)} AND {matches(_with_hyphens(value), _real_days('YMD', '-'))}"
        guess = Guess((source.name,), target.name, sql, exact, value, ("read as YYYYMMDD",))
        yield _in_zone(guess, target)
    for separator in _SEPARATORS:
        yield from _separated(source, target, values, _DateStyle(separator, datestyle), value)


def _in_zone(guess: Guess, target: Column) -> Guess:
    """Returns a guess that gives texts without a zone; as a moment each depends on whose clock it was."""
    if target.type.leaf.base != ZONED:
        return guess
    return replace(guess, provable=False, as_utc=read_as_utc(guess.sql, mixed=False))


def _with_hyphens(value: str) -> str:
    return f"regexp_replace({value}, '^(....)(..)(..)$', '\\1-\\2-\\3')"


def _iso_guess(source: Column, target: Column, value: str) -> Guess:
    """Returns the guess that only texts written year first are dates, where others stand between them."""
    base = target.type.leaf.base
    rest = "" if base == "date" else rf"([ T]{_CLOCK}([.][0-9]+)?{_OFFSET if base == ZONED else ''})?"
    form = "-".join((_YEAR, *(_PARTS[part] for part in "MD")))
    sql = of_one_form(matches(value, form + rest), value, value, "YYYY-MM-DD")
    fits = matches(value, _real_days("YMD", "-") + rest)
    guess = Guess((source.name,), target.name, sql, fits, value, ("read as YYYY-MM-DD",), provable=False)
    if base != ZONED:
        return guess
    utc = of_one_form(matches(value, form + rest), read_as_utc(value, mixed=True), value, "YYYY-MM-DD")
    return replace(guess, as_utc=utc)


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
        day_first = day_first or (ambiguous and by_habit)
        return _Order(self.separator, "DMY" if day_first else "MDY", ambiguous)


class _Order(Struct, frozen=True):
    """In which order day, month and year stand."""

    separator: str
    parts: str
    """``D``, ``M`` and ``Y`` in their order; ``y`` is a year of two digits."""
    ambiguous: bool = False
    """No value tells the day from the month."""

    @property
    def template(self) -> str:
        """The order as ``to_date`` takes it."""
        return self.separator.join(_NAMES[part] for part in self.parts)

    @property
    def pattern(self) -> str:
        """The regular expression of a date in this order."""
        return f"[{self.separator}]".join(_PARTS[part] for part in self.parts)

    @property
    def evidence(self) -> str:
        """How it was found, in words."""
        read = f"read as {self.template}"
        if self.ambiguous:
            return f"{read}: no value tells day from month, so look at how they were entered"
        # Day and month between points is the only order that is written so: that needs no proof.
        if self.separator != "." or self.parts != "DMY":
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
    form = matches(value, f"{order.pattern}{clock}")
    sql = of_one_form(form, f"CAST({sql} AS text)", value, order.template)
    fits = matches(value, f"{_real_days(order.parts, bracket)}{clock}")
    evidence, provable = (order.evidence,), not order.ambiguous
    guess = Guess((source.name,), target.name, sql, fits, value, evidence, provable=provable)
    yield _in_zone(guess, target)


def readings(facts: ColumnFacts | None) -> Iterator[str]:
    """Yields how dates of two digits a part, or of contradicting orders, may be read, in words."""
    values = [counted.value.strip() for counted in facts.values] if facts is not None else []
    orders = (_Order(separator, parts) for parts in _ORDERS for separator in _SEPARATORS)
    fitting = [(order, len(list(filter(re.compile(order.pattern).fullmatch, values)))) for order in orders]
    listed = [f"{order.template} ({count} of {len(values)} values)" for order, count in fitting if count]
    if listed:
        yield f"possible readings: {', '.join(listed)}"
        yield "none is suggested: give a transform_sql with the one that was meant"
    if any(count and "y" in order.parts for order, count in fitting):
        yield "to_date takes a year of two digits for one of 1970 to 2069"


# --- numbers


def moments(source: Column, target: Column, values: tuple[str, ...]) -> Iterator[Guess]:
    """Yields how numbers become dates or moments: as year, month and day in one, or as time since 1970."""
    numbers = [int(text) for text in values if re.fullmatch(r"-?[0-9]+", text)]
    if not numbers:
        return
    enough, zoned = len(numbers) * _MOST, target.type.leaf.base == ZONED
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
    text = f"CAST({value} AS text)"
    form = matches(text, _COMPACT)
    sql = of_one_form(form, f"CAST(to_date({text}, 'YYYYMMDD') AS text)", value, "YYYYMMDD")
    fits = f"{value} BETWEEN {first} AND {last} AND {matches(_with_hyphens(text), _real_days('YMD', '-'))}"
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
    sql = of_one_form(fits, f"CAST({moment} AS text)", value, f"{unit} since 1970")
    return Guess((source.name,), target.name, sql, fits, value, tuple(evidence), provable=zoned)
