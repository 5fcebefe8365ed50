"""What the servers' ANALYZE knows about the values. Kept apart from the catalog: data must not change a fingerprint."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

from tranship.model.names import ColumnRef, TableName


class ColumnStatistics(Struct, frozen=True):
    """One column as ``pg_stats`` shows it; values as the server prints them (ISO dates, UTC)."""

    column: ColumnRef
    null_fraction: float
    """Share of NULLs among all rows, 0 to 1."""
    distinct: float
    """``n_distinct``: a number of values, or when negative minus their share of the rows; 0 unknown."""
    width: int
    """Average bytes of a value."""
    common_values: tuple[str, ...] = ()
    """The most common values, most frequent first."""
    common_frequencies: tuple[float, ...] = ()
    """Their shares of all rows."""
    minimum: str | None = None
    """The lowest bound of the histogram: the least value that is not among the common ones."""
    maximum: str | None = None
    correlation: float | None = None
    """Between physical order and order of values, -1 to 1."""
    rows: float = -1.0
    """Estimated rows of the table, -1 unknown."""

    @property
    def distinct_values(self) -> float | None:
        """Estimated number of distinct values; None when nothing is known."""
        if self.distinct > 0:
            return self.distinct
        return -self.distinct * self.rows if self.distinct < 0 and self.rows >= 0 else None

    @property
    def covered(self) -> float:
        """Share of the rows, NULLs apart, that hold one of ``common_values``: near 1, they are all the values there are."""
        filled = 1 - self.null_fraction
        return min(1.0, sum(self.common_frequencies) / filled) if filled > 0 else 1.0


class Statistics(Struct, frozen=True, dict=True):
    """The columns of one database that the role may read and ANALYZE has seen, by table and column."""

    columns: tuple[ColumnStatistics, ...] = ()

    @cached_property
    def _by_column(self) -> dict[ColumnRef, ColumnStatistics]:
        return {statistics.column: statistics for statistics in self.columns}

    def of(self, table: TableName, column: str) -> ColumnStatistics | None:
        """What is known about one column; None: never analyzed, or not ours to read."""
        return self._by_column.get(ColumnRef(table, column))

    def only(self, columns: Iterable[ColumnRef]) -> Statistics:
        """Those of the given columns."""
        wanted = set(columns)
        return Statistics(tuple(statistics for statistics in self.columns if statistics.column in wanted))


class Background(Struct, frozen=True):
    """What is known of both databases beside their catalogs: it speaks for or against taking two tables or columns for the same."""

    shared_ancestor: bool = False
    """Both servers have the same system identifier, so that equal OIDs mean the same physical table."""
    old_statistics: Statistics = Statistics()
    new_statistics: Statistics = Statistics()
    """Of the columns that may have got another name: only ever a reason to ask, and in which order."""


NOTHING_KNOWN = Background()
