"""Rejects as the journal keeps them: each with the whole old row."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.execution.active_run import FlowTask
from tranship.execution.context import Job
from tranship.execution.probe.records import fetch_records
from tranship.model.verdict import Reject
from tranship.server.journal import RejectRow


async def reject_rows(
    old: asyncpg.Connection, job: Job, task: FlowTask, batch: int, rejects: Sequence[Reject]
) -> list[RejectRow]:
    """Returns the rejects of one batch with their old rows, in row order."""
    ordered = sorted(rejects, key=lambda reject: reject.row)
    found = [record async for record in fetch_records(old, job, task.plan, ordered)]
    return [
        RejectRow(
            task.position,
            batch,
            reject,
            bytes(record.key) if record.key is not None else None,
            bytes(record.row),
        )
        for reject, record in zip(ordered, found, strict=True)
    ]
