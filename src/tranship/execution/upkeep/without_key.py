"""Tables of NEW whose rows would come twice if nothing remembered that they were moved."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.planning.plan.same_values import same_each_time
from tranship.server.journal import Journal, Run
from tranship.sql.queries import query


async def without_key(
    new: asyncpg.Connection, journal: Journal, runs: Sequence[Run]
) -> tuple[TableName, ...]:
    """Returns the tables into which runs wrote rows that no key of NEW tells from the same rows of OLD."""
    names = sorted(await _filled(new, journal, runs))
    rows = await new.fetch(
        query("unique_columns"), [name.schema for name in names], [name.name for name in names]
    )
    keys = [(TableName(row["schema"], row["name"]), set(row["columns"])) for row in rows]
    told_apart = {table for table, _ in keys}
    for run in runs:
        # A run of an earlier format has no plan on record: there the keys alone decide.
        plan = await journal.plan(new, run)
        told_apart -= {one.new for one in (plan.tables if plan is not None else ()) if _comes_anew(one, keys)}
    return tuple(name for name in names if name not in told_apart)


async def _filled(new: asyncpg.Connection, journal: Journal, runs: Sequence[Run]) -> set[TableName]:
    """Returns the tables into which runs wrote rows."""
    return {
        batch.batch.flow.new
        for run in runs
        for batch in await journal.batches(new, await journal.tasks(new, run.id), run.id)
        if batch.written
    }


def _comes_anew(plan: TablePlan, keys: Sequence[tuple[TableName, set[str]]]) -> bool:
    """Returns whether no key of NEW and no decision finds the rows of a flow that are there already."""
    same = same_each_time(plan)
    by_key = any(table == plan.new and columns <= same for table, columns in keys)
    return plan.shape.existing is None and not by_key
