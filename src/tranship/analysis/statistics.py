"""Reads what ANALYZE has stored about the columns of one database, in one query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Catalog, Table
from tranship.model.names import ColumnRef, TableName
from tranship.model.statistics import ColumnStatistics, Statistics
from tranship.server.catalog.printing import plain_output
from tranship.sql.evidence import TIMEOUT
from tranship.sql.queries import query

_VALUES = 50
_FEW_VALUES = 20
"""Common values of a column that are read; fewer where many columns are, because the changes file keeps
them.
"""
_LONGEST = 64
"""Characters of a common value that are kept: enough to tell values apart."""
_MOST_COLUMNS = 10_000
"""Columns of one side that get statistics, so that the changes file stays readable; further ones get none."""


class _StatisticsRow(Struct, frozen=True):
    schema: str
    name: str
    column: str
    null_fraction: float
    distinct: float
    width: int
    common_values: tuple[str, ...] | None
    common_frequencies: tuple[float, ...] | None
    minimum: str | None
    maximum: str | None
    correlation: float | None


async def read_statistics(
    conn: asyncpg.Connection, tables: Iterable[Table], *, values: int = _VALUES
) -> Statistics:
    """Returns the statistics of *tables*, read in the caller's transaction, with at most *values* common
    values per column.

    It reads no rows and analyzes nothing. Columns that ANALYZE has not seen, and those that the role may not
    SELECT, are missing.
    """
    wanted = {table.name: table for table in tables}
    async with plain_output(conn):
        records = await conn.fetch(
            query("statistics_columns"), [table.oid for table in wanted.values()], values
        )
    found = (msgspec.convert(dict(record), _StatisticsRow) for record in records)
    return Statistics(
        tuple(_column(row, wanted[TableName(row.schema, row.name)].row_estimate) for row in found)
    )


async def read_few(
    conn: asyncpg.Connection, catalog: Catalog, columns: Sequence[ColumnRef], *, seconds: float
) -> Statistics:
    """Returns the statistics of some columns, with few and short values, read in a read-only transaction of
    its own.

    Raises:
        asyncpg.PostgresError: there is no answer within ``seconds``, or the role may not read them.
        UnicodeDecodeError: a value is no text (an SQL_ASCII database).
    """
    wanted = tuple(columns[:_MOST_COLUMNS])
    named = {ref.table for ref in wanted}
    tables = [t for t in catalog.tables if t.name in named]
    if not tables:
        return Statistics()
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        await conn.execute(TIMEOUT, str(max(int(seconds * 1000), 1)))
        found = await read_statistics(conn, tables, values=_FEW_VALUES)
    return Statistics(tuple(_short(statistics) for statistics in found.only(wanted).columns))


def _short(statistics: ColumnStatistics) -> ColumnStatistics:
    low, high = (
        end if end is not None and len(end) <= _LONGEST else None
        for end in (statistics.minimum, statistics.maximum)
    )
    return replace(
        statistics,
        common_values=tuple(value[:_LONGEST] for value in statistics.common_values),
        minimum=low,
        maximum=high,
    )


def _column(row: _StatisticsRow, rows: float) -> ColumnStatistics:
    return ColumnStatistics(
        column=ColumnRef(TableName(row.schema, row.name), row.column),
        null_fraction=row.null_fraction,
        distinct=row.distinct,
        width=row.width,
        common_values=row.common_values or (),
        common_frequencies=row.common_frequencies or (),
        minimum=row.minimum,
        maximum=row.maximum,
        correlation=row.correlation,
        rows=rows,
    )
