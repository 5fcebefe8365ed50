"""Conversions between numbers, and between amounts of money and numbers. Pure."""

from __future__ import annotations

from tranship.model.builtin_types import BUILTINS, Family, money_format
from tranship.model.expression import Conversion, Loss, Rule
from tranship.model.types import PgType
from tranship.planning.types.judgement import CAST, SAME, asked, no_conversion

NUMBERS = frozenset({Family.INTEGER, Family.NUMERIC, Family.FLOAT, Family.MONEY})
_EXACT_FLOATS = frozenset({("int2", "float4"), ("int2", "float8"), ("int4", "float8"), ("float4", "float8")})
"""Pairs in which the second type holds every value of the first: float4 holds 24 bits and float8 53."""
_NUMERIC_WITH_INFINITY = 140000


def numeric_modifier(old: PgType, new: PgType) -> Conversion:
    """Judges precision and scale of two numerics."""
    if not new.modifiers:
        return SAME
    precision, scale = _precision_and_scale(new)
    if not old.modifiers:
        return asked(
            Rule.NEW_INPUT, f"any numeric does not fit numeric({precision},{scale})", loss=Loss.ROUNDED
        )
    old_precision, old_scale = _precision_and_scale(old)
    if scale >= old_scale and precision - scale >= old_precision - old_scale:
        return SAME
    what = "the scale shrinks" if scale < old_scale else "fewer digits before the point"
    loss = Loss.ROUNDED if scale < old_scale else Loss.NONE
    why = f"{what}: numeric({old_precision},{old_scale}) to numeric({precision},{scale})"
    return asked(Rule.NEW_INPUT, why, loss=loss)


def _precision_and_scale(numeric: PgType) -> tuple[int, int]:
    return numeric.modifiers[0], numeric.modifiers[1] if len(numeric.modifiers) > 1 else 0


def money_modifier(old: PgType, new: PgType) -> Conversion:
    """Judges two amounts of money by the locales (``lc_monetary``) of their databases."""
    if old.printed_form == new.printed_form:
        return SAME
    was, now = money_format(old.printed_form)[0], money_format(new.printed_form)[0]
    why = f"OLD's money has {was} digits behind the point and NEW's {now} (lc_monetary)"
    if now < was:
        return asked(Rule.NEW_INPUT, why, fallible=False, loss=Loss.ROUNDED)
    return Conversion(Rule.NEW_INPUT, automatic=True, fallible=now > was, why=why if now > was else "")


def number_to_number(old: PgType, new: PgType, new_version: int) -> Conversion:
    """Judges two numbers of different types. ``new_version`` is NEW's ``server_version_num``."""
    if Family.MONEY in (old.family, new.family):
        return _money(old, new)
    match new.family:
        case Family.INTEGER:
            return _to_integer(old, new)
        case Family.NUMERIC:
            return _to_numeric(old, new, new_version)
        case _:
            return _to_float(old, new)


def _money(old: PgType, new: PgType) -> Conversion:
    if new.family is Family.NUMERIC:
        if new.modifiers:
            return asked(
                Rule.NEW_INPUT, f"money loses its currency and may not fit {new.text}", loss=Loss.ROUNDED
            )
        return asked(Rule.OLD_CAST, "money loses its currency", fallible=False)
    if old.family in (Family.INTEGER, Family.NUMERIC):
        loss = Loss.ROUNDED if old.family is Family.NUMERIC else Loss.NONE
        return asked(Rule.NEW_INPUT, "a number becomes an amount of money", loss=loss)
    return no_conversion("there is no direct way to or from money here: give a transform_sql through numeric")


def _to_integer(old: PgType, new: PgType) -> Conversion:
    if old.family is not Family.INTEGER:
        return asked(
            Rule.ROUND, f"fractions are rounded and the range of {new.text} is smaller", loss=Loss.ROUNDED
        )
    if BUILTINS[old.typname].bits < BUILTINS[new.typname].bits:
        return CAST
    return asked(Rule.NEW_INPUT, f"{new.text} holds a smaller range than {old.text}")


def _to_numeric(old: PgType, new: PgType, new_version: int) -> Conversion:
    if old.family is Family.FLOAT:
        if new.modifiers:
            return asked(Rule.NEW_INPUT, f"not every {old.text} fits {new.text}", loss=Loss.ROUNDED)
        return Conversion(Rule.NEW_INPUT, automatic=True, fallible=new_version < _NUMERIC_WITH_INFINITY)
    if not new.modifiers:
        return CAST
    precision, scale = _precision_and_scale(new)
    digits = BUILTINS[old.typname].digits
    if scale >= 0 and precision - scale >= digits:
        return CAST
    why = f"{old.text} needs {digits} digits before the point and {new.text} has {precision - scale}"
    return asked(Rule.NEW_INPUT, why, loss=Loss.ROUNDED if scale < 0 else Loss.NONE)


def _to_float(old: PgType, new: PgType) -> Conversion:
    pair = (old.typname, new.typname)
    if pair in _EXACT_FLOATS:
        return CAST
    if pair == ("int4", "float4"):
        return Conversion(Rule.OLD_CAST, automatic=True, loss=Loss.FLOAT)
    if old.family is Family.INTEGER:
        return asked(
            Rule.OLD_CAST, "a float does not hold every bigint exactly", fallible=False, loss=Loss.FLOAT
        )
    narrower = new.typname == "float4"
    why = "a float keeps fewer digits and a smaller range" if narrower else "a float rounds"
    return asked(Rule.NEW_INPUT, why, loss=Loss.FLOAT)
