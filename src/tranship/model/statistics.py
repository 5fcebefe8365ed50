"""What ANALYZE has stored about the values of columns. It is apart from the catalog, because data must not
change a fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

from tranship.model.names import ColumnRef, TableName


class ColumnStatistics(Struct, frozen=True):
    """The statistics of one column (PostgreSQL documentation, "pg_stats"); values as the server prints them
    (ISO dates, UTC).
    """

    column: ColumnRef
    null_fraction: float
    """Share of NULLs among all rows, 0 to 1."""
    distinct: float
    """``n_distinct``: the number of different values, or when negative minus that number as a share of the
    rows; 0: unknown.
    """
    width: int
    """Average bytes of a value."""
    common_values: tuple[str, ...] = ()
    """The most common values, most frequent first."""
    common_frequencies: tuple[float, ...] = ()
    """The share of all rows that each of them has, 0 to 1."""
    minimum: str | None = None
    """The lowest bound of the histogram: the least value that is not among the common ones. None: there is no
    histogram.
    """
    maximum: str | None = None
    """The highest bound of the histogram."""
    correlation: float | None = None
    """Between physical order and order of values, -1 to 1; None: the type has no order."""
    rows: float = -1.0
    """Estimated rows of the table; -1: unknown."""

    @property
    def distinct_values(self) -> float | None:
        """Estimated number of different values; None when nothing is known."""
        if self.distinct > 0:
            return self.distinct
        return -self.distinct * self.rows if self.distinct < 0 and self.rows >= 0 else None

    @property
    def covered(self) -> float:
        """Share of the rows without NULL that hold one of ``common_values``; near 1 those are all the values
        there are.
        """
        filled = 1 - self.null_fraction
        return min(1.0, sum(self.common_frequencies) / filled) if filled > 0 else 1.0


class Statistics(Struct, frozen=True, dict=True):
    """The columns of one database that the role may read and ANALYZE has seen, by table and column."""

    columns: tuple[ColumnStatistics, ...] = ()

    @cached_property
    def _by_column(self) -> dict[ColumnRef, ColumnStatistics]:
        return {statistics.column: statistics for statistics in self.columns}

    def of(self, table: TableName, column: str) -> ColumnStatistics | None:
        """Returns what is known about one column; None: it was never analyzed, or the role may not read
        it.
        """
        return self._by_column.get(ColumnRef(table, column))

    def only(self, columns: Iterable[ColumnRef]) -> Statistics:
        """Returns the statistics of these columns alone."""
        wanted = set(columns)
        return Statistics(tuple(statistics for statistics in self.columns if statistics.column in wanted))


class Background(Struct, frozen=True):
    """What is known about both databases beside their catalogs. It supports or contradicts a rename."""

    shared_ancestor: bool = False
    """Both servers have the same system identifier, so equal OIDs mean the same table before a copy of the
    cluster.
    """
    old_statistics: Statistics = Statistics()
    new_statistics: Statistics = Statistics()
    """Of the columns that may have been renamed. Statistics are a reason to ask a person, and in which order;
    they prove nothing.
    """


NOTHING_KNOWN = Background()
