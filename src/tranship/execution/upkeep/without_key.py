"""Tables of NEW whose rows would come twice if nothing remembered that they were moved."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.model.names import TableName
from tranship.planning.plan.same_values import same_each_time
from tranship.server.journal import Journal, Run
from tranship.sql.queries import query


async def without_key(
    new: asyncpg.Connection, journal: Journal, runs: Sequence[Run]
) -> tuple[TableName, ...]:
    """Returns the tables into which runs wrote rows that no key of NEW tells from the same rows of OLD."""
    filled = {
        batch.batch.flow.new
        for run in runs
        for batch in await journal.batches(new, await journal.tasks(new, run.id), run.id)
        if batch.written
    }
    names = sorted(filled)
    rows = await new.fetch(
        query("unique_columns"), [name.schema for name in names], [name.name for name in names]
    )
    keys = [(TableName(row["schema"], row["name"]), set(row["columns"])) for row in rows]
    told_apart = {table for table, _ in keys}
    for run in runs:
        # A run of an earlier format has no plan on record: there the keys alone decide.
        plan = await journal.plan(new, run)
        for one in plan.tables if plan is not None else ():
            same = same_each_time(one)
            by_key = any(table == one.new and columns <= same for table, columns in keys)
            if one.shape.existing is None and not by_key:
                told_apart.discard(one.new)
    return tuple(name for name in names if name not in told_apart)
