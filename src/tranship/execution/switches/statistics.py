"""ANALYZE of the tables that a run filled: until then NEW plans queries as if they were empty.

It is a service, so nothing that goes wrong with it is a failure of the run.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.execution.active_run import ActiveRun
from tranship.execution.resilience.connection import Session
from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.model.notes import NotAnalyzed
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql import session as statements
from tranship.sql.new.maintenance import analyze
from tranship.sql.queries import query

_AT_ONCE = 50
"""Tables in one transaction, which holds a lock on each."""
_LOCK_TIMEOUT = "3s"
"""Another session's VACUUM or DDL is not waited for longer."""


async def analyze_filled(live: ActiveRun, session: Session) -> None:
    """Gathers statistics of every table that the run wrote to, where its role may; tells what is left."""
    job = live.context.job
    written = {task.plan.new: job.after(task.plan) for task in live.tasks if task.counts.written}
    tables = list(written.values())
    left: dict[TableName, str] = {}
    for first in range(0, len(tables), _AT_ONCE):
        if live.context.stop.is_set():
            return
        some = tables[first : first + _AT_ONCE]

        async def once(new: asyncpg.Connection, some: Sequence[Table] = some) -> dict[TableName, str]:
            return await _analyzed(new, some)

        left |= await session.work("statistics", once)
    if left:
        live.context.note(NotAnalyzed(tuple(sorted(left)), next(iter(left.values()))))


async def _analyzed(new: asyncpg.Connection, tables: Sequence[Table]) -> dict[TableName, str]:
    """Analyzes some tables. Returns those that it could not, with the reason."""
    allowed = {row["oid"] for row in await new.fetch(query("may_analyze"), [table.oid for table in tables])}
    mine = [table.name for table in tables if table.oid in allowed]
    left = {table.name: "the role does not own it" for table in tables if table.oid not in allowed}
    if not mine:
        return left
    try:
        async with new.transaction():
            await new.execute(statements.set_local("lock_timeout", _LOCK_TIMEOUT))
            await new.execute(analyze(mine))
    except DATABASE_TROUBLE as error:
        if new.is_closed():
            raise
        left |= dict.fromkeys(mine, str(error).partition("\n")[0])
    return left
