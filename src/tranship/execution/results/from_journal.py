"""Reads results and reject records: of a live run from the journal, of a dry run from the snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import asyncpg
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from tranship.execution.active_run import ActiveRun
from tranship.execution.context import Job, RunContext
from tranship.execution.probe.everything import ProbeResult
from tranship.execution.probe.records import fetch_records
from tranship.execution.probe.unchecked_references import arrived_without_parent
from tranship.execution.proof.filled import read_filled
from tranship.execution.results.causes import CauseCounter
from tranship.execution.results.outcome import (
    Frame,
    MigrationOutcome,
    TableCounts,
    outcome,
    reject_record,
)
from tranship.execution.results.spool import FirstOfEachCause, Spool
from tranship.execution.results.still_rejected import rejected_elsewhere
from tranship.model.difference import Proof
from tranship.model.flow import FlowId
from tranship.model.options import Verify
from tranship.model.plan import TablePlan
from tranship.model.progress import OldRows
from tranship.model.verdict import LossCount, MovedAgain, RejectCause, ToleratedCount
from tranship.server.cut import old_rows
from tranship.server.journal import BatchRow, Chain, Journal, TaskRow, find_journal
from tranship.server.snapshot import Snapshot


async def dry_records(
    snapshot: Snapshot, job: Job, probed: ProbeResult, spool: Spool, *, most: int | None
) -> None:
    """Adds the rows that would be rejected to a spool, in plan order; ``most`` of each cause, None: all."""
    for plan in job.plan.tables:
        rejected = probed.book.rejected(plan.flow)
        if rejected:
            wanted = FirstOfEachCause(most).among(rejected.values())
            async with snapshot.reader() as old:
                async for record in fetch_records(old, job, plan, wanted):
                    spool.add(record)


async def live_result(
    context: RunContext,
    control: asyncpg.Connection,
    frame: Frame,
    done: Mapping[FlowId, Chain],
    live: ActiveRun | None,
) -> MigrationOutcome:
    """Returns the result of a finished run together with the tables that earlier runs moved.

    ``context`` is that of the whole job, tables that are done already included.
    """
    plans = context.job.plan.tables
    places = _places(plans, done)
    if live is not None:
        places |= {t.plan.flow: [(live.run, t.position)] for t in live.tasks}
    tables, records = await _journalled(control, context.journal, plans, places, done.keys())
    tables = await with_filled(control, context, tables)
    alone = await arrived_without_parent(control, context.job, _lacking(tables))
    frame = replace(frame, problems=(*frame.problems, *alone))
    # Where no row was ever moved there is no journal.
    journal = await find_journal(control, context.config.journal_schema) if frame.old_identity else None
    if journal is not None:
        flows = {plan.flow for plan in plans}
        elsewhere = await rejected_elsewhere(control, journal, frame.old_identity, flows)
        frame = replace(frame, rejected_elsewhere=elsewhere)
    found = outcome(context, frame, tables, records)
    return replace(found, merged=live.merged) if live is not None else found


def _lacking(tables: Sequence[TableCounts]) -> Callable[[TablePlan], bool]:
    """Returns whether rows of OLD may lack a row of their own in NEW."""
    lost = {counts.plan.flow for counts in tables if counts.rejected or counts.merged}
    return lambda plan: plan.flow in lost or not plan.shape.takes_all


async def with_filled(
    new: asyncpg.Connection, context: RunContext, tables: Sequence[TableCounts]
) -> list[TableCounts]:
    """Returns the counts of tables; those without a proof know how many columns that NEW fills by itself a
    verification compares.
    """
    if context.options.verify not in (Verify.HASH, Verify.FULL):
        return list(tables)
    found = list[TableCounts]()
    for counts in tables:
        known = counts.proof is not None
        filled = () if known else (await read_filled(new, context.job, counts.plan, {})).names
        found.append(replace(counts, filled=len(filled)))
    return found


async def moved_before(
    control: asyncpg.Connection,
    journal: Journal,
    plans: Sequence[TablePlan],
    done: Mapping[FlowId, Chain],
    *,
    most: int | None,
) -> tuple[list[TableCounts], Spool]:
    """Returns the counts and rejects of those tables that earlier runs moved; ``most`` of each cause, None:
    all.
    """
    mine = [plan for plan in plans if plan.flow in done]
    return await _journalled(control, journal, mine, _places(mine, done), done.keys(), most=most)


_Place = tuple[str, int]
"""A run, and the position of a table in it."""


def _places(plans: Sequence[TablePlan], done: Mapping[FlowId, Chain]) -> dict[FlowId, list[_Place]]:
    return {
        plan.flow: [(run.id, task.position) for run, task in done[plan.flow]]
        for plan in plans
        if plan.flow in done
    }


@dataclass
class _Part:
    """What one run did with one table."""

    task: TaskRow
    batches: list[BatchRow]
    causes: tuple[RejectCause, ...] = ()
    """Why it rejected rows; of the last run of a table alone."""

    @property
    def made(self) -> int:
        """Rows that the run made of old rows."""
        return sum(batch.read for batch in self.batches)

    @property
    def rejected(self) -> int:
        """Rows that the run rejected."""
        return sum(batch.rejected for batch in self.batches)

    @property
    def written(self) -> int:
        """Rows that the run wrote."""
        return sum(batch.written for batch in self.batches)

    def old(self, plan: TablePlan) -> OldRows | None:
        """Returns the old rows behind those made. None: they are the same rows."""
        return None if plan.shape.one_row_each else old_rows(b.batch.old for b in self.batches)

    def left_out(self, plan: TablePlan) -> int:
        """Returns the old rows of which the run made none."""
        old = self.old(plan)
        return self.task.findings.gone + (old.left_out if old is not None else 0)


async def _journalled(
    control: asyncpg.Connection,
    journal: Journal,
    plans: Sequence[TablePlan],
    places: Mapping[FlowId, Sequence[_Place]],
    already: Collection[FlowId],
    *,
    most: int | None = None,
) -> tuple[list[TableCounts], Spool]:
    """Returns counts and rejects of tables from the journal. ``places``: the runs that moved each table.
    ``most``: rejects of each cause, None: all.
    """
    parts = await _parts(control, journal, places)
    tables: list[TableCounts] = []
    spool = Spool()
    for plan in plans:
        chain = [parts[place] for place in places[plan.flow]]
        # Only what the last run rejected is rejected now.
        run, position = places[plan.flow][-1]
        counting, first = CauseCounter(), FirstOfEachCause(most)
        if any(batch.rejected for batch in chain[-1].batches):
            async for row in journal.rejects_of(control, run, position):
                counting.add(row.reject)
                if first.takes(row.reject):
                    spool.add(reject_record(plan, row.reject, row.key, row.row))
                # Nothing holds a large row while the next one is read.
                del row
        chain[-1].causes = counting.causes()
        tables.append(_counts(plan, chain, already=plan.flow in already))
    return tables, spool


async def _parts(
    control: asyncpg.Connection, journal: Journal, places: Mapping[FlowId, Sequence[_Place]]
) -> dict[_Place, _Part]:
    """Returns what the runs did with the tables."""
    parts: dict[_Place, _Part] = {}
    for run in sorted({run for chain in places.values() for run, _ in chain}):
        rows = await journal.tasks(control, run)
        parts |= {(run, task.position): _Part(task, []) for task in rows}
        for batch in await journal.batches(control, rows, run):
            parts[run, batch.position].batches.append(batch)
    return parts


def _counts(plan: TablePlan, chain: Sequence[_Part], *, already: bool) -> TableCounts:
    """Returns the counts of a table over all runs that moved it: each but the first read what the one before
    it had rejected.
    """
    first, last = chain[0], chain[-1]
    batches = [batch for part in chain for batch in part.batches]
    counts = TableCounts(
        plan,
        first.made,
        sum(b.written for b in batches),
        last.rejected,
        sum(b.bytes for b in batches),
        first.task.format,
        last.causes,
        _losses(chain),
        _not_asked(chain),
        already,
        tolerated=_tolerated(chain),
        old=first.old(plan),
        kept=sum(b.kept for b in batches),
        updated=sum(b.updated for b in batches),
        merged=sum(b.merged for b in batches),
        proof=_proof([part.task.proof for part in chain]),
        rejects_of=first.task.rejects_of,
        before=_written_before(chain, already=already),
        again=_again(plan, chain[1:]),
    )
    counts = counts.without(first.task.findings.gone)
    if plan.shape.items is not None:
        # An old row that could not be taken apart is one row, and makes any number of items later.
        made = sum(part.made - before.rejected for before, part in pairwise(chain))
        return replace(counts, made=counts.made + made)
    # Of the rejected rows these were not made again: they are left out now.
    return counts.leaving_out(sum(part.left_out(plan) for part in chain[1:]))


def _again(plan: TablePlan, later: Sequence[_Part]) -> MovedAgain | UnsetType:
    """Returns what the runs after the first one did with what was rejected before."""
    return MovedAgain(1 + len(later), sum(part.left_out(plan) for part in later)) if later else UNSET


def _proof(proofs: Sequence[Proof | None]) -> Proof | None:
    """Returns what the verifications of several runs say together; None: one of them was none."""
    known = [proof for proof in proofs if proof is not None]
    if len(known) < len(proofs):
        return None
    return replace(
        known[0],
        rows=sum(proof.rows for proof in known),
        compared=sum(proof.compared for proof in known),
        apart=tuple(dict.fromkeys(column for proof in known for column in proof.apart)),
        differences=tuple(difference for proof in known for difference in proof.differences),
    )


def _written_before(chain: Sequence[_Part], *, already: bool) -> int | UnsetType:
    """Returns the rows that earlier runs wrote. ``already``: all of the runs are earlier ones."""
    return sum(part.written for part in (chain if already else chain[:-1])) or UNSET


def _not_asked(chain: Sequence[_Part]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(what for part in chain for what in part.task.unsettled))


def _tolerated(chain: Sequence[_Part]) -> tuple[ToleratedCount, ...]:
    summed: Counter[str] = Counter()
    for one in (one for part in chain for one in part.task.findings.tolerated):
        summed[one.constraint] += one.rows
    return tuple(ToleratedCount(constraint, rows) for constraint, rows in summed.items())


def _losses(chain: Sequence[_Part]) -> tuple[LossCount, ...]:
    summed: dict[tuple[str, str], int] = {}
    for loss in (loss for part in chain for loss in part.task.findings.losses):
        summed[loss.column, loss.loss] = summed.get((loss.column, loss.loss), 0) + loss.rows
    return tuple(LossCount(column, loss, rows) for (column, loss), rows in summed.items())
