"""Texts and numbers that are dates or numbers written in another way: found on the values, and written as an expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from tranship.model.catalog import Column
from tranship.model.evidence import ColumnFacts
from tranship.model.types import TypeKind
from tranship.planning.comparing.meaning import times, unit_of
from tranship.planning.deciding.suggest.guesses import Guess, matches, reference, share, text_literal
from tranship.planning.names.families import family

_MOST = 0.5
"""The part of the values that must fit before a format is proposed."""
_DAY, _MONTH, _YEAR = "(0?[1-9]|[12][0-9]|3[01])", "(0?[1-9]|1[0-2])", "([0-9]{4})"
_CLOCK = "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_ISO = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T].*)?"
_SEPARATORS = (".", "/", "-")
_DATES = ("date", "timestamp without time zone", "timestamp with time zone")
_NUMBER = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)"
_COMMA = r"[+-]?([0-9]{1,3}([.][0-9]{3})+|[0-9]+)(,[0-9]+)?"
_POINT = r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)([.][0-9]+)?"
_SIGN = r"(?:[€$£¥%]|EUR|USD|GBP|CHF|kg|km|cm|mm)"
_SECONDS = (100_000_000, 5_000_000_000)


def format_guesses(source: Column, target: Column, facts: ColumnFacts | None, datestyle: str) -> list[Guess]:
    """Expressions for one old and one new column, the likeliest first; ``datestyle`` is NEW's.

    None where the server's own input reads the values rightly.
    """
    if facts is None or not facts.values:
        return []
    values = tuple(counted.value.strip() for counted in facts.values if counted.value.strip())
    kinds = family(source.type), target.type.leaf.base
    if kinds[0] == "text" and kinds[1] in _DATES:
        return list(_dates(source, target, values, datestyle, _blank(facts)))
    if kinds[0] == "text" and family(target.type) in ("integer", "decimal"):
        return list(_numbers(source, target, values, _blank(facts)))
    if kinds[0] == "integer" and kinds[1] in _DATES:
        return list(_moments(source, target, values))
    if kinds[0] in ("text", "integer", "decimal") and kinds[1] == "interval":
        return list(_durations(source, target, values))
    if kinds[0] == "text" and target.type.leaf.kind is TypeKind.ARRAY:
        return list(_listed(source, target, values))
    return []


def reads_otherwise(source: Column, target: Column, facts: ColumnFacts | None) -> str:
    """Why the server's own reading of a text as a date is not to be trusted; empty where it is."""
    if family(source.type) != "text" or target.type.leaf.base not in _DATES:
        return ""
    if facts is None:
        return "the data were not asked: texts that are no ISO dates are read by NEW's DateStyle"
    values = tuple(counted.value.strip() for counted in facts.values if counted.value.strip())
    return (
        ""
        if share(_ISO, values) == 1.0 or not facts.filled
        else "texts that are no ISO dates are read by NEW's DateStyle: day and month may change places"
    )


def _blank(facts: ColumnFacts) -> bool:
    return any(not counted.value.strip() for counted in facts.values)


def _value(source: Column, *, blank: bool) -> str:
    """The old text; an empty one is no value."""
    return f"NULLIF(btrim({reference(source)}), '')" if blank else reference(source)


# --- text that is a date -----------------------------------------------------------------------------------------------------------


def _dates(
    source: Column, target: Column, values: tuple[str, ...], datestyle: str, blank: bool
) -> Iterator[Guess]:
    if not values or share(_ISO, values) == 1.0:
        return
    value = _value(source, blank=blank)
    compact = r"[12][0-9]{3}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
    if share(compact, values) >= _MOST:
        yield Guess(
            (source.name,), target.name, f"to_date({value}, 'YYYYMMDD')", matches(value, compact), value
        )
    for separator in _SEPARATORS:
        yield from _separated(source, target, values, separator, datestyle, value)


def _separated(
    source: Column, target: Column, values: tuple[str, ...], separator: str, datestyle: str, value: str
) -> Iterator[Guess]:
    """Day, month and year in an order that the values must give away."""
    bracket = f"[{separator}]"
    clock = rf"(?:[ T]{_CLOCK})?" if target.type.leaf.base != "date" else ""
    any_order = f"[0-9]{{1,2}}{bracket}[0-9]{{1,2}}{bracket}[0-9]{{4}}{clock}"
    dated = [value for value in values if re.fullmatch(any_order, value)]
    if len(dated) < len(values) * _MOST:
        return
    pairs = [tuple(int(part) for part in re.split(bracket, text)[:2]) for text in dated]
    day_first, month_first = any(a > 12 for a, _ in pairs), any(b > 12 for _, b in pairs)
    if day_first and month_first:
        return
    ambiguous = not day_first and not month_first
    reads_day_first = day_first or (ambiguous and (separator == "." or datestyle.endswith("DMY")))
    order = f"DD{separator}MM{separator}YYYY" if reads_day_first else f"MM{separator}DD{separator}YYYY"
    first, second = (_DAY, _MONTH) if reads_day_first else (_MONTH, _DAY)
    pattern = f"{first}{bracket}{second}{bracket}{_YEAR}{clock}"
    sql = f"to_date({value}, {text_literal(order)})"
    if any(":" in text for text in dated):
        rest = f"COALESCE(substring({value} from '[ T](.*)$'), '00:00')"
        sql = f"to_date({value}, {text_literal(order)}) + CAST({rest} AS time)"
    told = f"read as {order}"
    if ambiguous:
        told += ": no value tells day from month, so look at how they were entered"
    elif separator != "." or not reads_day_first:
        told += ": some values leave no other order"
    zoned = target.type.leaf.base == "timestamp with time zone"
    yield Guess(
        (source.name,),
        target.name,
        sql,
        matches(value, pattern),
        value,
        (told,),
        provable=not ambiguous and not zoned,
    )


# --- text that is a number ---------------------------------------------------------------------------------------------------------


def _numbers(source: Column, target: Column, values: tuple[str, ...], blank: bool) -> Iterator[Guess]:
    if not values or share(_NUMBER, values) == 1.0:
        return
    signed = rf"(?:{_SIGN}[\s\u00a0]?)?(?:#)(?:[\s\u00a0]?{_SIGN})?"
    bare = [re.sub(rf"^{_SIGN}[\s\u00a0]?|[\s\u00a0]?{_SIGN}$", "", value) for value in values]
    signs = {sign for value in values for sign in re.findall(_SIGN, value)}
    comma, point = _comma_decides(bare), _point_decides(bare)
    if comma and point:
        return
    body = _COMMA if comma else _POINT
    pattern = signed.replace("#", body) if signs else body
    if share(pattern, values) < _MOST:
        return
    value = _value(source, blank=blank)
    core = f"regexp_replace({value}, '[^0-9.,+-]', '', 'g')" if signs else value
    digits = (
        f"replace(replace({core}, '.', ''), ',', '.')"
        if comma
        else f"replace({core}, ',', '')"
        if any("," in text for text in bare)
        else core
    )
    ambiguous = (
        not comma and not point and any(re.fullmatch(r"[+-]?[0-9]{1,3}[.,][0-9]{3}", text) for text in bare)
    )
    told = [f"read with a decimal {'comma' if comma else 'point'}"]
    if ambiguous:
        told.append("a value like one digit, a separator and three digits could be either: check")
    if signs:
        told.append(f"signs are left out: {', '.join(sorted(signs))}")
    yield Guess(
        (source.name,),
        target.name,
        f"CAST({digits} AS numeric)",
        matches(value, pattern),
        value,
        tuple(told),
        provable=not ambiguous and not signs,
    )


def _comma_decides(values: list[str]) -> bool:
    """A comma that can be nothing but a decimal one."""
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


# --- numbers that are moments, texts that are lists --------------------------------------------------------------------------------


def _moments(source: Column, target: Column, values: tuple[str, ...]) -> Iterator[Guess]:
    numbers = [int(value) for value in values if re.fullmatch(r"-?[0-9]+", value)]
    if not numbers:
        return
    value, name = reference(source), (source.name,)
    dates = [
        n for n in numbers if 19000101 <= n <= 21001231 and 1 <= n // 100 % 100 <= 12 and 1 <= n % 100 <= 31
    ]
    if len(dates) >= len(numbers) * _MOST and target.type.leaf.base != "timestamp with time zone":
        fits = f"{value} BETWEEN 19000101 AND 21001231"
        yield Guess(
            name,
            target.name,
            f"to_date(CAST({value} AS text), 'YYYYMMDD')",
            fits,
            value,
            ("read as year, month and day in one number",),
        )
        return
    low, high = _SECONDS
    for unit, thousand in (("seconds", 1), ("milliseconds", 1000), ("microseconds", 1000000)):
        if sum(low * thousand <= n <= high * thousand for n in numbers) < len(numbers) * _MOST:
            continue
        moment = f"to_timestamp({value})" if thousand == 1 else f"to_timestamp({value} / {thousand}.0)"
        zoned = target.type.leaf.base == "timestamp with time zone"
        fits = f"{value} BETWEEN {low * thousand} AND {high * thousand}"
        told = (
            (f"read as {unit} since 1970",)
            if zoned
            else (f"read as {unit} since 1970", "written in UTC: say another zone if NEW's clock has one")
        )
        yield Guess(
            name,
            target.name,
            moment if zoned else f"{moment} AT TIME ZONE 'UTC'",
            fits,
            value,
            told,
            provable=zoned,
        )
        return


def _durations(source: Column, target: Column, values: tuple[str, ...]) -> Iterator[Guess]:
    """Bare numbers as durations: of the unit that the column says, else of a guess."""
    if share(_NUMBER, values) < _MOST:
        return
    value, said = reference(source), unit_of(source)
    unit = said if said is not None and said.dimension == "time" else None
    seconds = unit.factor if unit is not None and unit.factor is not None else Fraction(1)
    number = f"CAST({value} AS numeric)" if family(source.type) == "text" else value
    sql = f"make_interval(secs => {number if seconds == 1 else times(number, seconds)})"
    fits = matches(f"CAST({value} AS text)", _NUMBER)
    told = (
        f"read as {unit.word}s"
        if unit is not None
        else "bare numbers read as seconds, as the server would: are they minutes or hours?"
    )
    yield Guess((source.name,), target.name, sql, fits, value, (told,), provable=unit is not None)


def _listed(source: Column, target: Column, values: tuple[str, ...]) -> Iterator[Guess]:
    """Texts that list what NEW holds as an array; array literals need no help."""
    if not values or share(_LITERAL, values) == 1.0:
        return
    found = [(sum(separator in value for value in values), separator) for separator in (",", ";", "|")]
    count, separator = max(found, key=lambda pair: pair[0])
    value, told = reference(source), f"cut at every {separator!r}, the blanks around it dropped"
    sql = rf"regexp_split_to_array({value}, '\s*[{separator}]\s*')"
    between = rf"\s*[{separator}]\s*"
    if count == 0:
        sql, between, told = f"string_to_array({value}, ' ')", " ", "cut at every blank"
        if share(_WORDS, values) < 1.0 or not any(" " in text for text in values):
            return
    element = family(target.type).removesuffix("[]")
    if element == "text":
        yield Guess((source.name,), target.name, sql, f"{value} IS NOT NULL", value, (told,), provable=False)
    elif element in ("integer", "decimal"):
        pattern = f"({_NUMBER}({between}{_NUMBER})*)?"
        cast = f"{sql}::{target.type.leaf.text}"
        yield Guess((source.name,), target.name, cast, matches(value, pattern), value, (told,))


_LITERAL = r"\{.*\}"
_WORDS = r"\S+( \S+)*"
