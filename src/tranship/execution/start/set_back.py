"""Whether OLD was set back to an earlier copy of itself between an interruption and the same command again.

Such a copy has the same identity and timeline, and gives the same transaction numbers and places to other
rows. Only a restart of its server can bring it, and only the contents of the rows tell it from an ordinary
restart: what finished batches read is hashed once more, and compared with the sums that the journal holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.execution.context import RunContext
from tranship.execution.probe.everything import probing_session
from tranship.execution.probe.within import lookups_of
from tranship.execution.proof.expected import Expecting, Hashing
from tranship.execution.start.dependencies import started_anew
from tranship.model.dependencies import Dependencies
from tranship.model.plan import TablePlan
from tranship.server.journal import BatchRow, Run, TaskRow
from tranship.server.snapshot import Snapshot


async def restarted(snapshot: Snapshot, then: Dependencies) -> bool:
    """Returns whether OLD's server was started anew since a run began that recorded it."""
    async with snapshot.reader() as old:
        return await started_anew(old, then)


async def same_contents(
    context: RunContext, snapshot: Snapshot, control: asyncpg.Connection, run: Run, rows: Sequence[TaskRow]
) -> bool:
    """Returns whether the rows that finished batches read are what they were, as far as they were hashed."""
    if run.hashing is None:
        return True
    journal, hashing = context.journal, Hashing.of(run.hashing)
    plans = {plan.flow: plan for plan in context.job.plan.tables}
    batches = await journal.batches(control, rows, run.id)
    async with probing_session(context) as new:
        for row in rows:
            plan = plans[row.flow]
            mine = [batch for batch in batches if batch.position == row.position and _comparable(plan, batch)]
            async with snapshot.reader(plan.zone) as old:
                expecting = Expecting(context.job, plan, hashing, old, new)
                for batch in mine:
                    gone = await journal.not_copied(control, run.id, batch)
                    bindings = await lookups_of(context.job).bind(old, new, plan, batch.batch, gone)
                    if await expecting.sums(batch.batch, gone, bindings) != batch.sums:
                        return False
    return True


def _comparable(plan: TablePlan, batch: BatchRow) -> bool:
    """Returns whether a batch was hashed and holds rows that stand for themselves."""
    plain = plan.shape.one_row_each and plan.shape.existing is None and plan.shape.merge is None
    return batch.done and batch.sums is not None and plain and plan.repointing is None
