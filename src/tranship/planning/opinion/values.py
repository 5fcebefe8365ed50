"""How the text of a value of one type becomes the text of a value of another, as PostgreSQL prints it."""

from __future__ import annotations

import re
import struct
import uuid
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from tranship.model.builtin_types import Family
from tranship.model.expression import Rule
from tranship.model.names import TableName
from tranship.model.types import PgType, TypeKind
from tranship.planning.opinion.texts import (
    DAY,
    FALSE,
    MOMENT,
    TIME_OF_DAY,
    TRUE,
    Refused,
    Unsure,
    in_utc,
    parsed,
    printed,
    printed_number,
)

Reading = Callable[[str], str]
"""Takes the text of a value that is not NULL. Raises `Refused` or `Unsure`."""


_TEXT = PgType("text", "text", name=TableName("pg_catalog", "text"))
_EXACT = Context(prec=200_000)
"""PostgreSQL's numeric holds 131 072 digits before the point and 16 383 behind it."""
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?", re.ASCII)
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DIGITS_OF_UUID = "[0-9a-fA-F]{4}(-?[0-9a-fA-F]{4}){7}"
_UUID = re.compile(rf"{_DIGITS_OF_UUID}|\{{{_DIGITS_OF_UUID}\}}")
"""A hyphen may follow each four digits, braces stand around the whole or not (PostgreSQL documentation, "UUID
Type").
"""
_BLANKS = " \t\n\v\f\r"

_SAME_TEXT = frozenset(
    {
        *(Family.INTEGER, Family.NUMERIC, Family.FLOAT, Family.BOOLEAN, Family.STRING, Family.BYTES),
        *(Family.DATE, Family.TIME, Family.TIMESTAMP, Family.INTERVAL, Family.UUID, Family.JSON),
        *(Family.NETWORK, Family.HARDWARE, Family.BITS),
    }
)
"""Families whose values have one text on every server, or one that `canonical` makes of it."""
_SAME_IN_ARRAYS = _SAME_TEXT - {Family.FLOAT, Family.TIMESTAMP, Family.JSON}
"""Inside an array `canonical` does not look."""


def reading(old: PgType, new: PgType, rule: Rule) -> Reading | None:
    """Returns how a text of one type becomes a text of another; None: nothing is known of this pair."""
    before, after = old.leaf, new.leaf
    if rule is Rule.ZONE:
        return _through_zone(before, after)
    if after.kind is TypeKind.ENUM and before.kind in (TypeKind.ENUM, TypeKind.BASE):
        named = before.kind is TypeKind.ENUM or _is_string(before)
        return _one_of(after.labels) if named else None
    if _is_string(after) and after.typname in ("text", "varchar", "bpchar"):
        return _into_string(before, after)
    if before.text == after.text:
        return _same if _has_one_text(before, after) else None
    if before.kind is TypeKind.BASE and after.kind is TypeKind.BASE:
        return _between(before, after, rule)
    return None


def given(new: PgType) -> Reading | None:
    """Returns how NEW's input function reads a text that a person wrote."""
    return reading(_TEXT, new, Rule.NEW_INPUT)


def _is_string(pg_type: PgType) -> bool:
    return pg_type.typname in ("text", "varchar", "bpchar")


def _has_one_text(before: PgType, after: PgType) -> bool:
    """Returns whether values of two types of the same name keep their text."""
    if before.kind is TypeKind.ARRAY and before.element is not None and after.element is not None:
        # Domains of the same name may differ.
        inner = before.element.leaf
        known = inner.kind is TypeKind.ENUM or inner.family in _SAME_IN_ARRAYS
        return known and inner.text == after.element.leaf.text and inner.typname != "char"
    return before.family in _SAME_TEXT and before.typname != "char"


def _same(text: str) -> str:
    return text


def _one_of(labels: tuple[str, ...]) -> Reading:
    def label(text: str) -> str:
        if text not in labels:
            raise Refused
        return text

    return label


def _into_string(before: PgType, after: PgType) -> Reading | None:
    """Returns how a value becomes a string: its text, with a length that NEW keeps to."""
    shown = before.family in _SAME_TEXT and before.typname not in ("char", "timestamptz", "timetz", "bytea")
    if before.kind is not TypeKind.ENUM and not shown:
        return None
    length = after.modifiers[0] if after.modifiers else None
    if after.typname == "bpchar" and length is None:
        return None

    def fitting(text: str) -> str:
        if length is None or len(text) <= length:
            return text
        if text[length:].strip(" "):
            raise Refused
        return text[:length]

    return fitting


def _through_zone(before: PgType, after: PgType) -> Reading | None:
    """Returns how a wall-clock time becomes a moment, or a moment one. A wall-clock time comes with the
    offset that OLD's zone has then, a moment as OLD's zone shows it.
    """
    if before.typname in ("date", "timestamp") and after.typname == "timestamptz" and not after.modifiers:
        return in_utc
    if before.typname != "timestamptz" or after.modifiers:
        return None

    def wall(text: str) -> str:
        found = MOMENT.fullmatch(text)
        if found is None:
            raise Unsure
        return found[1] if after.typname == "timestamp" else found[1][:10]

    return wall if after.typname in ("timestamp", "date") else None


def _between(before: PgType, after: PgType, rule: Rule) -> Reading | None:
    """Returns how a value of a built-in type becomes one of another."""
    if before.family is Family.STRING:
        return _from_text(after)
    if after.family is Family.INTEGER:
        return _into_integer(before, after, rule)
    if after.family is Family.NUMERIC:
        return _into_numeric(before, after, rule)
    if after.family is Family.FLOAT:
        return _into_float(before, after, rule)
    if before.family is Family.JSON and after.family is Family.JSON:
        return _same
    if before.family is Family.INTEGER and after.family is Family.BOOLEAN:
        return lambda text: "true" if int(text) else "false"
    return _between_days(before, after)


def _from_text(after: PgType) -> Reading | None:
    """Returns how NEW's input function reads a text."""
    match after.family:
        case Family.INTEGER:
            return _whole(after)
        case Family.NUMERIC:
            return _scaled(after)
        case Family.BOOLEAN:
            return _truth
        case Family.FLOAT:
            return _into_double if after.typname == "float8" else None
        case Family.JSON:
            return _same
        case _:
            return _shaped(after)


def _into_integer(before: PgType, after: PgType, rule: Rule) -> Reading | None:
    match before.family:
        case Family.INTEGER:
            return _whole(after)
        case Family.BOOLEAN:
            return lambda text: "1" if text in TRUE else "0"
        case Family.NUMERIC | Family.FLOAT if rule is Rule.ROUND:
            return _rounded(before, after)
        case _:
            return None


def _into_numeric(before: PgType, after: PgType, rule: Rule) -> Reading | None:
    exact = before.family in (Family.INTEGER, Family.NUMERIC)
    # The cast of a float keeps 15 digits; its text has all.
    as_printed = before.family is Family.FLOAT and rule is Rule.NEW_INPUT
    return _scaled(after) if exact or as_printed else None


def _into_float(before: PgType, after: PgType, rule: Rule) -> Reading | None:
    if after.typname != "float8":
        return None
    if before.family in (Family.INTEGER, Family.NUMERIC):
        return _into_double
    return _widened if before.typname == "float4" and rule is not Rule.NEW_INPUT else None


def _between_days(before: PgType, after: PgType) -> Reading | None:
    """Returns how a day becomes a time of its day, or the other way round; both without a zone."""
    match before.typname, after.typname:
        case "date", "timestamp":
            return _at_midnight
        case "timestamp", "date":
            return _day
        case ("timestamp", "timestamp") | ("timestamptz", "timestamptz"):
            return _precise(after)
        case _:
            return None


def _whole(after: PgType) -> Reading:
    row = after.builtin

    def whole(text: str) -> str:
        trimmed = text.strip(_BLANKS)
        # Later versions read 0x1F and 1_000, earlier ones refuse them.
        if row is None or not _WHOLE_NUMBER.fullmatch(trimmed):
            raise Unsure
        # int() takes no more than 4 300 digits of a text.
        return _in_bounds(int(Decimal(trimmed)), row.low, row.high)

    return whole


def _in_bounds(number: int, low: int, high: int) -> str:
    if not low <= number <= high:
        raise Refused
    return str(number)


def _rounded(before: PgType, after: PgType) -> Reading:
    """Returns how a number is rounded: numeric half away from zero, float half to even."""
    row = after.builtin
    size = ">f" if before.typname == "float4" else ">d"

    def rounded(text: str) -> str:
        if row is None:
            raise Unsure
        if text.lstrip("-") in ("NaN", "Infinity"):
            raise Refused
        if before.family is Family.FLOAT:
            (exact,) = struct.unpack(size, struct.pack(size, float(text)))
            return _in_bounds(round(exact), row.low, row.high)
        number = Decimal(text).to_integral_value(ROUND_HALF_UP, _EXACT)
        return _in_bounds(int(number), row.low, row.high)

    return rounded


def _scaled(after: PgType) -> Reading:
    """Returns how a number is brought to a precision and scale: half away from zero."""

    def scaled(text: str) -> str:
        trimmed = text.strip(_BLANKS)
        try:
            number = Decimal(trimmed)
        except InvalidOperation:
            raise Unsure from None
        if not number.is_finite() or "_" in trimmed:
            raise Unsure
        if not after.modifiers:
            if "e" in trimmed.lower() or not _PLAIN_NUMBER.fullmatch(trimmed):
                raise Unsure
            return printed_number(number)
        precision, scale = after.modifiers
        done = number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _EXACT)
        # Unlike abs(), this keeps every digit.
        if done.copy_abs() >= Decimal(1).scaleb(precision - scale):
            raise Refused
        return printed_number(done)

    return scaled


def _into_double(text: str) -> str:
    trimmed = text.strip(_BLANKS)
    if not _PLAIN_NUMBER.fullmatch(trimmed) or abs(float(trimmed)) == float("inf"):
        raise Unsure
    return repr(float(trimmed))


def _widened(text: str) -> str:
    (exact,) = struct.unpack(">f", struct.pack(">f", float(text)))
    return repr(exact)


def _truth(text: str) -> str:
    word = text.strip(_BLANKS).lower()
    if word not in (*TRUE, *FALSE):
        raise Unsure
    return "true" if word in TRUE else "false"


def _shaped(after: PgType) -> Reading | None:
    """Returns how a text is read that has a form of which nothing but one value can be meant."""
    forms = {"date": DAY, "timestamp": TIME_OF_DAY, "uuid": _UUID}
    form = forms.get(after.typname)
    if form is None or after.modifiers:
        return None

    def shaped(text: str) -> str:
        if form.fullmatch(text) is None:
            raise Unsure
        if form is _UUID:
            return str(uuid.UUID(text))
        try:
            moment = parsed(text if form is TIME_OF_DAY else f"{text} 00:00:00")
        except ValueError:
            raise Unsure from None
        return printed(moment) if form is TIME_OF_DAY else text

    return shaped


def _at_midnight(text: str) -> str:
    if DAY.fullmatch(text) is None:
        raise Unsure
    return f"{text} 00:00:00"


def _day(text: str) -> str:
    if TIME_OF_DAY.fullmatch(text) is None:
        raise Unsure
    return text[:10]


def _precise(after: PgType) -> Reading:
    """Returns how a time is read that has no smaller parts than NEW keeps; others are rounded."""
    digits = after.modifiers[0] if after.modifiers else 6

    def precise(text: str) -> str:
        fraction = re.search(r"\.([0-9]+)", text)
        if fraction is not None and len(fraction[1]) > digits:
            raise Unsure
        return text

    return precise
