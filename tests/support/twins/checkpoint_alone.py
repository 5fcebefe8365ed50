"""The batch is marked done in a transaction of its own, before its rows are written."""

from __future__ import annotations

import asyncpg

from tranship.execution.active_run import Task
from tranship.execution.copying import batch as worker
from tranship.model.progress import Batch


def break_it() -> None:
    """In this process."""
    real = worker.Worker._begin

    async def begin(self: worker.Worker, new: asyncpg.Connection, task: Task, batch: Batch) -> bool:
        claimed = await real(self, new, task, batch)
        if claimed:
            await new.execute("COMMIT")
            await real(self, new, task, batch)
        return claimed

    worker.Worker._begin = begin  # type: ignore[method-assign]
