"""What NEW holds of a flow, batch by batch, beside what it should hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.proof.expected import Hashing, copied_columns, sums_of
from tranship.model.digest import Sums
from tranship.model.plan import TablePlan
from tranship.server.journal import BatchRow
from tranship.sql import session as statements
from tranship.sql.new.digest import sums_by_transaction

LOW = 0xFFFFFFFF
"""The bits of a transaction number that a row shows as its xmin."""


class TableSums(Struct, frozen=True):
    """The rows of a table of NEW, summed up."""

    by_transaction: Mapping[int, Sums]
    """By the lower 32 bits of the transaction."""
    others: Sums = Sums()
    """Rows that other transactions wrote since the run began."""


async def table_sums(
    new: asyncpg.Connection, job: Job, plan: TablePlan, hashing: Hashing, mine: frozenset[int], oldest: int
) -> TableSums:
    """Reads a table of NEW once, in the caller's transaction.

    ``mine`` are the transactions (32 bits) of all runs that filled the table, ``oldest`` the first of this
    one.
    """
    query = sums_by_transaction(job.after(plan), copied_columns(job, plan), hashing.form(job.new))
    await in_zone(new, plan)
    rows = await new.fetch(query, oldest & LOW)
    others = (sums_of(row) for row in rows if row["later"] and row["xid"] not in mine)
    return TableSums({row["xid"]: sums_of(row) for row in rows}, sum(others, Sums()))


async def in_zone(new: asyncpg.Connection, plan: TablePlan) -> None:
    """Lets a transaction of NEW print moments as the batches of a plan read them."""
    if plan.input_zone is not None:
        await new.execute(statements.set_local("TimeZone", plan.input_zone))


def differing(done: Sequence[BatchRow], there: TableSums) -> list[BatchRow]:
    """Returns the batches whose rows in NEW are not what they should be."""
    return [row for row in done if sums_in(row, there) != row.due]


def sums_in(row: BatchRow, there: TableSums) -> Sums:
    """Returns the sums over what NEW holds of a batch."""
    found = Sums()
    for xid in {xid & LOW for xid in row.xids}:
        found += there.by_transaction.get(xid, Sums())
    return found
