"""Two columns that are one of another type: date and time, latitude and longitude, start and end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.catalog import Column
from tranship.planning.deciding.suggest.concepts import PLACE, names_of, parts_among
from tranship.planning.deciding.suggest.guesses import Guess, of_one_form, reference
from tranship.planning.names.tokens import stems

_DATE, _TIME = "date", "time without time zone"
_STAMP, _ZONED = "timestamp without time zone", "timestamp with time zone"
_MOMENT_WORDS = frozenset({"date", "time", "at", "on", "timestamp"})
"""Words that a date, a time and a timestamp share by their nature: they say nothing of what happened then."""
_STARTS = names_of("start begin from since lower validfrom")
_ENDS = names_of("end finish until to upper validto validuntil")


def clocks(gone: Sequence[Column], come: Sequence[Column]) -> Iterator[Guess]:
    """Yields a date and a time that become a timestamp, and back: where there is one of each, or by a shared
    word.
    """
    for stamp in (column for column in come if column.type.leaf.base in (_STAMP, _ZONED)):
        day, time = _of_type(gone, _DATE, stamp), _of_type(gone, _TIME, stamp)
        if day is not None and time is not None:
            yield _to_timestamp(day, time, stamp)
    for stamp in (column for column in gone if column.type.leaf.base == _STAMP):
        day, time = _of_type(come, _DATE, stamp), _of_type(come, _TIME, stamp)
        if day is not None and time is not None:
            yield _from_timestamp(stamp, day, "date")
            yield _from_timestamp(stamp, time, "time")


def _to_timestamp(day: Column, time: Column, stamp: Column) -> Guess:
    date_value, time_value = reference(day), reference(time)
    fits = f"({date_value} IS NULL) = ({time_value} IS NULL)"
    shown = f"NULLIF(concat_ws(' ', {date_value}, {time_value}), '')"
    sql = f"{date_value} + COALESCE({time_value}, '00:00')"
    evidence = ["a date without a time becomes midnight"]
    if stamp.type.leaf.base == _ZONED:
        evidence.append("read in the time zone of OLD's database")
        evidence.append(f"if the application wrote UTC: transform_sql ({sql}) AT TIME ZONE 'UTC'")
    provable = stamp.type.leaf.base == _STAMP
    return Guess((day.name, time.name), stamp.name, sql, fits, shown, tuple(evidence), provable=provable)


def _from_timestamp(stamp: Column, column: Column, base: str) -> Guess:
    value = reference(stamp)
    sql, evidence = f"CAST({value} AS {base})", (f"the {base} of '{stamp.name}'",)
    # infinity has a date and no time: a row that holds it fits neither way.
    return Guess((stamp.name,), column.name, sql, f"isfinite({value})", value, evidence)


def _of_type(columns: Sequence[Column], base: str, like: Column) -> Column | None:
    """Returns the one column of a type, those that share a word with another column before others."""
    found = [column for column in columns if column.type.leaf.base == base]
    words = set(stems(like.name)) - _MOMENT_WORDS
    kin = [column for column in found if words & set(stems(column.name))]
    chosen = kin or found
    return chosen[0] if len(chosen) == 1 else None


def places(gone: Sequence[Column], come: Sequence[Column]) -> Iterator[Guess]:
    """Yields two numbers that become a point, and back; which of them is x is a convention."""
    evidence = ("x is the longitude and y the latitude, as PostGIS has it: check",)
    for whole in (column for column in come if column.type.leaf.base == "point"):
        parts = parts_among(PLACE, gone, frozenset(stems(whole.name)))
        if len(parts) == 2:
            lat, lng = reference(parts["lat"]), reference(parts["lng"])
            sources = parts["lat"].name, parts["lng"].name
            fits = f"({lat} IS NULL) = ({lng} IS NULL)"
            shown = f"NULLIF(concat_ws(', ', {lat}, {lng}), '')"
            sql = f"point({lng}, {lat})"
            yield Guess(sources, whole.name, sql, fits, shown, evidence, provable=False)
    for whole in (column for column in gone if column.type.leaf.base == "point"):
        value = reference(whole)
        fits, shown = f"{value} IS NOT NULL", f"CAST({value} AS text)"
        for part, column in parts_among(PLACE, come, frozenset(stems(whole.name))).items():
            sql = f"{value}[{1 if part == 'lat' else 0}]"
            yield Guess((whole.name,), column.name, sql, fits, shown, evidence, provable=False)


def ranges(gone: Sequence[Column], come: Sequence[Column]) -> Iterator[Guess]:
    """Yields a range that becomes its two ends, and back."""
    for whole in (column for column in gone if _is_range(column) and column.type.leaf.element is not None):
        yield from _ends_of(whole, come)
    for whole in (column for column in come if _is_range(column) and column.type.leaf.name is not None):
        starts, ends = _named_by(gone, _STARTS), _named_by(gone, _ENDS)
        if len(starts) == 1 and len(ends) == 1:
            yield _range_of(starts[0], ends[0], whole)


def _is_range(column: Column) -> bool:
    return column.type.leaf.kind == "range"


def _named_by(columns: Sequence[Column], words: frozenset[str]) -> list[Column]:
    return [column for column in columns if set(stems(column.name)) & words]


def _ends_of(whole: Column, come: Sequence[Column]) -> Iterator[Guess]:
    value = reference(whole)
    # Two columns cannot say that a range is empty, nor which of its ends belong to it.
    fits = f"NOT isempty({value}) AND lower_inc({value}) AND NOT upper_inc({value})"
    for words, function in ((_STARTS, "lower"), (_ENDS, "upper")):
        evidence = (f"{function} bound of '{whole.name}'; what is not bounded becomes NULL",)
        for column in _named_by(come, words):
            if column.type.leaf.element is None:
                sql = f"{function}({value})"
                yield Guess((whole.name,), column.name, sql, fits, value, evidence, provable=False)


def _range_of(start: Column, end: Column, whole: Column) -> Guess:
    low, high = reference(start), reference(end)
    # A range whose ends are equal is empty without its upper end, and both values would be lost.
    fits = f"({low} < {high}) IS NOT FALSE"
    ends = f"concat_ws(' to ', {low}, {high})"
    made = f"{whole.type.leaf.base}({low}, {high})"
    sql = of_one_form(fits, f"CAST({made} AS text)", ends, "a start before an end")
    evidence = (
        "the lower end belongs to the range, the upper one does not; an end that is NULL is open",
        f"if the upper end belongs to it, too: transform_sql {made[:-1]}, '[]')",
    )
    shown = f"NULLIF({ends}, '')"
    return Guess((start.name, end.name), whole.name, sql, fits, shown, evidence, provable=False)
