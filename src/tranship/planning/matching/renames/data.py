"""What the statistics of the values say: a veto where they cannot be the same, a leaning among questions, no
proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

from tranship.model.catalog import Column, Table
from tranship.model.count import count_of
from tranship.model.statistics import ColumnStatistics
from tranship.planning.names.families import family
from tranship.planning.printed.allowed_values import allowed_values

_Value = TypeVar("_Value", float, str)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-")
_TRUTHS = frozenset(["t", "f", "true", "false", "y", "n", "yes", "no", "1", "0", "on", "off"])
_BITS = {"smallint": 15, "integer": 31, "bigint": 63}

ENOUGH_ROWS = 100
"""Fewer analyzed rows than this say nothing: shares would move by a percent with each of them."""
MOSTLY_NULL = 0.5
NEARLY_ALL = 0.95
SOME = 0.005
"""A share of NULLs that is no chance: ANALYZE samples 30 000 rows by default, 150 of which it is."""
WIDER = 4.0
"""Average widths of texts that differ by more than this factor are of different things (a text and its
digest).
"""


def misfits(
    before: Column, after: Column, old: ColumnStatistics | None, new: ColumnStatistics | None
) -> Iterator[str]:
    """Yields why OLD's values do not belong into a new column."""
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
    """Yields what the values say for (above 0) or against a pair, as log-odds and in words.

    ``table`` is that of the new column. The log-odds were chosen by hand; none of them outweighs a name that
    fits.
    """
    if old is None or not _enough(old):
        return
    yield from _against_declaration(before, table, after, old)
    if new is not None and new.rows >= ENOUGH_ROWS and family(before.type) == family(after.type):
        yield from _alike(before, old, new)


def _enough(statistics: ColumnStatistics) -> bool:
    return not 0 <= statistics.rows < ENOUGH_ROWS


def _limit(column: Column) -> int | None:
    """Returns how many characters a text column holds at most; None without a limit."""
    leaf = column.type.leaf
    return leaf.modifiers[0] if family(leaf) == "text" and leaf.modifiers else None


def _differences(before: Column, old: ColumnStatistics, new: ColumnStatistics) -> Iterator[str]:
    """Yields how the values of two columns differ too much to be of one column; both sides hold rows."""
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
    """Yields what OLD's values say about NEW's declaration."""
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
    """Yields what OLD's values say about the few values that NEW allows."""
    if not allowed:
        return
    words = _TRUTHS if boolean else frozenset(map(str.casefold, allowed))
    matching = sum(value.casefold() in words for value in old.common_values)
    representative = bool(old.common_values) and old.covered >= NEARLY_ALL
    # One value may have several spellings, and ANALYZE only estimates their number: three times as many are
    # too many.
    if (old.distinct_values or 0.0) > 3 * len(words):
        distinct = f"about {old.distinct_values:.0f} distinct values in OLD"
        yield -3.0, f"{distinct}, of {len(allowed)} that the new column allows"
    elif representative and matching == len(old.common_values):
        # Every flag has the values of every other flag: that says less than a list of words.
        yield 1.5 if boolean else 3.5, "all common old values are among those that the new column allows"
    elif representative and not matching:
        yield -3.0, "no common old value is among those that the new column allows"


def _alike(before: Column, old: ColumnStatistics, new: ColumnStatistics) -> Iterator[tuple[float, str]]:
    """Yields how far the values of two columns look like those of one column; both sides hold rows."""
    yield from _alike_common_values(old, new)
    yield from _alike_nulls(old, new)
    least, most = sorted((old.distinct_values or 0.0, new.distinct_values or 0.0))
    # Distinct values grow with the rows: only what is beyond that growth says something.
    growth = max(1.0, max(old.rows, new.rows) / max(1.0, min(old.rows, new.rows)))
    if least > 0 and most > 10 * least * growth:
        numbers = f"about {old.distinct_values:.0f} distinct values in OLD, {new.distinct_values:.0f} in NEW"
        yield -1.0, numbers
    numbers_alike = _together(_numbers(before, old), _numbers(before, new))
    if numbers_alike or _together(_dates(before, old), _dates(before, new)):
        yield 0.7, "the values span nearly the same range on both sides"


def _alike_common_values(old: ColumnStatistics, new: ColumnStatistics) -> Iterator[tuple[float, str]]:
    here, there = (dict(zip(s.common_values, s.common_frequencies, strict=False)) for s in (old, new))
    # Where the common values are less than half of all, two samples of one column may differ in them.
    if not here or not there or min(old.covered, new.covered) < MOSTLY_NULL:
        return
    common = here.keys() & there.keys()
    shared = sum(min(here[value], there[value]) for value in common)
    share = shared / max(sum(here.values()), sum(there.values()), 1e-9)
    if share >= 0.5:
        are = "is" if len(common) == 1 else "are"
        yield 2.0, f"{count_of(len(common), 'common value')} {are} the same on both sides, about as often"
    elif share < 0.05:
        yield -1.5, "hardly a common value is the same on both sides"


def _alike_nulls(old: ColumnStatistics, new: ColumnStatistics) -> Iterator[tuple[float, str]]:
    difference = abs(old.null_fraction - new.null_fraction)
    if difference >= 0.3:
        yield (
            -1.0,
            f"{old.null_fraction:.0%} of the old values are NULL, {new.null_fraction:.0%} of the new ones",
        )
    elif min(old.null_fraction, new.null_fraction) >= SOME and difference <= 0.05:
        yield 0.5, f"about {new.null_fraction:.0%} of the values are NULL on both sides"


def _known(statistics: ColumnStatistics) -> list[str]:
    ends = [value for value in (statistics.minimum, statistics.maximum) if value is not None]
    return [*statistics.common_values, *ends]


def _numbers(column: Column, statistics: ColumnStatistics) -> list[float]:
    values = _known(statistics) if family(column.type) in {"integer", "decimal"} else []
    return [float(value) for value in values if _NUMBER.fullmatch(value)]


def _dates(column: Column, statistics: ColumnStatistics) -> list[str]:
    """Returns the known dates with four-digit years: as ISO text they sort as they do as dates."""
    values = _known(statistics) if family(column.type) in {"date", "timestamp"} else []
    return [value for value in values if _DATE.match(value) and not value.endswith("BC")]


def _apart(left: list[_Value], right: list[_Value]) -> bool:
    return bool(left) and bool(right) and (max(left) < min(right) or max(right) < min(left))


def _together(left: list[_Value], right: list[_Value]) -> bool:
    """Returns whether both lists span nearly the same range, with more than one value each."""
    if len(set(left)) < 2 or len(set(right)) < 2:
        return False
    if all(isinstance(value, str) for value in (*left, *right)):
        return (str(min(left))[:7], str(max(left))[:7]) == (str(min(right))[:7], str(max(right))[:7])
    low, high = sorted(map(float, (min(left), min(right)))), sorted(map(float, (max(left), max(right))))
    return high[0] - low[1] >= 0.8 * (high[1] - low[0]) > 0
