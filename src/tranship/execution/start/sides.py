"""The connections that a run begins with: one to each side, and the snapshot of OLD."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import asyncpg

from tranship.execution.context import RunContext
from tranship.execution.probe.everything import check_drift, locked_relations
from tranship.execution.time_spent import phase
from tranship.model.names import TableName
from tranship.server.session import datestyle, open_session
from tranship.server.snapshot import Snapshot


@contextlib.asynccontextmanager
async def both_sides(
    context: RunContext, *, batches: bool = False
) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection]]:
    """Connects to OLD and NEW for the block.

    Args:
        batches: the connection to NEW keeps the database's own search_path, as batches need it.

    Raises:
        ConnectError: a side cannot be reached, or a session setting does not stay.
        Refused: a pooler stands in between that changes the backend between transactions.
    """
    config, style = context.config, datestyle(context.job.new)
    path = None if batches else ""
    # wait() and not gather(): when one fails, the other one is still opened and has to be closed.
    opening = [
        asyncio.ensure_future(open_session(config.old, datestyle=style, direct=True)),
        asyncio.ensure_future(open_session(config.new, datestyle=style, search_path=path, direct=True)),
    ]
    try:
        await asyncio.wait(opening)
        yield opening[0].result(), opening[1].result()
    finally:
        for task in opening:
            if not task.cancel() and not task.cancelled() and task.exception() is None:
                task.result().terminate()


def relations_to_lock(context: RunContext, also: Sequence[TableName]) -> tuple[TableName, ...]:
    """Returns the tables of OLD that a run's snapshot locks: those of the plan, and ``also``."""
    return tuple(dict.fromkeys([*locked_relations(context.job), *also]))


@contextlib.asynccontextmanager
async def open_snapshot(context: RunContext, also: Sequence[TableName] = ()) -> AsyncIterator[Snapshot]:
    """Opens the run's snapshot of OLD for the block; ``also``: tables to lock beside those of the plan.

    Raises:
        Refused: OLD's schema is no longer the one that the plan was made on.
    """
    relations = relations_to_lock(context, also)
    style = datestyle(context.job.new)
    async with contextlib.AsyncExitStack() as stack:
        with phase("take the snapshot"):
            opening = Snapshot.open(context.config.old, relations, datestyle=style)
            snapshot = await stack.enter_async_context(opening)
            await check_drift(context, snapshot)
        yield snapshot
