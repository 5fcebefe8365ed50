"""The phase of a live run that proves, row by row, that NEW holds what OLD's rows become."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec
from msgspec import structs

from tranship.execution.active_run import ActiveRun, Task, fence
from tranship.execution.proof.compare import LOW, differing, held
from tranship.execution.proof.expected import Hashing, copied_columns, printed_by_old
from tranship.execution.proof.naming import Naming
from tranship.execution.resilience.failpoints import failpoint
from tranship.model.difference import Proof
from tranship.model.expression import NewDefault
from tranship.model.locator import Locator


async def verify_run(live: ActiveRun, new: asyncpg.Connection) -> None:
    """Journals what is proven of each flow of the run; nothing where rows are not hashed.

    Raises:
        Stopped: another run took over.
    """
    hashing = live.worker.hashing
    if hashing is None:
        return
    for task in live.tasks:
        proof = await _proof(live, new, task, hashing)
        async with new.transaction():
            await fence(live.worker, new)
            kept = (live.run, task.position, msgspec.json.encode(proof))
            await new.execute(live.context.journal.sql("keep_proof"), *kept)
        await failpoint("table.verified")


async def _proof(live: ActiveRun, new: asyncpg.Connection, task: Task, hashing: Hashing) -> Proof:
    """Reads the table of one flow in NEW once, and names the rows of the batches that differ."""
    job, plan = live.context.job, task.plan
    written = [row for other in live.tasks if other.plan.new == plan.new for row in other.done if row.xids]
    proof = _unproven(live, task, hashing)
    if not written:
        return proof
    mine = frozenset(xid & LOW for row in written for xid in (*row.xids, *row.update_xids))
    # The first transaction of a batch is its own, of 64 bits; of those of its savepoints 32 bits are known.
    oldest = min(row.xids[0] for row in written)
    there = await held(new, job, plan, hashing, mine, oldest)
    wrong = differing(task.done, there)
    if not wrong and not there.others_later:
        return proof
    naming = Naming(job, plan, hashing, live.snapshot, new, oldest, mine)
    found = await naming.differences(wrong, _not_copied(live, task))
    return structs.replace(proof, differences=tuple(found))


def _unproven(live: ActiveRun, task: Task, hashing: Hashing) -> Proof:
    """Returns what is to be proven of a flow."""
    job, plan = live.context.job, task.plan
    filled = [m.column for m in plan.columns if isinstance(m.expression, NewDefault)]
    return Proof(
        sum(row.written for row in task.done),
        tuple(column.name for column in copied_columns(job, plan)),
        apart=tuple(f"{column} (filled by NEW)" for column in filled),
        printed_by="OLD" if printed_by_old(job, plan, hashing) else "NEW",
    )


def _not_copied(live: ActiveRun, task: Task) -> dict[int, Sequence[Locator]]:
    """Returns the rows of each batch that were rejected or were in NEW before."""
    gone = sorted(live.book.not_copied(task.plan.flow))
    return {row.batch.number: [one for one in gone if one in row.batch] for row in task.done}
