"""What the values themselves say: a veto where they could not have gone over, a leaning among the questions, never a proof."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

from tranship.model.catalog import Column, Table
from tranship.model.statistics import ColumnStatistics
from tranship.planning.names.families import family
from tranship.planning.printed.allowed_values import allowed_values

_Value = TypeVar("_Value", float, str)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-")
_TRUTHS = frozenset(["t", "f", "true", "false", "y", "n", "yes", "no", "1", "0", "on", "off"])
_BITS = {"smallint": 15, "integer": 31, "bigint": 63}

ENOUGH_ROWS = 100
"""Fewer analyzed rows than this say nothing."""
MOSTLY_NULL = 0.5
NEARLY_ALL = 0.95
SOME = 0.005
"""A share of NULLs that is no chance."""
WIDER = 4.0
"""Average widths of texts that differ by more than this factor are different things (a text and its digest)."""


def misfits(
    before: Column, after: Column, old: ColumnStatistics | None, new: ColumnStatistics | None
) -> Iterator[str]:
    """Why OLD's values do not belong into this new column."""
    if old is None or not _enough(old):
        return
    if after.refuses_null and not before.refuses_null and old.null_fraction >= MOSTLY_NULL:
        yield f"{old.null_fraction:.0%} of the old values are NULL, which the new column refuses"
    limit = _limit(after)
    if limit and old.width > limit * WIDER:
        yield f"old values are {old.width} bytes wide on average, the new column holds {limit} characters"
    if new is not None and new.rows >= ENOUGH_ROWS:
        yield from _differences(before, old, new)


def leanings(
    before: Column, table: Table, after: Column, old: ColumnStatistics | None, new: ColumnStatistics | None
) -> Iterator[tuple[float, str]]:
    """What the values say for (above 0) or against a pair, as log-odds and in words. ``table`` is that of the new column."""
    if old is None or not _enough(old):
        return
    yield from _against_declaration(before, table, after, old)
    if new is not None and new.rows >= ENOUGH_ROWS and family(before.type) == family(after.type):
        yield from _alike(before, old, new)


def _enough(statistics: ColumnStatistics) -> bool:
    return not 0 <= statistics.rows < ENOUGH_ROWS


def _limit(column: Column) -> int | None:
    """Characters that a text column holds at most."""
    leaf = column.type.leaf
    return leaf.modifiers[0] if family(leaf) == "text" and leaf.modifiers else None


def _differences(before: Column, old: ColumnStatistics, new: ColumnStatistics) -> Iterator[str]:
    """Both sides hold rows: values of one column resemble those of the other."""
    if old.null_fraction >= NEARLY_ALL and new.null_fraction <= 1 - NEARLY_ALL:
        yield "the old column is nearly all NULL, the new one nearly never"
    if (
        family(before.type) == "text"
        and min(old.width, new.width) > 0
        and max(old.width, new.width) > WIDER * min(old.width, new.width)
    ):
        yield f"average widths differ ({old.width} and {new.width} bytes)"
    if (
        min(old.covered, new.covered) >= NEARLY_ALL
        and old.common_values
        and not set(old.common_values) & set(new.common_values)
    ):
        yield "no common value of one side occurs among those of the other"
    if _apart(_numbers(before, old), _numbers(before, new)) or _apart(
        _dates(before, old), _dates(before, new)
    ):
        yield "the ranges of the values do not touch"


def _against_declaration(
    before: Column, table: Table, after: Column, old: ColumnStatistics
) -> Iterator[tuple[float, str]]:
    """OLD's values against what NEW declares."""
    if after.refuses_null and not before.refuses_null and SOME <= old.null_fraction < MOSTLY_NULL:
        yield -1.5, f"{old.null_fraction:.0%} of the old values are NULL, which the new column refuses"
    limit = _limit(after)
    if limit and limit < old.width <= limit * WIDER:
        yield (
            -1.5,
            f"old values are {old.width} bytes wide on average, the new column holds {limit} characters",
        )
    bits, numbers = _BITS.get(after.type.leaf.base), _numbers(before, old)
    if bits and numbers and max(numbers) >= 2**bits:
        yield -2.0, f"old values go beyond {after.type.text}"
    if before.type.leaf.base != "boolean":
        yield from _against_list(allowed_values(table, after), old, boolean=after.type.leaf.base == "boolean")


def _against_list(
    allowed: tuple[str, ...], old: ColumnStatistics, *, boolean: bool
) -> Iterator[tuple[float, str]]:
    """OLD's values against the few that NEW allows."""
    if not allowed:
        return
    words = _TRUTHS if boolean else frozenset(value.casefold() for value in allowed)
    met = sum(value.casefold() in words for value in old.common_values)
    if (old.distinct_values or 0.0) > 3 * len(words):
        yield (
            -3.0,
            f"about {old.distinct_values:.0f} distinct values in OLD, of {len(allowed)} that the new column allows",
        )
    elif old.common_values and old.covered >= NEARLY_ALL and met == len(old.common_values):
        yield 1.5 if boolean else 3.5, "all common old values are among those that the new column allows"
    elif old.common_values and old.covered >= NEARLY_ALL and not met:
        yield -3.0, "no common old value is among those that the new column allows"


def _alike(before: Column, old: ColumnStatistics, new: ColumnStatistics) -> Iterator[tuple[float, str]]:
    """Both sides hold rows: how far their values look like those of one column."""
    here, there = (dict(zip(s.common_values, s.common_frequencies, strict=False)) for s in (old, new))
    if here and there and min(old.covered, new.covered) >= MOSTLY_NULL:
        shared = sum(min(here[value], there[value]) for value in here.keys() & there.keys())
        share = shared / max(sum(here.values()), sum(there.values()), 1e-9)
        if share >= 0.5:
            yield (
                2.0,
                f"{len(here.keys() & there.keys())} common values are the same on both sides, about as often",
            )
        elif share < 0.05:
            yield -1.5, "hardly a common value is the same on both sides"
    if abs(old.null_fraction - new.null_fraction) >= 0.3:
        yield (
            -1.0,
            f"{old.null_fraction:.0%} of the old values are NULL, {new.null_fraction:.0%} of the new ones",
        )
    elif (
        min(old.null_fraction, new.null_fraction) >= SOME
        and abs(old.null_fraction - new.null_fraction) <= 0.05
    ):
        yield 0.5, f"about {new.null_fraction:.0%} of the values are NULL on both sides"
    least, most = sorted((old.distinct_values or 0.0, new.distinct_values or 0.0))
    if least > 0 and most > 10 * least * max(
        1.0, max(old.rows, new.rows) / max(1.0, min(old.rows, new.rows))
    ):
        yield (
            -1.0,
            f"about {old.distinct_values:.0f} distinct values in OLD, {new.distinct_values:.0f} in NEW",
        )
    if _together(_numbers(before, old), _numbers(before, new)) or _together(
        _dates(before, old), _dates(before, new)
    ):
        yield 0.7, "the values span nearly the same range on both sides"


def _known(statistics: ColumnStatistics) -> list[str]:
    ends = [value for value in (statistics.minimum, statistics.maximum) if value is not None]
    return [*statistics.common_values, *ends]


def _numbers(column: Column, statistics: ColumnStatistics) -> list[float]:
    values = _known(statistics) if family(column.type) in {"integer", "decimal"} else []
    return [float(value) for value in values if _NUMBER.fullmatch(value)]


def _dates(column: Column, statistics: ColumnStatistics) -> list[str]:
    """ISO dates of four-digit years: their text sorts as they do."""
    values = _known(statistics) if family(column.type) in {"date", "timestamp"} else []
    return [value for value in values if _DATE.match(value) and not value.endswith("BC")]


def _apart(left: list[_Value], right: list[_Value]) -> bool:
    return bool(left) and bool(right) and (max(left) < min(right) or max(right) < min(left))


def _together(left: list[_Value], right: list[_Value]) -> bool:
    """Both lists reach equally far, more than one value each."""
    if len(set(left)) < 2 or len(set(right)) < 2:
        return False
    if all(isinstance(value, str) for value in (*left, *right)):
        return (str(min(left))[:7], str(max(left))[:7]) == (str(min(right))[:7], str(max(right))[:7])
    low, high = sorted(map(float, (min(left), min(right)))), sorted(map(float, (max(left), max(right))))
    return high[0] - low[1] >= 0.8 * (high[1] - low[0]) > 0
