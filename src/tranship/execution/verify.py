"""The phase of a live run that proves, row by row, that NEW holds what OLD's rows become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import asyncpg
import msgspec
from msgspec import structs

from tranship.execution.active_run import MANY_TABLES, ActiveRun, Task, fence
from tranship.execution.probe.lookup_changes import contents, fixed_lookups
from tranship.execution.proof.as_it_was import Seen, as_it_was
from tranship.execution.proof.claims import Claims
from tranship.execution.proof.compare import (
    LOW,
    Subject,
    TableSums,
    differing,
    sums_of_tables,
    table_sums,
)
from tranship.execution.proof.expected import Hashing, is_too_large, printed_by_old
from tranship.execution.proof.filled import read_filled
from tranship.execution.proof.naming import NAME_ROWS, NAMED, Naming
from tranship.execution.proof.new_rows import Extents, NewRows, Runs
from tranship.execution.proof.one_reader import OneReader
from tranship.execution.proof.rows_before import BeforeResult, HeldRows
from tranship.execution.proof.second_opinion import Compare, OpinionResult, none_of
from tranship.execution.proof.strangers import Strangers
from tranship.execution.proof.unlike import with_unlike
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.time_spent import question
from tranship.model.difference import Difference, Proof
from tranship.model.expression import NewDefault
from tranship.model.locator import Locator
from tranship.model.names import Side, TableName
from tranship.server.journal import BatchRow, name_text
from tranship.server.old_reader import PostgresReader
from tranship.sql.new.counting import NEXT_XID, TOGETHER, WRAP

_READ_ELSEWHERE = "the snapshot in which its rows were read is gone"


async def verify_run(live: ActiveRun, new: asyncpg.Connection) -> None:
    """Journals what is proven of each flow of the run; nothing of flows whose rows cannot be proven.

    Raises:
        Stopped: another run took over.
    """
    hashing = live.worker.hashing
    # In a NEW that was restored elsewhere, rows do not carry the transactions that the journal has.
    if hashing is None or not live.native:
        return
    small = [task for task in live.tasks if _compared_together(live, task, hashing)]
    proven: set[int] = set()
    for first in range(0, len(small) if len(small) >= MANY_TABLES else 0, TOGETHER):
        proofs = await _equal_ones(live, new, small[first : first + TOGETHER], hashing)
        await _keep(live, new, proofs)
        proven |= proofs.keys()
    tables = dict[TableName, list[Task]]()
    for task in live.tasks:
        if task.position not in proven:
            tables.setdefault(task.plan.new, []).append(task)
    for tasks in tables.values():
        await _keep(live, new, await _proofs(live, new, tasks, hashing))


async def _keep(live: ActiveRun, new: asyncpg.Connection, proofs: Mapping[int, Proof]) -> None:
    """Journals proofs, given by the position of their flow."""
    if not proofs:
        return
    async with new.transaction():
        await fence(live.worker, new)
        kept = [(live.run, position, msgspec.json.encode(proof)) for position, proof in proofs.items()]
        await new.executemany(live.context.journal.sql("keep_proof"), kept)
    await failpoint("table.verified")


def _compared_together(live: ActiveRun, task: Task, hashing: Hashing) -> bool:
    """Returns whether the sums of one batch are all that is to be compared of a table."""
    plan = task.plan
    own = len(live.context.job.fillers(plan.new)) == 1 and plan.input_zone is None
    filled = any(isinstance(mapping.expression, NewDefault) for mapping in plan.columns)
    hashed = all(row.sums is not None for row in task.done)
    plain = own and not filled and not live.book.held(plan.flow)
    return plain and hashed and len(task.done) <= 1 and hashing.sample is None


async def _equal_ones(
    live: ActiveRun, new: asyncpg.Connection, tasks: Sequence[Task], hashing: Hashing
) -> dict[int, Proof]:
    """Returns the proofs, by position, of those of some tables that one statement finds to be as they should.

    Every other one is compared by itself, and what differs is named.
    """
    written = [task for task in tasks if any(row.xids for row in task.done)]
    oldest = min((task.done[0].xids[0] for task in written), default=0)
    if written and await new.fetchval(NEXT_XID) - oldest > WRAP:
        return {}
    empty = [task for task in tasks if task not in written]
    proofs = {t.position: _unproven(live, t, Subject(live.context.job, t.plan, hashing)) for t in empty}
    try:
        async with new.transaction(isolation="repeatable_read", readonly=True):
            return proofs | await _equal_in_new(live, new, written, hashing, oldest)
    except asyncpg.PostgresError as error:
        if not is_too_large(error):
            raise
        return {}


async def _equal_in_new(
    live: ActiveRun, new: asyncpg.Connection, written: Sequence[Task], hashing: Hashing, oldest: int
) -> dict[int, Proof]:
    """Returns the proofs of those of some written tables that hold what they should and nothing else."""
    subjects = [Subject(live.context.job, task.plan, hashing) for task in written]
    mine = [frozenset(xid & LOW for xid in task.done[0].xids) for task in written]
    sums, proofs = await sums_of_tables(new, subjects, mine, oldest), dict[int, Proof]()
    async with OneReader(live.snapshot) as reader:
        for task, subject, there in zip(written, subjects, sums, strict=True):
            if not differing(task.done, there) and not there.others.rows:
                proof = _unproven(live, task, subject)
                proofs[task.position] = await _with_second_opinion(live, new, task, proof, reader)
    return proofs


async def _proofs(
    live: ActiveRun, new: asyncpg.Connection, tasks: Sequence[Task], hashing: Hashing
) -> dict[int, Proof]:
    """Reads one table of NEW once for each of the flows that fill it, and names the rows of the batches that
    differ. Returns the proofs by the position of their flow.

    None of a flow of which a row is too large to be printed; none at all where the run began too long ago for
    transaction numbers to tell.
    """
    tasks = [
        task for task in tasks if all(row.sums is not None for row in task.done if hashing.takes(row.batch))
    ]
    written = _written(live, tasks[0]) if tasks else []
    if not written:
        async with new.transaction(isolation="repeatable_read", readonly=True):
            return {task.position: await _of_none(live, new, task, hashing) for task in tasks}
    # The first transaction of a batch is its own, of 64 bits; of those of its savepoints 32 bits are known.
    oldest = min(row.xids[0] for row in written)
    if await new.fetchval(NEXT_XID) - oldest > WRAP:
        return {}
    try:
        # One snapshot of NEW: rows and the journal of other runs, which may be at work beside this one.
        async with new.transaction(isolation="repeatable_read", readonly=True):
            runs = Runs(await _known(live, new, tasks[0]), oldest)
            return await _compared(live, new, tasks, hashing, runs)
    except asyncpg.PostgresError as error:
        if not is_too_large(error):
            raise
        return {}


def _summed(task: Task, hashing: Hashing) -> bool:
    """Returns whether the sums of all batches of a flow are known that are to be compared."""
    return all(row.sums is not None for row in task.done if hashing.takes(row.batch))


async def _of_none(live: ActiveRun, new: asyncpg.Connection, task: Task, hashing: Hashing) -> Proof:
    """Returns the proof of a flow that wrote no row."""
    job, plan, known = live.context.job, task.plan, await _known(live, new, task)
    proof = _unproven(live, task, Subject(job, plan, hashing, await read_filled(new, job, plan)))
    return _with_rows_before(proof, await _rows_before(live, new, task, Runs(known, min(known, default=0))))


def _written(live: ActiveRun, task: Task) -> list[BatchRow]:
    """Returns the batches of this run that wrote the flow's table of NEW, those of other flows included."""
    return [row for o in live.tasks if o.plan.new == task.plan.new for row in o.done if row.xids]


async def _known(live: ActiveRun, new: asyncpg.Connection, task: Task) -> frozenset[int]:
    """Returns the transactions, 32 bits, in which this run and others wrote the flow's table of NEW."""
    table = name_text(task.plan.new)
    beside = await new.fetchval(live.context.journal.sql("xids_beside"), live.run, table)
    mine = (xid for row in _written(live, task) for xid in (*row.xids, *row.update_xids))
    return frozenset(xid & LOW for xid in (*mine, *beside))


class _Flow(NamedTuple):
    """A flow, and what NEW holds of it."""

    task: Task
    subject: Subject
    there: TableSums
    wrong: list[BatchRow]
    """Batches whose rows in NEW have other sums."""
    unlike: int
    """Rows that do not hold what NEW should have filled in."""
    before: BeforeResult


async def _compared(
    live: ActiveRun, new: asyncpg.Connection, tasks: Sequence[Task], hashing: Hashing, runs: Runs
) -> dict[int, Proof]:
    """Returns the proofs of the flows of one table. ``new`` is in a transaction with one snapshot."""
    flows = [await _read(live, new, task, hashing, runs) for task in tasks]
    named, proofs = dict[int, list[Difference]](), dict[int, Proof]()
    if any(one.wrong or one.unlike or one.there.others.rows for one in flows):
        with question(NAME_ROWS):
            named = await _named(live, new, flows, runs)
    async with OneReader(live.snapshot) as reader:
        for one in flows:
            found = tuple(named.get(one.task.position, ()))
            proof = structs.replace(_unproven(live, one.task, one.subject), differences=found)
            proof = _with_rows_before(proof, one.before)
            proofs[one.task.position] = await _with_second_opinion(live, new, one.task, proof, reader)
    return proofs


async def _read(live: ActiveRun, new: asyncpg.Connection, task: Task, hashing: Hashing, runs: Runs) -> _Flow:
    """Reads what NEW holds of a flow."""
    job, plan = live.context.job, task.plan
    subject = Subject(job, plan, hashing, await read_filled(new, job, plan))
    with question(f"sums of {plan.new}"):
        there = await table_sums(new, subject, runs.mine, runs.oldest)
    wrong = differing(task.done, there)
    unlike = there.unlike_in(task.done, others=bool(wrong))
    return _Flow(task, subject, there, wrong, unlike, await _rows_before(live, new, task, runs))


async def _named(
    live: ActiveRun, new: asyncpg.Connection, flows: Sequence[_Flow], runs: Runs
) -> dict[int, list[Difference]]:
    """Returns what differs by the position of the flow; rows that others added stand with the first one."""
    after, claims = live.context.job.after(flows[0].task.plan), Claims()
    extents = Extents(new, after, runs, (xid for one in flows for row in one.wrong for xid in row.xids))
    found, strangers = dict[int, list[Difference]](), dict[int, Strangers]()
    namings = [Naming(NewRows(one.subject, new, runs, extents), one.there.others.rows) for one in flows]
    for one, naming in zip(flows, namings, strict=True):
        strangers[one.task.position] = mine = claims.of(naming)
        gone = _not_copied(live, one.task, one.wrong)
        found[one.task.position] = await naming.differences(live.snapshot, one.wrong, gone, mine)
    # Once all have taken their own rows.
    for one, naming in zip(flows, namings, strict=True):
        at = one.task.position
        those = claims.unlike(strangers[at], one.task.done, one.wrong, one.there)
        if those is not None:
            found[at] = await with_unlike(naming, those, found[at])
    first, anew = found[flows[0].task.position], frozenset(at for one in flows for at in one.before.anew)
    await claims.close(anew)
    first += await claims.added(namings[0], NAMED - len(first))
    return found


async def _rows_before(live: ActiveRun, new: asyncpg.Connection, task: Task, runs: Runs) -> BeforeResult:
    """Compares the rows that NEW held before the run."""
    beside = (one for one in live.tasks if one.plan.new == task.plan.new and one is not task)
    updated_by = frozenset(xid & LOW for one in beside for row in one.done for xid in row.update_xids)
    held = HeldRows(live.context.job, task.plan, live.book.held(task.plan.flow), runs, updated_by)
    async with OneReader(live.snapshot) as reader:
        if held.held and not await _reads_the_same(live, task, reader):
            return BeforeResult(held.not_compared(_READ_ELSEWHERE), [])
    return await held.compared(live.snapshot, new)


async def _reads_the_same(live: ActiveRun, task: Task, reader: OneReader) -> bool:
    """Returns whether the run's snapshot shows the rows of a flow as they were read: an earlier process may
    have read them in another one.
    """
    plan, then = task.plan, live.read_in
    if plan.flow not in live.read_elsewhere:
        return True
    in_heaps = plan.shape.in_a_heap and all(source.pageable for source in plan.sources)
    if then is None or then.timeline != live.snapshot.mark.timeline or not in_heaps:
        return False
    seen = Seen(plan, task.rows_of_old, task.digest)
    return await as_it_was(PostgresReader(await reader.on(None)), live.snapshot.mark, then, seen)


def _with_rows_before(proof: Proof, before: BeforeResult) -> Proof:
    """Returns a proof with what was found of the rows that NEW held before the run."""
    found = (*proof.differences, *before.differences)
    return structs.replace(proof, differences=found, rows_before=before.said)


async def _with_second_opinion(
    live: ActiveRun, new: asyncpg.Connection, task: Task, proof: Proof, reader: OneReader
) -> Proof:
    """Returns a proof with what Python says of some rows. Where rows differ, there is nothing to be
    confirmed; those that others changed are named already.
    """
    if not all(one.by_others and one.key is not None for one in proof.differences):
        return proof
    said, found = await _second_opinion(live, new, task, reader)
    known = [one.key for one in proof.differences]
    more = (one for one in found if one.key not in known)
    return structs.replace(proof, differences=(*proof.differences, *more), second_opinion=said)


async def _second_opinion(
    live: ActiveRun, new: asyncpg.Connection, task: Task, reader: OneReader
) -> OpinionResult:
    if not await _reads_the_same(live, task, reader):
        return none_of(task.plan, _READ_ELSEWHERE)
    gone = live.book.not_copied(task.plan.flow)
    compare = Compare(live.context.job, task.plan, task.rows, gone)
    result = await compare.result(reader, new)
    if result.differences and await _lookups_changed(live, new, task, reader):
        # Those of OLD are read in the run's snapshot.
        return await structs.replace(compare, lookups_kept=frozenset({Side.OLD})).result(reader, new)
    return result


async def _lookups_changed(live: ActiveRun, new: asyncpg.Connection, task: Task, reader: OneReader) -> bool:
    """Returns whether the tables in which a flow's values were looked up are not known to be as they were
    then.
    """
    (group,) = (one for one in live.context.job.plan.groups if task.plan in one.tables)
    used = fixed_lookups(group, task.plan)
    if not used:
        return False
    kept = {row.position: row.lookups for row in await live.context.journal.tasks(new, live.run)}
    return kept[task.position] != await contents(used, await reader.on(None), new)


def _unproven(live: ActiveRun, task: Task, subject: Subject) -> Proof:
    """Returns what is to be proven of a flow."""
    printed = printed_by_old(live.context.job, task.plan, subject.hashing)
    return Proof(
        sum(row.written for row in task.done),
        subject.columns,
        apart=subject.filled.apart,
        constants=dict(subject.filled.constants),
        printed_by="OLD" if printed else "NEW",
        compared=sum(row.written for row in task.done if row.sums is not None),
        sample=subject.hashing.sample or "",
    )


def _not_copied(live: ActiveRun, task: Task, batches: Sequence[BatchRow]) -> dict[int, Sequence[Locator]]:
    """Returns the rows of these batches that were rejected or were in NEW before."""
    gone = live.book.not_copied(task.plan.flow)
    return {row.batch.number: sorted(one for one in gone if one in row.batch) for row in batches}
