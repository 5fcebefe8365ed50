"""What NEW computes for the rows of a run by itself, found and recorded when the run begins, and compared
when it goes on and ends: rows of two meanings do not come together.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.errors import Refused, Stopped
from tranship.errors.codes.runs import NewChangedSince
from tranship.errors.codes.stops import NewDefinitionsChanged
from tranship.execution.context import Job
from tranship.execution.start.dependencies import called_by
from tranship.model.catalog import Column
from tranship.model.dependencies import Computed
from tranship.model.names import TableName
from tranship.planning.plan.found import filled_columns
from tranship.server.journal import Journal, Run, TaskRow
from tranship.sql.queries import query


async def computed(new: asyncpg.Connection, job: Job) -> Computed:
    """Returns what NEW computes for the rows of the job with; ``new`` has an empty search_path."""
    functions = await _called(new, job)
    return Computed(functions, await _facts(new, job, functions))


async def refuse_computed_otherwise(
    new: asyncpg.Connection, journal: Journal, job: Job, run: Run, rows: Sequence[TaskRow]
) -> None:
    """Compares what NEW computes with now with what an unfinished run began with. A run of an earlier version
    recorded nothing; one without unfinished tables computes nothing more.

    Raises:
        Refused: it is not the same.
    """
    then = (await journal.depends(new, run.id)).computed
    if then is None or all(row.done for row in rows):
        return
    changes = await _changes(new, job, then)
    if changes:
        raise Refused(NewChangedSince(run.started, changes))


async def check_computed(new: asyncpg.Connection, job: Job, then: Computed | None) -> None:
    """Compares the functions that NEW computes with once all rows are written. Defaults and the search_path
    are those that ``job`` found when this process began.

    Raises:
        Stopped: they changed.
    """
    changes = await _changes(new, job, then) if then is not None else ()
    if changes:
        raise Stopped(NewDefinitionsChanged(changes))


async def _changes(new: asyncpg.Connection, job: Job, then: Computed) -> tuple[str, ...]:
    """Returns the names of what is not as it was. What came since counts, too: it may hide another one."""
    now = await _facts(new, job, then.functions)
    return tuple(name for name in sorted({*then.facts, *now}) if then.facts.get(name) != now.get(name))


async def _called(new: asyncpg.Connection, job: Job) -> tuple[str, ...]:
    """Returns the bare names of all functions outside of pg_catalog that are called, as far as the catalog
    and the sources tell.
    """
    tables = [plan.new for plan in job.plan.tables]
    places = [(name, None) for name in tables] + [(name, column.name) for name, column in _own_columns(job)]
    schemas, names = [name.schema for name, _ in places], [name.name for name, _ in places]
    known = await new.fetch(query("depends_called"), schemas, names, [column for _, column in places])
    return await called_by(new, {row["name"] for row in known})


async def _facts(new: asyncpg.Connection, job: Job, functions: Sequence[str]) -> dict[str, str]:
    """Returns what stands behind NEW's own columns and the functions of some bare names, by a name for
    people. A body finds what it calls through the search_path, so where there is a function, that counts too.
    """
    facts = {
        f"default of {table}.{column.name}": column.generation or column.default or ""
        for table, column in _own_columns(job)
    }
    if not functions:
        return facts
    # Without the versions of their rows: a dump of NEW that was restored elsewhere has others.
    for row in await new.fetch(query("depends_routines"), []):
        if row["bare"] in functions and row["name"] is not None and row["facts"] is not None:
            facts[row["name"]] = row["facts"]
    return {**facts, "search_path": job.new.search_path}


def _own_columns(job: Job) -> list[tuple[TableName, Column]]:
    """Returns the columns with a default or an expression that NEW fills by itself, each with its table."""
    return [
        (plan.new, column)
        for plan in job.plan.tables
        for filled in (frozenset(filled_columns(plan)),)
        for column in job.after(plan).columns
        if column.name not in filled and (column.generation or column.default)
    ]
