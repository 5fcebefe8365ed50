"""Probes all tables, for a dry run and before a live run: counts and cuts them, and predicts rejects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

import asyncpg
from msgspec import Struct, structs

from tranship.errors import Refused
from tranship.errors.codes.runs import OldAltered
from tranship.execution.context import Job, RunContext
from tranship.execution.probe.arrived import Arrived
from tranship.execution.probe.changed_keys import uncompared
from tranship.execution.probe.counted_later import counted_later, into_empty
from tranship.execution.probe.counting import CutFlow
from tranship.execution.probe.existing import EmptyTables, may_hold_others
from tranship.execution.probe.group import probe_group
from tranship.execution.probe.left_out_parents import differing, left_out_parents
from tranship.execution.probe.probe_context import ProbeContext
from tranship.execution.probe.raising_defaults import raising_defaults, with_rows
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.side_by_side import side_by_side
from tranship.execution.probe.unique_indexes import Indexes
from tranship.execution.probe.whole_tables import rows_of_batch
from tranship.execution.time_spent import question
from tranship.model.catalog import Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.expression import Lookup
from tranship.model.flow import FlowId
from tranship.model.names import Side, TableName
from tranship.model.options import MigrateOptions
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch, TableStarted
from tranship.planning.comparing.drift import drift
from tranship.server.catalog import read_catalog
from tranship.server.cut import Cut
from tranship.server.pages import Counting
from tranship.server.session import datestyle, open_session
from tranship.server.snapshot import Snapshot
from tranship.sql import session as statements
from tranship.sql.old import cut as sql_cut

_AT_ONCE = 200
"""Tables, or groups, that one transaction reads. Thousands would fill the server's lock table."""
_GROUPS_AT_ONCE = 20
"""Groups whose data checks one transaction on OLD asks; a group may read many tables besides its own."""


@dataclass
class ProbeResult:
    """The rows of the snapshot, counted, and those that NEW would refuse."""

    job: Job
    """With the old rows of which flows cannot make items."""
    cuts: dict[FlowId, Cut]
    book: Book
    left_out: dict[str, int]

    @property
    def rejected(self) -> int:
        """Predicted rejects, over all tables."""
        return sum(len(self.book.rejected(flow)) for flow in self.cuts)

    @property
    def arriving(self) -> dict[FlowId, int]:
        """Rows that are written, by flow."""
        return {flow: cut.rows - len(self.book.not_copied(flow)) for flow, cut in self.cuts.items()}

    @property
    def rows(self) -> int:
        """Rows, over all tables."""
        return sum(cut.rows for cut in self.cuts.values())


def locked_relations(job: Job) -> tuple[TableName, ...]:
    """Returns the tables of OLD that the run reads: those of the plan and of lookups, and those left out.

    The latter are counted, and compared with NEW where rows refer to them.
    """
    return tuple(
        dict.fromkeys(
            [
                *(p.old for p in job.plan.tables if p.shape.in_a_heap),
                *_lookups_on_old(job),
                *_countable(job),
                *(pair.parent.name for pair in left_out_parents(job)),
            ]
        )
    )


async def check_drift(context: RunContext, snapshot: Snapshot) -> None:
    """Checks that the plan was made for the schema in the snapshot.

    Raises:
        Refused: OLD was altered in between; the message says what changed.
    """
    async with snapshot.reader() as old:
        now = await read_catalog(
            old, context.config.old.schemas, journal_schema=context.config.journal_schema
        )
    changed = drift(context.job.old, now, Side.OLD)
    if changed:
        raise Refused(OldAltered("; ".join(changed)))


async def cut_all(
    snapshot: Snapshot,
    job: Job,
    options: MigrateOptions,
    *,
    digest: bool,
    later: AbstractSet[FlowId] = frozenset(),
) -> tuple[Job, dict[FlowId, Cut]]:
    """Returns every flow's batches, in one pass each, and the job with the old rows of which flows cannot
    make items. Of the flows of ``later`` only the beginning is counted.

    A transaction keeps the locks of all that it read, so it reads only some of the tables.

    Raises:
        Refused: SQL of a decision raises for a row.
    """
    # The copy reads with as many: its streams, and the count beside them.
    streams = options.jobs + 1
    rows = {plan.flow: rows_of_batch(job, plan, options) for plan in job.plan.tables}
    cuts: dict[FlowId, Cut] = {}
    for some in _cut_together([plan for plan in job.plan.tables if plan.shape.one_row_each], rows):
        async with snapshot.reading() as old:
            more = f" and {len(some) - 1} more" if len(some) > 1 else ""
            with question(f"count and divide {some[0].flow}{more}"):
                counting = Counting(side_by_side(old.connection, snapshot, streams), later)
                found = await old.cut_several(some, rows[some[0].flow], digest=digest, counting=counting)
            cuts |= {plan.flow: cut for plan, cut in zip(some, found, strict=True)}
    plans = []
    for plan in job.plan.tables:
        known = plan
        if not plan.shape.one_row_each:
            with question(f"count and divide {plan.flow}"):
                cutting = CutFlow(snapshot, rows[plan.flow], streams, digest)
                known, cuts[plan.flow] = await cutting.cut(job, plan)
        plans.append(known)
    await snapshot.close_idle()
    return structs.replace(job, plan=job.plan.part(plans)), cuts


def _cut_together(plans: Sequence[TablePlan], rows: Mapping[FlowId, int]) -> Iterator[list[TablePlan]]:
    """Yields plans whose batches have equally many rows, in parts."""
    for _, same in groupby(sorted(plans, key=lambda plan: rows[plan.flow]), lambda plan: rows[plan.flow]):
        alike = list(same)
        yield from (alike[first : first + _AT_ONCE] for first in range(0, len(alike), _AT_ONCE))


async def count_left_out(snapshot: Snapshot, job: Job) -> dict[str, int]:
    """Returns the rows of the tables that a decision leaves out, if this role may read them."""
    async with snapshot.reader() as old:
        return {
            str(table.name): await old.fetchval(
                sql_cut.count_relation(table.name, partitioned=table.kind == RelationKind.PARTITIONED_TABLE)
            )
            for table in _left_out(job)
        }


@asynccontextmanager
async def probing_session(
    context: RunContext, rehearsal: asyncpg.Connection | None = None
) -> AsyncIterator[asyncpg.Connection]:
    """Opens a READ ONLY transaction on NEW for data checks.

    It has the search_path of batches, so that checks and generated columns mean the same. A rehearsal asks
    in its own transaction, which alone sees its rows.
    """
    if rehearsal is not None:
        part = rehearsal.transaction()
        await part.start()
        try:
            await rehearsal.execute(statements.READ_ONLY)
            yield rehearsal
        finally:
            if not rehearsal.is_closed():
                await part.rollback()
        return
    style = datestyle(context.job.new)
    conn = await open_session(context.config.new, datestyle=style, search_path=None)
    try:
        async with conn.transaction(readonly=True):
            yield conn
    finally:
        conn.terminate()


class Ranges(Struct, frozen=True):
    """What is left of some flows."""

    batches: Mapping[FlowId, tuple[Batch, ...]]
    """All of it."""
    beside: Mapping[FlowId, tuple[Batch, ...]] = MappingProxyType({})
    """Those whose rows can be asked for faults of their own while others are copied."""


async def probe(
    context: RunContext,
    snapshot: Snapshot,
    book: Book,
    ranges: Ranges,
    *,
    arrived: Arrived,
    rehearsal: asyncpg.Connection | None = None,
) -> None:
    """Enters every predicted reject of the groups that the ranges belong to, in plan order, into the
    book.
    """
    batches = ranges.batches
    groups = [g for g in context.job.plan.groups if any(p.flow in batches for p in g.tables)]
    for first in range(0, len(groups), _AT_ONCE):
        async with probing_session(context, rehearsal) as new:
            some = groups[first : first + _AT_ONCE]
            job, plans = context.job, [plan for group in some for plan in group.tables]
            indexes = Indexes(new, map(job.after, plans))
            empty = EmptyTables(new, (job.after(plan) for plan in plans if may_hold_others(job, plan)))
            predicted = not _copy_asks_defaults(context.options)
            raising = await raising_defaults(job, with_rows(plans, batches), new, book, predicted=predicted)
            for begin in range(0, len(some), _GROUPS_AT_ONCE):
                async with snapshot.reader() as old:
                    probing = ProbeContext(
                        job,
                        old,
                        new,
                        book,
                        arrived,
                        _copied_next(context.options),
                        indexes,
                        empty,
                        raising,
                        ranges.beside,
                    )
                    for group in some[begin : begin + _GROUPS_AT_ONCE]:
                        await probe_group(probing, group, batches)


def _copied_next(options: MigrateOptions) -> bool:
    """Returns whether a fault may be left to COPY.

    A limit of rejects is compared with what is predicted, before the first batch; and where others write to
    NEW, they may bring a row under the key of a parent that OLD lacks.
    """
    return options.live and options.max_rejects is None and not options.new_in_use


def _copy_asks_defaults(options: MigrateOptions) -> bool:
    """Returns whether COPY is left to find out for which rows a default raises: it may be other rows then. A
    limit of rejects is compared with what is predicted.
    """
    return (options.live or options.rehearse) and options.max_rejects is None


async def probe_everything(context: RunContext, snapshot: Snapshot, *, digest: bool) -> ProbeResult:
    """Counts, cuts and probes all tables, for a dry run and for a live run. Writes nothing."""
    plans = context.job.plan.tables
    options = context.options
    later = await _later(context, snapshot) if digest else frozenset()
    job, cuts = await cut_all(snapshot, context.job, options, digest=digest, later=later)
    context = context.of(job)
    for plan in plans:
        context.on_event(TableStarted(plan.flow, cuts[plan.flow].rows, len(cuts[plan.flow].batches)))
    await _check_parents(context, snapshot)
    probed = ProbeResult(job, cuts, Book(), await count_left_out(snapshot, job))
    batches = {flow: cut.every for flow, cut in cuts.items()}
    beside = {flow: cut.uncounted for flow, cut in cuts.items() if cut.uncounted}
    await probe(context, snapshot, probed.book, Ranges(batches, beside), arrived=Arrived.NOTHING)
    return probed


async def _later(context: RunContext, snapshot: Snapshot) -> frozenset[FlowId]:
    """Returns the flows that are counted while they are copied."""
    found = await counted_later(snapshot, context.job, context.options)
    if not found:
        return found
    async with probing_session(context) as new:
        return await into_empty(new, context.job, found)


async def _check_parents(context: RunContext, snapshot: Snapshot) -> None:
    """Raises Refused with every foreign key whose left-out parents are other rows in NEW, or that nobody can
    compare with a changed key.
    """
    job = context.job
    if blind := tuple(uncompared(job)):
        raise Refused(blind)
    pairs = left_out_parents(job)
    if not pairs:
        return
    found = []
    async with probing_session(context) as new:
        for pair in pairs:
            async with snapshot.reader() as old:
                found.append(await differing(job, pair, old, new))
    problems = tuple(what.problem() for what in found if what is not None)
    if problems:
        raise Refused(problems)


def _lookups_on_old(job: Job) -> list[TableName]:
    expressions = [m.expression for plan in job.plan.tables for m in plan.columns]
    return [e.table for e in expressions if isinstance(e, Lookup) and e.side is Side.OLD]


def _left_out(job: Job) -> list[Table]:
    tables = [job.old.table(left.old) for left in job.plan.left_out]
    return [
        t
        for t in tables
        if t is not None
        and t.kind in (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE)
        and "SELECT" in t.privileges
        # A part of its rows must not be told as their number.
        and not t.row_security_active
    ]


def _countable(job: Job) -> list[TableName]:
    return [t.name for t in _left_out(job)]
