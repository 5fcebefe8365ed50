"""Waits for the transactions that may have deleted a parent unseen.

While no foreign key is checked, a batch takes no lock on the parents of its rows. A transaction that deletes
one at the same time sees no child, since the batch is not committed yet, and may end after the keys were
proven. So the proof comes after all that wrote to a parent when the last batch was committed. A transaction
that begins later sees the children, and its own check refuses the delete.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import asyncpg

from tranship.errors import Stopped
from tranship.errors.codes.stops import StoppedAsAsked
from tranship.execution.active_run import ActiveRun, Task
from tranship.execution.resilience.connection import PlainSession
from tranship.model.names import TableName
from tranship.model.notes import WaitingForWriters
from tranship.sql.queries import query

_INTERVAL = 0.2
"""Seconds between two looks."""
_PATIENCE = 3.0
"""Seconds after which a message says who is waited for."""


async def wait_for_writers(live: ActiveRun, session: PlainSession, tasks: Sequence[Task]) -> None:
    """Returns when every transaction has ended that now may have written to a parent of the tables.

    Raises:
        Stopped: a person asked for it.
    """
    parents = _parents(live, tasks)
    began, told = time.monotonic(), False

    async def look(new: asyncpg.Connection) -> dict[str, int | None]:
        rows = await new.fetch(query("parent_writers"), list(parents.values()))
        return {row["transaction"]: row["pid"] for row in rows}

    waiting = await session.work("writers", look) if parents else {}
    while waiting:
        if live.context.stop.is_set():
            raise Stopped(StoppedAsAsked())
        if not told and time.monotonic() - began > _PATIENCE:
            told = True
            pids = tuple(pid for pid in waiting.values() if pid is not None)
            live.context.note(WaitingForWriters(tuple(sorted(parents)), pids))
        await asyncio.sleep(_INTERVAL)
        still = await session.work("writers", look)
        waiting = {one: pid for one, pid in waiting.items() if one in still}


def _parents(live: ActiveRun, tasks: Sequence[Task]) -> dict[TableName, int]:
    """Returns the tables to which foreign keys of these tables lead, with their OIDs."""
    keys = [key for task in tasks for key in live.context.job.after(task.plan).every_foreign_key]
    found = {key.target: live.context.job.new.table(key.target) for key in keys if key.enforced}
    return {name: table.oid for name, table in found.items() if table is not None}
