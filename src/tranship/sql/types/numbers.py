"""SQL about integers, numerics, floats and amounts of money."""

from __future__ import annotations

from tranship.model.builtin_types import Builtin, Family, money_format
from tranship.model.expression import Loss
from tranship.model.types import PgType
from tranship.sql.quote import literal
from tranship.sql.types.family import Change, as_text

_COUNTED = frozenset({Family.INTEGER, Family.NUMERIC, Family.FLOAT})
_LARGEST_SCALE = 200
"""Digits that a shape lets pass; numeric takes 131072 before the point, but long texts are rare and NEW may
judge them.
"""


def canonical_numeric(value: str, row: Builtin) -> str | None:
    """Returns a numeric as text without trailing zeros: 1.0 equals 1.00."""
    return as_text(f"pg_catalog.trim_scale({value})")


def canonical_float(value: str, row: Builtin) -> str | None:
    """Returns a float as text, with one text for -0 and 0, which are equal."""
    return f"CASE WHEN {value} = 0 THEN '0' ELSE {as_text(value)} END"


def money_text(value: str, new: PgType) -> str:
    """Returns SQL for a number as the text of an amount that the input function of NEW's ``money`` reads.

    It reads the decimal point of its own locale. A sign that the locale writes otherwise is replaced by
    parentheses, which every locale reads as negative (``cash_in``).
    """
    _, point = money_format(new.printed_form)
    number = f"CAST({value} AS pg_catalog.numeric)"
    text = as_text(number)
    if point != ".":
        text = f"pg_catalog.replace({text}, '.', {literal(point)})"
    if not new.printed_form or "-" in new.printed_form:
        return text
    return f"CASE WHEN {number} < 0 THEN '(' || pg_catalog.ltrim({text}, '-') || ')' ELSE {text} END"


def integer_shape(new: PgType) -> str | None:
    """Returns the shape of integers with one digit fewer than the type's limit has, so that no value is out
    of range.
    """
    row = new.builtin
    return rf"^-?\d{{1,{row.digits - 1}}}$" if row is not None else None


def numeric_shape(new: PgType) -> str | None:
    """Returns the shape of numbers with one digit fewer than there is room for, since rounding may add
    one.
    """
    digits = new.modifiers[0] - new.modifiers[1] - 1 if new.modifiers else 100
    most = min(digits, _LARGEST_SCALE)
    return rf"^-?\d{{1,{most}}}(\.\d{{1,{_LARGEST_SCALE}}})?$" if digits > 0 else None


def float_shape(new: PgType) -> str | None:
    """Digits that can neither overflow nor underflow a float4."""
    return r"^-?\d{1,30}(\.\d{1,5})?$"


def integer_takes(value: str, old: PgType, new: PgType) -> str | None:
    """Numbers within the range; a float only within half of it, since the bound itself is rounded as a
    float.
    """
    row = new.builtin
    if row is None or old.family not in _COUNTED:
        return None
    most = row.high // 2 if old.family is Family.FLOAT else row.high
    return f"{value} >= {-most} AND {value} <= {most}"


def numeric_takes(value: str, old: PgType, new: PgType) -> str | None:
    """Numbers that have room before the point even when rounding adds one to them."""
    if old.family not in _COUNTED:
        return None
    if not new.modifiers:
        # Only infinities are refused, by versions that have none.
        return "true" if old.family is Family.INTEGER else f"{value} NOT IN ('Infinity', '-Infinity')"
    whole = new.modifiers[0] - new.modifiers[1]
    return f"{value} > -(1e{whole} - 1) AND {value} < 1e{whole} - 1" if 0 < whole <= 300 else None


def float_takes(value: str, old: PgType, new: PgType) -> str | None:
    """Returns a predicate for zero and what lies well between the smallest and the largest float."""
    if old.family not in _COUNTED:
        return None
    large, small = ("1e37", "1e-37") if new.typname == "float4" else ("1e307", "1e-307")
    positive, negative = (
        f"{value} > {small} AND {value} < {large}",
        f"{value} < -{small} AND {value} > -{large}",
    )
    return f"{value} = 0 OR ({positive}) OR ({negative})"


def number_changed(value: str, old: PgType, new: PgType, zone: str) -> Change | None:
    """Returns the rows with a number of more digits than NEW's type keeps."""
    match new.family:
        case Family.FLOAT:
            return Loss.FLOAT, _inexact(value, old, new)
        case Family.INTEGER:
            return Loss.ROUNDED, _rounded(value, old, 0)
        case Family.NUMERIC if new.modifiers:
            return Loss.ROUNDED, _rounded(value, old, new.modifiers[1] if len(new.modifiers) > 1 else 0)
        case Family.MONEY if old.family is not Family.INTEGER:
            return Loss.ROUNDED, _rounded(value, old, money_format(new.printed_form)[0])
        case Family.BOOLEAN:
            return Loss.TRUTH, f"{value} NOT IN (0, 1)"
        case _:
            return None


def _rounded(value: str, old: PgType, scale: int) -> str:
    if old.family is not Family.FLOAT:
        exact = f"CAST({value} AS pg_catalog.numeric)"
        return f"{exact} <> pg_catalog.round({exact}, {scale})"
    exact = f"CAST({as_text(value)} AS pg_catalog.numeric)"
    unequal = f"{exact} <> pg_catalog.round({exact}, {scale})"
    return f"CASE WHEN {value} IN ('Infinity', '-Infinity', 'NaN') THEN false ELSE {unequal} END"


def _inexact(value: str, old: PgType, new: PgType) -> str:
    """Returns a predicate for numbers whose nearest float prints as another number; what overflows is a
    reject, not a loss.
    """
    if old.family is Family.FLOAT:
        limit = "CAST('3.4e38' AS pg_catalog.float8)"
        in_range = f"pg_catalog.abs({value}) < {limit} AND ({value} = 0 OR pg_catalog.abs({value}) > 1e-37)"
        return f"CASE WHEN {in_range} THEN CAST({value} AS {new.text}) <> {value} ELSE false END"
    if old.typname == "int8":
        # Through the integer itself: float8 to numeric keeps 15 digits only.
        wide = f"CAST(CAST({value} AS {new.text}) AS pg_catalog.float8)"
        back = f"CAST({wide} AS pg_catalog.int8) <> {value}"
        return f"CASE WHEN {wide} < 9.2e18 AND {wide} > -9.2e18 THEN {back} ELSE {value} IS NOT NULL END"
    limit = "1e37" if new.typname == "float4" else "1e307"
    exact = f"CAST({value} AS pg_catalog.numeric)"
    nearest = f"CAST({exact} AS {new.text})"
    shown = f"CAST({nearest} AS pg_catalog.float8)" if old.family is Family.INTEGER else as_text(nearest)
    size = f"pg_catalog.abs({exact})"
    large_enough = f"{exact} = 0 OR {size} > 1 / CAST({limit} AS pg_catalog.numeric)"
    plain = f"{exact} NOT IN ('NaN') AND {size} < {limit} AND ({large_enough})"
    return f"CASE WHEN {plain} THEN CAST({shown} AS pg_catalog.numeric) <> {exact} ELSE false END"
