"""The earlier runs from the same OLD by the journal, and what they moved of a job."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import asyncpg
from msgspec.structs import replace

from tranship.execution.context import Job, Journalled, MovedBefore
from tranship.model.flow import FlowId
from tranship.planning.plan.content import plan_hash
from tranship.server.identity import Identity
from tranship.server.journal import Chain, Journal, Run, RunStatus, TaskRow


@dataclass(frozen=True)
class Before:
    """The earlier runs from the same OLD, by the journal."""

    unfinished: Run | None
    moved: tuple[tuple[Run, TaskRow], ...]
    """Tables of finished runs, oldest run first."""
    seen: frozenset[str] = frozenset()
    """The ids of all runs."""


async def earlier(
    control: asyncpg.Connection,
    journal: Journal | None,
    old: Identity,
    *,
    without: AbstractSet[str] = frozenset(),
) -> Before:
    """Returns the runs from one OLD.

    ``journal``: None if NEW has none. ``without``: runs that do not count.
    """
    if journal is None:
        return Before(None, ())
    runs = [run for run in await journal.runs(control, old.key) if run.id not in without]
    moved = [
        (r, t) for r in runs if r.state == RunStatus.FINISHED for t in await journal.tasks(control, r.id)
    ]
    return Before(
        next((r for r in reversed(runs) if r.state != RunStatus.FINISHED), None),
        tuple(moved),
        frozenset(r.id for r in runs),
    )


def chains(before: Before) -> dict[tuple[FlowId, str], Chain]:
    """Returns the runs that moved each flow together, by the hash of its plan in the latest of them; the
    chain that began last comes last.
    """
    found: dict[tuple[FlowId, str], Chain] = {}
    for run, task in before.moved:
        # A hash of format 1 covered words, too, and tells nothing now: there the names alone decide.
        key = task.flow, task.plan_hash if run.format > 1 else ""
        if task.rejects_of is None:
            found.pop(key, None)
            found[key] = ((run, task),)
            continue
        taken = [k for k, c in found.items() if k[0] == task.flow and c[-1][0].id == task.rejects_of]
        for place in taken:
            found[key] = (*found.pop(place), (run, task))
    return found


def latest(before: Before) -> dict[FlowId, Chain]:
    """Returns for each flow the runs that moved it last."""
    return {flow: chain for (flow, _), chain in chains(before).items()}


def remaining(job: Job, before: Before) -> tuple[Job, dict[FlowId, Chain]]:
    """The job without the tables that earlier finished runs moved under the same plan, and those runs."""
    known = chains(before)
    done = {
        p.flow: chain
        for p in job.plan.tables
        if (chain := known.get((p.flow, plan_hash(p))) or known.get((p.flow, ""))) is not None
    }
    left = [p for p in job.plan.tables if p.flow not in done]
    moved = tuple(MovedBefore(p) for p in job.plan.tables if p.flow in done)
    return replace(job, plan=job.plan.part(left), moved=moved), done


async def with_rejects_before(
    control: asyncpg.Connection, journal: Journal, left: Job, done: Mapping[FlowId, Chain]
) -> Job:
    """Returns what is left together with the rows that earlier runs rejected: they are nobody's parents."""
    moved = []
    for before in left.moved:
        run, task = done[before.flow][-1]
        rejected = await journal.rejected_rows(control, run.id, task.position)
        keys = tuple(key for key, _ in rejected if key is not None)
        moved.append(replace(before, rejected_keys=keys))
    return replace(left, moved=tuple(moved), journalled=(*left.journalled, *journalled(journal, done)))


def journalled(journal: Journal, done: Mapping[FlowId, Chain]) -> list[Journalled]:
    """Returns where the journal speaks of flows that earlier runs moved: in the run that moved all rows."""
    firsts = ((flow, *chain[0]) for flow, chain in done.items())
    return [Journalled(flow, journal.schema, run.id, task.position) for flow, run, task in firsts]
