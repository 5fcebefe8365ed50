"""What NEW holds of a flow, batch by batch, beside what it should hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.proof.expected import Hashing, copied_columns, held_values, sums_of
from tranship.execution.proof.filled import Filled
from tranship.model.digest import Sums
from tranship.model.plan import TablePlan
from tranship.server.journal import BatchRow
from tranship.sql import session as statements
from tranship.sql.new.counting import each
from tranship.sql.new.digest import sums_by_transaction

LOW = 0xFFFFFFFF
"""The bits of a transaction number that a row shows as its xmin."""


class TableSums(Struct, frozen=True):
    """The rows of a table of NEW, summed up."""

    by_transaction: Mapping[int, Sums]
    """By the lower 32 bits of the transaction."""
    others: Sums = Sums()
    """Rows that other transactions wrote since the run began."""
    unlike: Mapping[int, int] = {}
    """By transaction: rows that do not hold what NEW should have filled in."""
    unlike_of_others: int = 0
    """Likewise, of the rows that other transactions wrote since the run began."""

    def unlike_in(self, done: Sequence[BatchRow], *, others: bool) -> int:
        """Returns how many rows of these batches do not hold it; ``others``: and of those of others, which
        may have written rows of these batches anew.
        """
        mine = {xid & LOW for row in done for xid in row.xids}
        return sum(self.unlike.get(xid, 0) for xid in mine) + (self.unlike_of_others if others else 0)


class Subject(Struct, frozen=True):
    """The rows of one flow, and how they are compared."""

    job: Job
    plan: TablePlan
    hashing: Hashing
    filled: Filled = Filled()
    """The columns that NEW fills by itself."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of NEW that are compared."""
        copied = (column.name for column in copied_columns(self.job, self.plan))
        return (*copied, *self.filled.names)


async def table_sums(new: asyncpg.Connection, of: Subject, mine: frozenset[int], oldest: int) -> TableSums:
    """Reads a table of NEW once, in the caller's transaction.

    ``mine`` are the transactions (32 bits) of all runs that filled the table, ``oldest`` the first of this
    one.
    """
    job, plan = of.job, of.plan
    form = of.hashing.form(job.new)
    query = sums_by_transaction(job.after(plan), held_values(job, plan, "t"), form, of.filled.compared)
    await in_zone(new, plan)
    rows = await new.fetch(query, oldest & LOW)
    others = [row for row in rows if row["later"] and row["xid"] not in mine]
    return TableSums(
        {row["xid"]: sums_of(row) for row in rows},
        sum(map(sums_of, others), Sums()),
        {row["xid"]: row["unlike"] for row in rows},
        sum(row["unlike"] for row in others),
    )


async def sums_of_tables(
    new: asyncpg.Connection, of: Sequence[Subject], mine: Sequence[frozenset[int]], oldest: int
) -> list[TableSums]:
    """Reads several tables of NEW in one statement, in the caller's transaction.

    ``mine`` are the transactions (32 bits) in which this run filled each of them, ``oldest`` the first of all
    of these; every other one that is later counts as that of a stranger.
    """
    queries = [
        sums_by_transaction(
            one.job.after(one.plan), held_values(one.job, one.plan, "t"), one.hashing.form(one.job.new)
        )
        for one in of
    ]
    found: list[dict[int, Sums]] = [{} for _ in of]
    others = [Sums() for _ in of]
    for row in await new.fetch(each(queries), oldest & LOW) if queries else ():
        found[row["n"]][row["xid"]] = sums_of(row)
        if row["later"] and row["xid"] not in mine[row["n"]]:
            others[row["n"]] += sums_of(row)
    return [TableSums(sums, strangers) for sums, strangers in zip(found, others, strict=True)]


async def in_zone(new: asyncpg.Connection, plan: TablePlan) -> None:
    """Lets a transaction of NEW print moments as the batches of a plan read them."""
    if plan.input_zone is not None:
        await new.execute(statements.set_local("TimeZone", plan.input_zone))


def differing(done: Sequence[BatchRow], there: TableSums) -> list[BatchRow]:
    """Returns the batches whose rows in NEW are not what they should be."""
    return [row for row in done if _differs(row, sums_in(row, there))]


def _differs(row: BatchRow, held: Sums) -> bool:
    """Returns whether a batch differs; one that is not in the sample is only counted."""
    return held.rows != row.written if row.sums is None else held != row.sums


def sums_in(row: BatchRow, there: TableSums) -> Sums:
    """Returns the sums over what NEW holds of a batch."""
    found = Sums()
    for xid in {xid & LOW for xid in row.xids}:
        found += there.by_transaction.get(xid, Sums())
    return found
