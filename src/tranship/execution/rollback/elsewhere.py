"""Rows of a run that are no longer in the table into which it wrote them.

A partition was detached, a table was exchanged for another one of its name, or it became a partition itself:
a rollback by its name would overlook the rows, or could not reach them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import asyncpg

from tranship.errors import Refused
from tranship.errors.codes.upkeep import RowsElsewhere, TableAttached
from tranship.execution.rollback.written import Written
from tranship.model.catalog import Catalog, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.names import TableName
from tranship.model.resolution import Problem
from tranship.model.visible import pasteable
from tranship.sql.new import rollback as sql_rollback
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.queries import query


async def refuse_elsewhere(new: asyncpg.Connection, catalog: Catalog, tables: Sequence[Written]) -> None:
    """Looks for rows of the run in tables that are not those of the run.

    Raises:
        Refused: there are some; nothing is deleted.
    """
    problems = []
    for written in tables:
        if not written.xids or written.gone:
            continue
        attached = await _attached(new, catalog, written.task.flow.new)
        problems += [attached] if attached is not None else await _moved(new, catalog, written, tables)
    if problems:
        raise Refused(tuple(problems))


async def _attached(new: asyncpg.Connection, catalog: Catalog, table: TableName) -> Problem | None:
    """Returns the problem of a table that is a partition now; the catalog knows it as a part of its root."""
    if catalog.table(table) is not None:
        return None
    row = await new.fetchrow(query("partition_of"), table.schema, table.name)
    if row is None:
        return None
    above = TableName(row["schema"], row["name"])
    return TableAttached(table, above, pasteable(sql_rollback.detach_partition(above, table))).problem()


async def _moved(
    new: asyncpg.Connection, catalog: Catalog, written: Written, tables: Sequence[Written]
) -> list[Problem]:
    """Returns the other tables that hold rows which the run wrote into this one."""
    if written.found >= written.rows:
        return []
    problems, name = [], written.task.flow.new
    # Small tables of a run share transactions: what it wrote into another table is no row of this one.
    of_run = {one.task.flow.new for one in tables}
    for other in _alike(catalog, written):
        if other.name not in of_run:
            count = await new.fetchval(sql_rollback.count_in(relation_to_read(other), written.xids))
            problems += [RowsElsewhere(name, count, other.name).problem()] if count else []
    return problems


def _alike(catalog: Catalog, written: Written) -> Iterator[Table]:
    """Yields the relation that received the rows, and tables with the same columns."""
    table, relation = catalog.table(written.task.flow.new), written.task.relation
    columns = {column.name for column in table.columns} if table is not None else None
    for other in catalog.tables:
        if other.kind not in (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE):
            continue
        received = relation is not None and other.oid == relation.oid
        if received or {column.name for column in other.columns} == columns:
            yield other
