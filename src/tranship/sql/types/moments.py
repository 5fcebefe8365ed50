"""SQL about dates, times, timestamps and intervals."""

from __future__ import annotations

from tranship.model.builtin_types import MOMENT_WORDS, Builtin, Family, smallest_unit
from tranship.model.expression import Loss
from tranship.model.types import PgType
from tranship.sql.quote import literal
from tranship.sql.types.family import Change, as_text

_DAY = r"[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
"""Four digits come first, so that every DateStyle reads them as the year; the 28th exists in every month."""
_LIMITS = (
    "178956970 years 7 mons 2147483647 days 2562047788:00:54.775807",
    "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775808",
)
"""The largest and the smallest interval before PostgreSQL 17, as IntervalStyle postgres prints them."""
_MOST_DIGITS = 6
"""Digits of a second that the types keep."""
_OFFSET = r"[+-][0-9]{1,2}(:[0-9]{2})*\s*$"
_NOT_MIDNIGHT = r"(^|[^0-9:])([0-9]?[1-9]|[1-9]0):[0-9]{2}|:[0-9]?[1-9]|:[1-9]|:[0-9]{2}\.[0-9]*[1-9]"
_IN_SECONDS = r"[0-9]*\s*(s|ago|$)"
"""What follows the fraction of an interval that counts seconds."""
_MOST_HOURS = 2562047788
"""Hours of the longest time of an interval."""
_DATED = frozenset({Family.DATE, Family.TIMESTAMP})
_NO_ZONE_WORDS = (
    r"\m(jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec|january|february|march|april|august"
    r"|september|october|november|december|sun|mon|tues?|weds?|wednes|thur?s?|fri|sat|satur"
    r"|(sun|mon|tues|wednes|thurs|fri|satur)day|am|pm|ad|bc|at|on)\M"
)
"""Words of a time that are no zone, as PostgreSQL reads them."""
_T_BETWEEN, _PARTED = "([0-9])t([0-9])", r"\1 \2"
_OFFSET_BEHIND = r"(:[0-9]{2}(\.[0-9]*)?|[0-9]t[0-9]{4,6}(\.[0-9]*)?)\s*([ap]m\s*)?[+-][0-9]"
"""An offset stands behind a time of day; a day behind one does after a space and a digit."""

_PART, _TWELVE, _BETWEEN = "[0-9]{1,2}", "0?[1-9]|1[0-2]", r"\s*[-/. ]\s*"
_BEFORE, _BEHIND = r"(?:^|[\s,t])", "(?![0-9:])"
_EITHER_ORDER = (
    rf"{_BEFORE}(?:{_TWELVE}){_BETWEEN}(?:{_TWELVE}){_BETWEEN}[0-9]{{1,7}}{_BEHIND}"
    rf"|{_BEFORE}{_PART}{_BETWEEN}(?:{_PART}|[a-z]{{3,9}}){_BETWEEN}{_PART}{_BEHIND}"
)
"""A date whose parts DateStyle orders: two that both may be the month before a year, or a year of two digits
(PostgreSQL documentation, "Date/Time Input Interpretation").
"""
_SAME_EITHER_WAY = rf"{_BEFORE}0?([0-9]{{1,2}}){_BETWEEN}0?\1{_BETWEEN}[0-9]{{3,7}}{_BEHIND}"


def canonical_timestamp(value: str, row: Builtin) -> str | None:
    """Returns a moment in UTC, whatever the session's zone is."""
    return as_text(f"pg_catalog.timezone('UTC', {value})" if row.zoned else value)


def canonical_time(value: str, row: Builtin) -> str | None:
    """Returns a time of day as text; None for times with an offset, which may be equal and print
    differently.
    """
    return None if row.zoned else as_text(value)


def date_shape(new: PgType) -> str | None:
    """Returns the shape of ISO dates."""
    return f"^{_DAY}$"


def timestamp_shape(new: PgType) -> str | None:
    """Returns the shape of ISO timestamps without a zone; the zone of the session may shift one out of a day
    that exists.
    """
    row = new.builtin
    if row is None or row.zoned:
        return None
    return rf"^{_DAY}([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{{1,6}})?)?)?$"


def dated_takes(value: str, old: PgType, new: PgType) -> str | None:
    """Returns a predicate for what lies within the narrowest of the three ranges: a timestamp's, less a day
    for the zone.
    """
    return f"{value} > '4000-01-01 BC' AND {value} < '200000-01-01'" if old.family in _DATED else None


def without_largest(text: str) -> str:
    """Returns SQL for the printed form of a value that holds intervals, for a server of another range of
    intervals.

    PostgreSQL 17 reads the largest and the smallest interval of earlier versions as infinite. They are sent
    in a form that it refuses.
    """
    held = " OR ".join(f"{text} LIKE {literal(f'%{limit}%')}" for limit in _LIMITS)
    return f"CASE WHEN {held} THEN {text} || ' is out of range' ELSE {text} END"


def without_moments(text: str) -> str:
    """Returns SQL for a text that a date, time or timestamp reads.

    A word for the moment of reading (``today``) is not a value of the row: it would mean something else in
    each batch. Such a text is sent in a form that NEW refuses.
    """
    words = f"(^|[^[:alpha:]])({'|'.join(MOMENT_WORDS)})($|[^[:alpha:]])"
    marked = r"\1\2 is no fixed moment\3"
    exact = f'{text} COLLATE pg_catalog."C"'
    return f"pg_catalog.regexp_replace({exact}, {literal(words)}, {literal(marked)}, 'i')"


def within_limits(value: str, family: Family) -> str:
    """Returns SQL for the text of a timestamp or interval that NEW rounds to fewer digits of a second.

    At the end of what the types reach it would be rounded beyond it, and the server does not notice: it keeps
    a timestamp that it cannot compute with, and before PostgreSQL 17 another interval. Such a value is sent
    in a form that NEW refuses.
    """
    if family is Family.INTERVAL:
        beyond = f"pg_catalog.abs(pg_catalog.date_part('hour', {value})) >= {_MOST_HOURS}"
    else:
        beyond = f"pg_catalog.isfinite({value}) AND {value} >= '294276-12-31 23:59:59.5+00'"
    return f"CASE WHEN {beyond} THEN {as_text(value)} || ' is out of range' ELSE {as_text(value)} END"


def interval_takes(value: str, old: PgType, new: PgType) -> str | None:
    """Returns a predicate for what lies far from infinity, and from the largest value of versions that have
    none.
    """
    if old.family is not Family.INTERVAL:
        return None
    return f"{value} > '-170000000 years' AND {value} < '170000000 years'"


def date_changed(value: str, old: PgType, new: PgType, zone: str) -> Change | None:
    """Returns the rows with a day whose moment depends on a zone."""
    return (Loss.ZONE, f"{value} IS NOT NULL") if new.typname == "timestamptz" else None


def time_changed(value: str, old: PgType, new: PgType, zone: str) -> Change | None:
    """Returns the rows with a time of day that loses its offset or digits of its second."""
    if (old.typname, new.typname) == ("timetz", "time"):
        return Loss.OFFSET, f"{value} IS NOT NULL"
    if new.family is Family.INTERVAL:
        return _digits_lost(value, new)
    return _precision_changed(value, old, new)


def timestamp_changed(value: str, old: PgType, new: PgType, zone: str) -> Change | None:
    """Returns the rows with a timestamp that loses its time of day, passes through a zone, or loses digits of
    its second.
    """
    if new.family is Family.DATE:
        wall = f"pg_catalog.timezone({literal(zone)}, {value})" if old.typname == "timestamptz" else value
        return Loss.TRUNCATED, f"{wall} <> pg_catalog.date_trunc('day', {wall})"
    if new.family is Family.TIMESTAMP and old.typname != new.typname:
        return Loss.ZONE, f"{value} IS NOT NULL"
    if new.family is Family.STRING and old.typname == "timestamptz":
        return Loss.ZONE, f"{value} IS NOT NULL"
    return _precision_changed(value, old, new)


def interval_changed(value: str, old: PgType, new: PgType, zone: str) -> Change | None:
    """Returns the rows with an interval that loses its smaller units, or digits of its second."""
    if new.family is not Family.INTERVAL:
        return None
    if smallest_unit(new.text) < smallest_unit(old.text):
        # By text: as values, 30 days equal a month and a day 24 hours.
        return Loss.FIELDS, f"{as_text(value)} <> {as_text(f'CAST({value} AS {new.text})')}"
    return _precision_changed(value, old, new)


def _precision_changed(value: str, old: PgType, new: PgType) -> Change | None:
    """Returns the rows whose second has more digits than NEW keeps.

    The digits are looked at, not rounded: at the limits of the types rounding raises an error, and NEW judges
    the value. Infinity has no digits.
    """
    return _digits_lost(value, new) if old.typname == new.typname else None


def _digits_lost(value: str, new: PgType) -> Change | None:
    if not new.modifiers:
        return None
    digits = f"CAST(pg_catalog.date_part('microseconds', {value}) AS pg_catalog.int8)"
    return Loss.ROUNDED, f"{digits} % {10 ** (_MOST_DIGITS - new.modifiers[0])} <> 0"


def moment_read(text: str, new: PgType) -> Change | None:
    """Returns the rows with a text of which a date, time, timestamp or interval keeps a part, by its shape.

    A date drops a time of day; the others round fractions of a second.
    """
    if new.family is Family.DATE:
        clock = f"pg_catalog.regexp_replace({text}, {literal(_OFFSET)}, '')"
        return Loss.TRUNCATED, f"{clock} ~ {literal(_NOT_MIDNIGHT)}"
    kept = new.modifiers[0] if new.modifiers else _MOST_DIGITS
    lost = rf"\.[0-9]{{{kept}}}[0-9]*[1-9]"
    if new.family is Family.INTERVAL:
        return Loss.ROUNDED, f"{text} ~* {literal(lost + _IN_SECONDS)}"
    return Loss.ROUNDED, f"{text} ~ {literal(':[0-9]{2}' + lost)}"


def zone_applied(text: str, new: PgType) -> Change | None:
    """Returns the rows with a text that says no time zone, where its reader takes that of the session, by its
    shape.
    """
    if new.typname not in ("timestamptz", "timetz"):
        return None
    # A letter that is left is that of a zone, or of a word such as infinity, which depends on none.
    parts = f"{literal(_T_BETWEEN)}, {literal(_PARTED)}, 'gi'"
    parted = f"pg_catalog.regexp_replace({text}, {parts})"
    said = f"pg_catalog.regexp_replace({parted}, {literal(_NO_ZONE_WORDS)}, '', 'gi') ~* '[a-z]'"
    return Loss.ZONE, f"({text} ~ '[0-9]' AND NOT {text} ~* {literal(_OFFSET_BEHIND)} AND NOT {said})"


def date_order_applied(text: str, new: PgType) -> Change | None:
    """Returns the rows with a text whose day, month and year the session's DateStyle tells apart, by its
    shape.
    """
    if new.family not in _DATED:
        return None
    same = f"{text} ~* {literal(_SAME_EITHER_WAY)}"
    return Loss.DATE_ORDER, f"({text} ~* {literal(_EITHER_ORDER)} AND NOT {same})"
