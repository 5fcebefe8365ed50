"""What ANALYZE knows about the columns of one database, in one query."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg
import msgspec
from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.names import ColumnRef, TableName
from tranship.model.statistics import ColumnStatistics, Statistics
from tranship.server.catalog.printing import plain_output
from tranship.sql.queries import query

_VALUES = 50


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


async def read_statistics(conn: asyncpg.Connection, tables: Iterable[Table], *, values: int = _VALUES) -> Statistics:
    """Reads the statistics of *tables* inside the caller's transaction, at most *values* common values of each column.

    No row is read and nothing is analyzed: what ANALYZE has not seen, and what the role may not SELECT, is missing.
    """
    wanted = {table.name: table for table in tables}
    async with plain_output(conn):
        records = await conn.fetch(query("statistics_columns"), [table.oid for table in wanted.values()], values)
    found = (msgspec.convert(dict(record), _StatisticsRow) for record in records)
    return Statistics(tuple(_column(row, wanted[TableName(row.schema, row.name)].row_estimate) for row in found))


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
