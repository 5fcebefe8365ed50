"""Which tables are counted, and asked for rows that NEW refuses by themselves, while they are copied and not
before the first row.

To count a table takes as long as to read it, during which nothing would be moved. That comes first where
something is asked of all rows together before one is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import asyncpg

from tranship.execution.context import Job
from tranship.execution.probe.consequences import decides_others
from tranship.execution.probe.existing import EmptyTables
from tranship.execution.probe.widths import may_be_too_wide
from tranship.model.expression import Coalesce, Constant, Expression, Lookup, MapValues, NewDefault, Sql, Take
from tranship.model.flow import FlowId
from tranship.model.names import Side
from tranship.model.options import MigrateOptions
from tranship.model.plan import Group, Hazard, HazardKind, TablePlan
from tranship.model.shape import PLAIN
from tranship.server.snapshot import Snapshot
from tranship.sql.old import cut as sql_cut
from tranship.sql.old.losses import losses, parents_lost

AHEAD = 256 * 1024 * 1024
"""Bytes of heaps that are counted before the first row in any case: a second from a disk, less in memory."""
_BATCH_ROWS = 20_000
"""Rows of a batch from which on the smallest range that is counted, of 32 pages, has fewer."""
_TOAST = 4
"""Times its heap that a table may take with its large values: else a range of pages may be far too large for
a batch, and has to be divided row by row.
"""
_TID_RANGE_SCAN = 140000
"""The server's version from which on a range of pages is read without the others."""
_BY_ITSELF = frozenset(
    {
        HazardKind.CONVERSION,
        HazardKind.GAP,
        HazardKind.ENCODING,
        HazardKind.NOT_NULL,
        HazardKind.GENERATED,
        HazardKind.CHECK,
        HazardKind.ROUTING,
    }
)
"""What NEW refuses a row for, whatever other rows there are."""


async def counted_later(snapshot: Snapshot, job: Job, options: MigrateOptions) -> frozenset[FlowId]:
    """Returns the flows of a live run that can be counted beside the copy where NEW's tables are empty: then
    nothing is asked of all their rows together before these are copied.
    """
    if not _possible(job, options):
        return frozenset()
    asked = [group.tables[0] for group in job.plan.groups if _unasked(job, group)]
    heaps = await _heaps(snapshot, asked) if asked else {}
    later, ahead = set[FlowId](), 0
    for flow, size in sorted(heaps.items(), key=lambda one: one[1]):
        ahead += size
        if ahead > AHEAD:
            later.add(flow)
    return frozenset(later)


async def into_empty(new: asyncpg.Connection, job: Job, flows: AbstractSet[FlowId]) -> frozenset[FlowId]:
    """Returns those flows whose tables of NEW hold no row."""
    plans = [plan for plan in job.plan.tables if plan.flow in flows]
    readable = [plan for plan in plans if "SELECT" in job.after(plan).privileges or job.new.superuser]
    empty = EmptyTables(new, map(job.after, readable))
    return frozenset([plan.flow for plan in readable if await empty.has(job.after(plan))])


def asked_one_by_one(plan: TablePlan) -> bool:
    """Returns whether rows of a flow that is counted beside the copy may be refused by themselves."""
    return not _believed(plan)


def _possible(job: Job, options: MigrateOptions) -> bool:
    """Returns whether a run may count rows after its first batch. A limit of rejects, which may be a share of
    all rows, is compared before it.
    """
    live = options.live and not options.rehearse and options.max_rejects is None
    return live and options.batch_rows >= _BATCH_ROWS and job.old.server_version >= _TID_RANGE_SCAN


async def _heaps(snapshot: Snapshot, plans: Sequence[TablePlan]) -> dict[FlowId, int]:
    """Returns the bytes of the heaps of each flow, of those whose heaps can all be counted later."""
    oids = [source.oid for plan in plans for source in plan.sources]
    async with snapshot.reader() as old:
        found = {row["oid"]: row for row in await old.fetch(sql_cut.SIZES, oids)}
    heaps = {plan.flow: [found[source.oid] for source in plan.sources] for plan in plans}
    return {
        flow: sum(row["heap"] for row in rows) for flow, rows in heaps.items() if all(map(_can_wait, rows))
    }


def _can_wait(heap: asyncpg.Record) -> bool:
    """Returns whether a heap outlives a crash of OLD, which empties others and only their counted rows tell,
    and has large values that take little beside it.
    """
    return heap["logged"] and (not heap["heap"] or heap["whole"] <= _TOAST * heap["heap"])


def _unasked(job: Job, group: Group) -> bool:
    """Returns whether a table's rows can be copied before all of them are counted: it is filled by itself,
    each row as it is, and nothing is asked of all rows together.
    """
    plan, *others = group.tables
    if others or group.cyclic or len(job.fillers(plan.new)) > 1 or job.taken(plan.flow) is not None:
        return False
    return _as_it_is(plan) and not _numbered(job, plan) and (_believed(plan) or _one_by_one(job, plan))


def _as_it_is(plan: TablePlan) -> bool:
    """Returns whether a flow makes each old row a new one, in any order."""
    if plan.shape != PLAIN or plan.repointing is not None or plan.serial:
        return False
    whole = all(source.pageable and source.only is None and not source.unmade for source in plan.sources)
    return whole and all(_by_itself(mapping.expression) for mapping in plan.columns)


def _by_itself(expression: Expression) -> bool:
    """Returns whether a value is made of its row, or of tables of OLD. (What a lookup finds in NEW is read as
    a whole for each question, which would take as long as a portion.)
    """
    if isinstance(expression, Lookup):
        return expression.side is Side.OLD and not expression.within
    return isinstance(expression, Take | Coalesce | Constant | MapValues | NewDefault | Sql)


def _believed(plan: TablePlan) -> bool:
    """Returns whether a live run asks no row: a key that OLD holds is proven after the copy, an empty table
    has no row in the way, and no row makes SQL of a person, or a lookup's key, raise.
    """
    asked = any(isinstance(mapping.expression, Sql | Lookup) for mapping in plan.columns)
    return not asked and all(map(_asked_of_no_row, plan.hazards))


def _asked_of_no_row(hazard: Hazard) -> bool:
    believed = hazard.kind is HazardKind.FOREIGN_KEY and not hazard.new
    return believed or hazard.kind is HazardKind.EXISTING


def _one_by_one(job: Job, plan: TablePlan) -> bool:
    """Returns whether rows are asked one by one, no reject changes what becomes of another row, and no
    expression is computed over all rows, for which it might raise where one is to be rejected.
    """
    before = job.before(plan)
    if decides_others(job, plan) or plan.keyed_by_sql or plan.tolerating or may_be_too_wide(job, plan):
        return False
    if any(losses(plan, mapping, before) for mapping in plan.columns) or parents_lost(plan):
        return False
    return all(hazard.kind in _BY_ITSELF or _asked_of_no_row(hazard) for hazard in plan.hazards)


def _numbered(job: Job, plan: TablePlan) -> bool:
    """Returns whether a sequence, which may have too few numbers for all rows, gives each row one."""
    filled = {mapping.column for mapping in plan.columns if isinstance(mapping.expression, NewDefault)}
    return any(column.sequence is not None for column in job.after(plan).columns if column.name in filled)
