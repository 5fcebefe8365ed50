"""Small tables that share transactions: a hundred statements for each of thousands of them take longer than
their rows.

A table takes part where nothing but its rows is to be said of it: all of them are one batch of which no data
check rejects a row, no trigger or rule acts on them, nothing has to be off, and nothing is looked up.
Whatever goes wrong undoes the transaction, and each of its tables is copied by itself afterwards, as every
other one is. What a transaction commits is exactly what its tables would have committed one by one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import asyncpg

from tranship.errors import ConnectError
from tranship.execution.active_run import MANY_TABLES, ActiveRun, Task, fence
from tranship.execution.context import Job
from tranship.execution.copying.account import Copied, accounted
from tranship.execution.copying.assignment import Moved, Report
from tranship.execution.copying.batch import LOCK_TIMEOUT, Worker
from tranship.execution.copying.counted import keep_relations
from tranship.execution.copying.flow_copy import FlowCopy, end_copy
from tranship.execution.copying.stream import OldSideError, Target, pipe
from tranship.execution.proof.expected import printed_by_old, sums_of
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.server_errors import StreamBroken
from tranship.execution.resilience.stall import Progress, watched
from tranship.execution.resilience.throttle import Throttle
from tranship.execution.switches.triggers_and_keys import acting_tables, stays_on
from tranship.execution.time_spent import question
from tranship.model.catalog_codes import RelationKind
from tranship.model.digest import Sums
from tranship.model.expression import Constant, MapValues, NewDefault, Take
from tranship.model.flow import FlowId
from tranship.model.locator import Whole
from tranship.model.names import TableName
from tranship.model.options import RebuildIndexes
from tranship.model.plan import Group, TablePlan
from tranship.model.shape import PLAIN
from tranship.server.journal import BatchRow, Predicted, RelationIdentity
from tranship.server.old_reader import OldReader, Portion
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql import session as statements
from tranship.sql.new.counting import count_written, each
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.old.digest import BatchRead, batch_sums, computed_values

TOGETHER = 40
"""Tables of one transaction: it locks each of them with its indexes on NEW, and each on OLD."""
_MOST_ROWS = 4_000
"""Rows of a small table. More are worth a transaction of their own, which is divided when it fails."""
_PLAIN = (Take, Constant, NewDefault, MapValues)
_UNDONE = (*DATABASE_TROUBLE, ConnectError, TimeoutError, OldSideError, StreamBroken)
"""After these the tables of a transaction are copied one by one."""


class _Undone(Exception):
    """The transaction cannot be committed as it is."""


async def small_tables(live: ActiveRun, new: asyncpg.Connection) -> list[Task]:
    """Returns the tables of a run that may share transactions, in plan order; none unless there are many."""
    rebuilding = live.context.options.rebuild_indexes is RebuildIndexes.ALWAYS
    if live.worker.rehearsal is not None or live.unpredicted or rebuilding:
        return []
    job = live.context.job
    alone = _groups_of_one(job)
    found = [task for task in live.tasks if task.plan.flow in alone and _is_small(live, task)]
    if len(found) < MANY_TABLES:
        return []
    acting = await acting_tables(new, [job.after(task.plan) for task in found])
    return [task for task in found if stays_on(job, alone[task.plan.flow], acting)]


def _groups_of_one(job: Job) -> dict[FlowId, Group]:
    """Returns the groups of one table that does not refer to itself."""
    groups = (group for group in job.plan.groups if len(group.tables) == 1 and not group.cyclic)
    return {group.tables[0].flow: group for group in groups}


def _is_small(live: ActiveRun, task: Task) -> bool:
    """Returns whether a table that nobody has begun has few rows and nothing but these."""
    begun, large = task.finished or bool(task.done), bool(task.uncounted)
    if begun or large or len(task.todo) > 1 or task.one_stream or task.findings.not_asked or task.rejects_of:
        return False
    one = all(batch.range == Whole(batch.source) and batch.rows <= _MOST_ROWS for batch in task.todo)
    return one and _is_plain(live, task) and not live.book.not_copied(task.plan.flow)


def _is_plain(live: ActiveRun, task: Task) -> bool:
    """Returns whether the rows of a flow are copied as they are, into a table that nothing else fills."""
    job, plan = live.context.job, task.plan
    after, hashing = job.after(plan), live.worker.hashing
    own = after.kind == RelationKind.TABLE and not after.children and len(job.fillers(plan.new)) == 1
    expressions = all(isinstance(mapping.expression, _PLAIN) for mapping in plan.columns)
    proven = hashing is None or (hashing.sample is None and printed_by_old(job, plan, hashing))
    return own and expressions and proven and bool(task.facts.columns) and not _decided(plan)


def _decided(plan: TablePlan) -> bool:
    """Returns whether a decision or a time zone says more about the rows than which column becomes which."""
    zones = plan.zone is not None or plan.input_zone is not None
    return zones or plan.shape != PLAIN or plan.repointing is not None or bool(plan.tolerating or plan.moment)


def _levels(live: ActiveRun, tasks: Sequence[Task]) -> list[list[Task]]:
    """Returns the tables by how far they are from those that refer to none, so that parents come first.

    A table that refers to one which the run fills in another way waits for its turn there.
    """
    level: dict[TableName, int] = {}
    done = {task.plan.new for task in live.tasks if task.finished}
    found: list[list[Task]] = []
    for task in tasks:
        parents = _parents(live, task) - done
        if parents <= level.keys():
            mine = level[task.plan.new] = 1 + max((level[parent] for parent in parents), default=-1)
            found += [[]] if mine == len(found) else []
            found[mine].append(task)
    return found


class Shared(NamedTuple):
    """What one transaction did with small tables."""

    rows: Mapping[int, BatchRow]
    """The batches by the position of their table; an empty table has none."""
    relations: Mapping[int, RelationIdentity | None]
    """The relations of NEW that received them."""


async def fill_small_tables(
    live: ActiveRun, workers: Sequence[Worker], throttle: Throttle, tasks: Sequence[Task]
) -> None:
    """Copies and ends small tables, parents first, as many streams side by side as there are workers. Tables
    whose transaction was undone are left, with those that refer to them.

    Raises:
        Stopped: another run took over.
    """
    for level in _levels(live, tasks):
        waiting = list(_in_shares(_with_parents(live, level), len(workers)))

        async def stream(worker: Worker, waiting: list[Sequence[Task]] = waiting) -> None:
            while waiting and not live.context.stop.is_set():
                mine = waiting.pop(0)
                await throttle.wait()
                shared = await _move_together(live, worker, mine)
                if shared is not None:
                    await _end(live, mine, shared)

        found = await asyncio.gather(*(stream(w) for w in workers[: len(waiting)]), return_exceptions=True)
        for error in found:
            if error is not None:
                raise error


async def _end(live: ActiveRun, tasks: Iterable[Task], shared: Shared) -> None:
    """Enters what a transaction did with some tables, all of which it ended."""
    for task in tasks:
        task.relation, row = shared.relations[task.position], shared.rows.get(task.position)
        if row is not None:
            FlowCopy(live, task).take(row.batch, Report(Moved(row)))
        end_copy(live, task)
        task.finished = True
        await failpoint("table.done")


async def _move_together(live: ActiveRun, worker: Worker, tasks: Sequence[Task]) -> Shared | None:
    """Copies small tables in one transaction that ends them, too. None: nothing was committed, or it is not
    known whether it was, and each table has to be copied by itself.

    Raises:
        Stopped: another run took over.
    """
    try:
        return await _Together(live, await worker.connection(), tasks).move()
    except (*_UNDONE, _Undone):
        await worker.close()
        return None
    except BaseException:
        await worker.close()
        raise


class _Together:
    """Small tables on the way through one transaction."""

    def __init__(self, live: ActiveRun, new: asyncpg.Connection, tasks: Sequence[Task]) -> None:
        self._live, self._new, self._tasks = live, new, tasks
        self._old: asyncpg.Connection | None = None
        self._progress = Progress()
        self._relations: dict[int, RelationIdentity | None] = {}

    async def move(self) -> Shared:
        """Copies, checks and commits."""
        live, new = self._live, self._new
        async with watched(live.context.config, lambda: (self._old, new), self._progress):
            async with live.snapshot.reading() as old:
                self._old = old.connection
                sums = await self._sums(old.connection)
                await self._begin()
                with question("COPY, over all streams"):
                    rows = [await self._copy(old, task, sums) for task in self._tasks if task.todo]
            self._old = None
            counted = await self._commit(rows)
            return Shared({row.position: row for row in counted}, self._relations)

    async def _begin(self) -> None:
        """Begins the transaction: fence, then claim."""
        live, new, waiting = self._live, self._new, [task for task in self._tasks if task.todo]
        limit = statements.set_local("lock_timeout", LOCK_TIMEOUT)
        await new.execute(f"{live.worker.unit.begin}; {limit}")
        await failpoint("batch.begun")
        await fence(live.worker, new)
        await failpoint("batch.fenced")
        places = [task.position for task in waiting], [task.todo[0].number for task in waiting]
        claimed = await new.fetch(live.context.journal.sql("claim_batches"), live.run, *places)
        await failpoint("batch.claimed")
        if len(claimed) < len(waiting):
            raise _Undone
        self._relations = await keep_relations(live, self._tasks, new)
        if None in self._relations.values():
            raise _Undone

    async def _copy(self, old: OldReader, task: Task, sums: Mapping[int, Sums]) -> BatchRow:
        job, plan, (batch,) = self._live.context.job, task.plan, task.todo
        began = time.monotonic()
        portion = Portion(plan, job.before(plan), batch)
        target = Target(plan.new, task.facts.columns, binary=task.facts.binary)
        copied = await pipe(old, self._new, portion, target, self._progress)
        done = Copied(copied.written, copied.bytes, 0, sums=sums.get(task.position))
        return accounted(task.position, batch, Predicted(), done, time.monotonic() - began)

    async def _sums(self, old: asyncpg.Connection) -> dict[int, Sums]:
        """Returns what NEW should hold of each table, by its position."""
        job, hashing = self._live.context.job, self._live.worker.hashing
        asked = [task for task in self._tasks if task.todo] if hashing is not None else []
        queries = []
        for task in asked:
            values = computed_values(task.plan, job.before(task.plan))
            if hashing is None or values is None:
                raise _Undone
            read = BatchRead(task.plan, job.before(task.plan), task.todo[0])
            queries.append(batch_sums(read, values, hashing.form(job.old)))
        rows = await old.fetch(each(queries)) if queries else []
        return {asked[row["n"]].position: sums_of(row) for row in rows}

    async def _commit(self, rows: Sequence[BatchRow]) -> list[BatchRow]:
        """Checks everything that tables are checked for one by one, journals and commits."""
        live, new, journal = self._live, self._new, self._live.context.journal
        await failpoint("batch.copied")
        await new.execute(statements.CONSTRAINTS_NOW)
        tables = [live.context.job.after(task.plan) for task in self._tasks]
        # COPY's locks keep triggers from being made from here to the end.
        if await acting_tables(new, tables):
            raise _Undone
        counted = await journal.count_batches(new, live.run, rows)
        await self._check(counted)
        await failpoint("batch.counted")
        await new.execute(journal.sql("end_tasks"), live.run, [task.position for task in self._tasks])
        await new.execute(live.worker.unit.commit)
        await failpoint("batch.committed")
        return counted

    async def _check(self, rows: Sequence[BatchRow]) -> None:
        """Counts in NEW what the transaction wrote."""
        job = self._live.context.job
        tables = {task.position: relation_to_read(job.after(task.plan)) for task in self._tasks}
        written = [row for row in rows if row.written]
        queries = [count_written(tables[row.position], row.xids, row.xids[0]) for row in written]
        for found in await self._new.fetch(each(queries)) if queries else ():
            if found["ours"] != written[found["n"]].written:
                raise _Undone


def _in_shares(tasks: Sequence[Task], streams: int) -> Iterable[Sequence[Task]]:
    """Yields the tables of one level as they share transactions, with some for each stream."""
    size = max(1, min(TOGETHER, -(-len(tasks) // streams)))
    for first in range(0, len(tasks), size):
        yield tasks[first : first + size]


def _with_parents(live: ActiveRun, tasks: Iterable[Task]) -> list[Task]:
    """Returns those of some tables whose parents are all filled: their transaction may have been undone."""
    filled = {task.plan.new for task in live.tasks if task.finished}
    return [task for task in tasks if _parents(live, task) <= filled]


def _parents(live: ActiveRun, task: Task) -> set[TableName]:
    """Returns the tables that the run fills and to which the rows of a table refer."""
    job = live.context.job
    keys = (key for key in job.after(task.plan).every_foreign_key if key.enforced)
    return {key.target for key in keys if job.fillers(key.target)}
