"""Rows that are still rejected in tables of which a run says nothing."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

from tranship.model.flow import FlowId
from tranship.server.journal import Journal, RunStatus


async def rejected_elsewhere(
    new: asyncpg.Connection, journal: Journal, old: str, flows: Collection[FlowId]
) -> int:
    """Returns the number of rows of other flows that finished runs rejected and that no later one moved.

    Args:
        new: a connection to NEW.
        journal: the journal of the runs.
        old: the identity of the OLD whose runs count.
        flows: those that do not count.
    """
    # A rejects-only run moves what an earlier one rejected: of each flow the last run tells.
    last: dict[FlowId, tuple[str, int]] = {}
    for run in await journal.runs(new, old):
        if run.state == RunStatus.FINISHED:
            last |= {task.flow: (run.id, task.position) for task in await journal.tasks(new, run.id)}
    places = [place for flow, place in last.items() if flow not in flows]
    sums = [await new.fetchrow(journal.sql("sums"), run, position) for run, position in places]
    return sum(int(row["rejected"]) for row in sums)
