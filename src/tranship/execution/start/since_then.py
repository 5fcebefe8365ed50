"""What OLD holds now of the tables that earlier runs moved, and whether somebody wrote there since.

NEW has what OLD held when a run read it. Where rows were inserted, changed or deleted since, a repeated run
does nothing all the same, and has to say so.
"""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg
from msgspec import UNSET

from tranship.execution.context import Job
from tranship.model.flow import FlowId
from tranship.model.plan import Source, TablePlan
from tranship.model.verdict import HeldNow
from tranship.server.journal import Chain
from tranship.server.snapshot import Mark
from tranship.sql.old import cut as sql_cut
from tranship.sql.old.snapshot import current_snapshot
from tranship.sql.old.values_written import seen_by
from tranship.sql.session import VERSION, set_local

LOCK_TIMEOUT = "3s"
"""For the count of a table of OLD: somebody's exclusive lock leaves its rows uncounted."""


async def held_now(old: asyncpg.Connection, job: Job, done: Mapping[FlowId, Chain]) -> dict[FlowId, HeldNow]:
    """Returns what OLD holds in each table that was moved before; a table that somebody has locked is left
    out.
    """
    moved = [plan for plan in job.plan.tables if plan.flow in done and plan.shape.in_a_heap]
    if not moved:
        return {}
    now = await _mark(old)
    found = [(plan.flow, await _held(old, plan, _unseen(done[plan.flow], now))) for plan in moved]
    return {flow: held for flow, held in found if held is not None}


async def _mark(old: asyncpg.Connection) -> Mark:
    version = await old.fetchval(VERSION)
    stands = await old.fetchrow(current_snapshot(version))
    return Mark(stands["text"], stands["timeline"])


def _unseen(chain: Chain, now: Mark) -> tuple[int, tuple[int, ...]] | None:
    """Returns the transactions of OLD that the last run of a flow did not see; None: they cannot be told."""
    run, _ = chain[-1]
    return None if run.mixed else Mark.of(run.snapshot).unseen_from(now)


async def _held(
    old: asyncpg.Connection, plan: TablePlan, unseen: tuple[int, tuple[int, ...]] | None
) -> HeldNow | None:
    """Returns what OLD holds of one table; None: somebody has locked it."""
    seen = seen_by(*unseen) if unseen is not None and all(one.pageable for one in plan.sources) else None
    try:
        async with old.transaction(readonly=True):
            await old.execute(set_local("lock_timeout", LOCK_TIMEOUT))
            counted = [await _counted(old, source, seen) for source in plan.sources]
    except asyncpg.LockNotAvailableError:
        return None
    written = UNSET if seen is None else sum(written for _, written in counted)
    return HeldNow(sum(rows for rows, _ in counted), written)


async def _counted(old: asyncpg.Connection, source: Source, seen: tuple[str, ...] | None) -> tuple[int, int]:
    """Returns the rows of a heap, and how many of them do not fulfil the conditions."""
    if seen is None:
        return int(await old.fetchval(sql_cut.count(source))), 0
    row = await old.fetchrow(sql_cut.count_unseen(source, seen))
    return row["rows"], row["unseen"]
