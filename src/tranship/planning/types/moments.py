"""Conversions between dates, times, timestamps and intervals. Pure."""

from __future__ import annotations

from tranship.model.builtin_types import Family, smallest_unit
from tranship.model.expression import Conversion, Loss, Rule
from tranship.model.types import PgType
from tranship.planning.types.judgement import SAME, asked, no_conversion

CLOCK = frozenset({Family.DATE, Family.TIME, Family.TIMESTAMP})
_MOST_PRECISION = 6
"""Digits of a second that a type without a modifier keeps."""
_THROUGH_ZONE = frozenset(
    {
        ("date", "timestamptz"),
        ("timestamp", "timestamptz"),
        ("timestamptz", "timestamp"),
        ("timestamptz", "date"),
    }
)


def precision_change(old: PgType, new: PgType) -> Conversion:
    """Judges the digits of a second that two types of the same name keep."""
    was, now = (t.modifiers[0] if t.modifiers else _MOST_PRECISION for t in (old, new))
    if now >= was:
        return SAME
    why = f"fractions of a second are rounded: the precision shrinks from {was} to {now} digits"
    # The last timestamps and intervals would be rounded beyond what the types reach.
    return asked(Rule.NEW_INPUT, why, fallible=new.family is not Family.TIME, loss=Loss.ROUNDED)


def time_to_interval(old: PgType, new: PgType) -> Conversion:
    """Judges a time of day that becomes a duration: a time has hours, minutes and seconds."""
    _, unit = smallest_unit(new.text)
    if unit != "second":
        return no_conversion(f"an {new.text} drops what is smaller than a {unit}: give a transform_sql")
    was, now = (t.modifiers[0] if t.modifiers else _MOST_PRECISION for t in (old, new))
    loss = Loss.ROUNDED if now < was else Loss.NONE
    return asked(Rule.NEW_INPUT, "a time of day becomes a duration", fallible=False, loss=loss)


def interval_modifier(old: PgType, new: PgType) -> Conversion:
    """Judges the smallest unit that two intervals keep, then the digits of their seconds."""
    (was, _), (now, unit) = smallest_unit(old.text), smallest_unit(new.text)
    if now < was:
        why = f"what is smaller than a {unit} is dropped"
        return asked(Rule.NEW_INPUT, why, loss=Loss.FIELDS)
    return precision_change(old, new) if was == now else SAME


def clock_to_clock(old: PgType, new: PgType) -> Conversion:
    """Judges two types of dates and times of different names."""
    pair = (old.typname, new.typname)
    if pair in _THROUGH_ZONE:
        loss = Loss.TRUNCATED if new.family is Family.DATE else Loss.ZONE
        return asked(Rule.ZONE, "the time zone of OLD's database decides which moment is meant", loss=loss)
    match pair:
        case "date", "timestamp":
            # Dates reach further than timestamps: NEW's input refuses the few that do not fit.
            return Conversion(Rule.NEW_INPUT, automatic=True, fallible=True)
        case "timestamp", "date":
            return asked(Rule.OLD_CAST, "the time of day is dropped", fallible=False, loss=Loss.TRUNCATED)
        case "timetz", "time":
            return asked(Rule.NEW_INPUT, "the offset is dropped", fallible=False, loss=Loss.OFFSET)
        case "time", "timetz":
            return no_conversion("the offset would be the one of today: give a transform_sql")
        case _:
            return no_conversion(
                f"a part of the value would be lost or made up on the way to {new.text}: give a transform_sql"
            )
