"""Whether the values themselves could have gone from one column to the other: statistics as a veto, never as a proof."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

from tranship.model.catalog import Column
from tranship.model.statistics import ColumnStatistics
from tranship.planning.renames.families import family

_Value = TypeVar("_Value", float, str)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-")

ENOUGH_ROWS = 100
"""Fewer analyzed rows than this say nothing."""
MOSTLY_NULL = 0.5
NEARLY_ALL = 0.95
WIDER = 4.0
"""Average widths of texts that differ by more than this factor are different things (a text and its digest)."""


def misfits(before: Column, after: Column, old: ColumnStatistics | None, new: ColumnStatistics | None) -> Iterator[str]:
    """Why OLD's values do not belong into this new column."""
    if old is None or 0 <= old.rows < ENOUGH_ROWS:
        return
    if after.refuses_null and not before.refuses_null and old.null_fraction >= MOSTLY_NULL:
        yield f"{old.null_fraction:.0%} of the old values are NULL, which the new column refuses"
    limit = after.type.leaf.modifiers
    if family(after.type) == "text" and limit and old.width > limit[0] * WIDER:
        yield f"old values are {old.width} bytes wide on average, the new column holds {limit[0]} characters"
    if new is not None and new.rows >= ENOUGH_ROWS:
        yield from _differences(before, old, new)


def _differences(before: Column, old: ColumnStatistics, new: ColumnStatistics) -> Iterator[str]:
    """Both sides hold rows: values of one column resemble those of the other."""
    if old.null_fraction >= NEARLY_ALL and new.null_fraction <= 1 - NEARLY_ALL:
        yield "the old column is nearly all NULL, the new one nearly never"
    if family(before.type) == "text" and min(old.width, new.width) > 0 and max(old.width, new.width) > WIDER * min(old.width, new.width):
        yield f"average widths differ ({old.width} and {new.width} bytes)"
    if min(old.covered, new.covered) >= NEARLY_ALL and old.common_values and not set(old.common_values) & set(new.common_values):
        yield "no common value of one side occurs among those of the other"
    if _apart(_numbers(before, old), _numbers(before, new)) or _apart(_dates(before, old), _dates(before, new)):
        yield "the ranges of the values do not touch"


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
