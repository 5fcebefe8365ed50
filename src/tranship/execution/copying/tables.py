"""The coordinator: fills the groups of a run in order, with switches off, batches over the workers,
keys proven.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Literal

import asyncpg
from msgspec import structs

from tranship.errors import Stopped
from tranship.errors.codes.stops import RejectsReached, StoppedAsAsked
from tranship.execution.active_run import ActiveRun, Task, fence
from tranship.execution.copying.assignment import Assignment, Copier
from tranship.execution.copying.batch import SwitchNeeded, Worker
from tranship.execution.copying.count_ahead import CountAhead
from tranship.execution.copying.counted import fix_relations
from tranship.execution.copying.ending import end_task
from tranship.execution.copying.flow_copy import FlowCopy, RunSessions, end_copy
from tranship.execution.copying.merged import reject_merged
from tranship.execution.copying.orphans import NoticedDelete, prove_keys, reread
from tranship.execution.copying.shared import fill_small_tables, small_tables
from tranship.execution.copying.writers import wait_for_writers
from tranship.execution.probe.arrived import Arrived
from tranship.execution.probe.everything import Ranges, probe
from tranship.execution.probe.lookup_changes import contents, fixed_lookups, lookups_changed
from tranship.execution.resilience.connection import PlainSession
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.throttle import Throttle
from tranship.execution.resilience.writer_lock import WriterLock
from tranship.execution.switches import indexes
from tranship.execution.switches.keys_later import keys_may_wait
from tranship.execution.switches.switch_board import SwitchBoard
from tranship.execution.switches.triggers_and_keys import Switches, needed
from tranship.execution.time_spent import question
from tranship.model.expression import Lookup
from tranship.model.names import TableName
from tranship.model.options import RebuildIndexes, reject_bound
from tranship.model.plan import Group
from tranship.model.progress import Region
from tranship.model.verdict import Reject


class Mover:
    """Copies what is left of a run."""

    def __init__(
        self,
        live: ActiveRun,
        session: PlainSession,
        lock: WriterLock | None,
        *,
        jobs: int,
        ahead: CountAhead,
        elsewhere: Copier | None = None,
    ) -> None:
        """``ahead`` counts what is not counted yet. ``elsewhere`` copies the batches of flows with several
        streams; None: this process does.
        """
        self._live = live
        self._ahead = ahead
        self._elsewhere = elsewhere
        self._session = session
        self._lock = lock
        self._workers = [Worker(live.worker, n, RunSessions(live)) for n in range(jobs)]
        self._board = SwitchBoard(
            live.context.journal,
            live.run,
            live.context.job,
            live.context.on_event,
            fence=partial(fence, live.worker),
        )
        self._throttle = Throttle(session, live.context.stop, live.context.on_event)
        self._runtime_rejects = live.unpredicted
        """Rejects that no data check predicted."""

    async def run(self) -> None:
        """Fills all groups.

        Raises:
            Stopped: a person asked, the last try failed, or a limit is reached; the same command resumes.
        """
        try:
            # The limit may be a share of all rows; the command that began the run may not have had it.
            if self._ahead.before or self._live.context.options.max_rejects is not None:
                await self._count_all(self._live.tasks)
            await self._small()
            by_flow = {task.plan.flow: task for task in self._live.tasks}
            for group in self._live.context.job.plan.groups:
                tasks = [by_flow[plan.flow] for plan in group.tables if plan.flow in by_flow]
                if any(t.left or not t.finished for t in tasks):
                    await self._group(group, tasks)
        finally:
            for worker in self._workers:
                await worker.close()

    async def _count_all(self, tasks: Sequence[Task]) -> None:
        """Waits until all rows of some tables are counted.

        Raises:
            Stopped: a person asked.
        """
        for task in tasks:
            await self._ahead.whole(task)
            if task.uncounted:
                raise self._stopped()

    async def _small(self) -> None:
        """Fills the small tables of which there are so many that they share transactions."""
        tasks = await self._session.work("small tables", partial(small_tables, self._live))
        # What an earlier process left off belongs to a group, which restores it after its rows.
        if not await self._board.anything_off(self._session) and tasks:
            await fill_small_tables(self._live, self._workers, self._throttle, tasks)

    async def _group(self, group: Group, tasks: Sequence[Task]) -> None:
        """Fills the tables of one group and journals that they are done."""
        if self._runtime_rejects or any(task.findings.not_asked for task in tasks):
            await self._probe_again(tasks)
        switches = await self._needed(group, tasks)
        await self._fix_lookups(group, tasks)
        await self._session.work("the journal", partial(fix_relations, self._live, tasks))
        try:
            await self._fill(group, tasks, switches)
        except BaseException:
            await self._board.on_after_failure(self._session.as_it_is())
            raise
        for task in tasks:
            await self._session.work("merged rows", partial(reject_merged, self._live, task))
            await self._session.work(f"the end of {task.plan.flow}", partial(end_task, self._live, task))
            task.finished = True
            await failpoint("table.done")

    async def _needed(self, group: Group, tasks: Sequence[Task]) -> Switches:
        """Returns what has to be off for a group."""
        # Keys of a table to itself may stay on while all its rows arrive in one statement. A group that was
        # interrupted, or whose batches are cut already, cannot promise that.
        untouched = not any(task.done for task in tasks)
        one_batch = sum(len(task.left) for task in tasks) <= 1
        finding = partial(
            needed,
            job=self._live.context.job,
            group=group,
            replica=self._live.replica,
            rows=sum(task.rows for task in tasks) if untouched else None,
            batch_rows=self._live.context.options.batch_rows if one_batch else 0,
        )
        found = await self._session.work("switches", finding)
        if self._live.replica and found.none and await self._keys_may_wait(group, tasks):
            return Switches(replica=True)
        return found

    async def _keys_may_wait(self, group: Group, tasks: Sequence[Task]) -> bool:
        """Returns whether the foreign keys of a group are left to a proof after its rows."""
        rows = sum(task.rows for task in tasks)
        asking = partial(keys_may_wait, job=self._live.context.job, group=group, rows=rows)
        return await self._session.work("switches", asking)

    async def _fill(self, group: Group, tasks: Sequence[Task], switches: Switches) -> None:
        """Switches off, copies, proves the foreign keys and restores."""
        await self._board.off(self._session, switches, keys=not switches.one_batch)
        await self._remove_indexes(tasks)
        role = self._role(switches)
        # An earlier process may have left the keys of its batches to a proof.
        resumed = any(task.done for task in tasks)
        for task in tasks:
            task.facts = structs.replace(task.facts, replication_role=role, whole_keys=switches.one_batch)
            with question(f"rows of {task.plan.flow}"):
                await self._table(task, switches)
        await self._fix_lookups(group, tasks)
        if switches.replica or switches.drop or switches.keys_tolerated or resumed:
            with question(f"foreign keys of {tasks[0].plan.new}"):
                await self._prove_keys(tasks)
        # Keys are proven before the indexes come back: what is taken out now need not be indexed.
        with question(f"indexes of {tasks[0].plan.new}"):
            await self._rebuild({task.plan.new for task in tasks})
        await self._board.on(self._session)

    async def _prove_keys(self, tasks: Sequence[Task]) -> None:
        before = sum(t.counts.rejected for t in tasks)
        tries = 0

        async def prove(new: asyncpg.Connection) -> None:
            nonlocal tries
            tries += 1
            if tries > 1:
                await reread(self._live, new, tasks)
            await prove_keys(self._live, new, tasks)

        await wait_for_writers(self._live, self._session, tasks)
        proven = False
        while not proven:
            try:
                await self._session.work("foreign keys", prove)
                proven = True
            except NoticedDelete as noticed:
                await self._board.off(self._session, Switches(disable=noticed.firing), keys=False)
        self._runtime_rejects += sum(t.counts.rejected for t in tasks) - before

    async def _remove_indexes(self, tasks: Sequence[Task]) -> None:
        """Removes indexes before the first row of a group arrives; a resumed group keeps what is off."""
        live = self._live
        if live.worker.rehearsal is not None or any(t.done for t in tasks):
            return
        await self._count_if_large(tasks)
        rows = Counter[TableName]()
        for task in tasks:
            rows[task.plan.new] += task.rows
        await self._board.remove_indexes(self._session, await self._to_remove(rows))

    async def _count_if_large(self, tasks: Sequence[Task]) -> None:
        """Waits until it is known whether tables have so many rows that their indexes are removed: as in a
        dry run, that is not left to an estimate.
        """
        uncounted = [task for task in tasks if task.uncounted]
        if not uncounted or self._live.context.options.rebuild_indexes is not RebuildIndexes.AUTO:
            return
        if await self._to_remove({task.plan.new: indexes.AUTO_ROWS for task in uncounted}):
            for task in uncounted:
                await self._ahead.at_least(task, indexes.AUTO_ROWS)

    async def _to_remove(self, rows: Mapping[TableName, int]) -> tuple[indexes.LooseIndex, ...]:
        """Returns the indexes to remove where so many rows arrive in each table."""
        mode = self._live.context.options.rebuild_indexes
        choosing = partial(indexes.to_remove, job=self._live.context.job, rows=rows, mode=mode)
        return await self._session.work("indexes", choosing)

    async def _rebuild(self, tables: AbstractSet[TableName]) -> None:
        """Rebuilds the removed indexes of tables, as many at a time as there are workers.

        Raises:
            Stopped: one cannot be built, or a person asked; those that were begun are finished.
        """
        queue = [
            undo
            for undo in await self._board.removed_indexes(self._session)
            if undo.index is not None and undo.index.table in tables
        ]
        failed: list[BaseException] = []

        async def stream(worker: Worker) -> None:
            while queue and not failed and not self._live.context.stop.is_set():
                undo = queue.pop(0)
                try:
                    await self._board.rebuild(worker, undo)
                except Exception as error:
                    failed.append(error)
                    raise

        await asyncio.gather(*(stream(w) for w in self._workers[: len(queue)]), return_exceptions=True)
        if failed:
            raise failed[0]
        if queue:
            raise self._stopped()

    def _stopped(self) -> Stopped:
        lost = self._lock.lost if self._lock is not None else None
        return lost or Stopped(StoppedAsAsked())

    async def _fix_lookups(self, group: Group, tasks: Sequence[Task]) -> None:
        """Checks that the tables in which values are looked up have not changed since the first row.

        That holds over crashes, resumed runs and new snapshots of OLD.

        Raises:
            Stopped: somebody changed one.
        """
        for task in tasks:
            used = fixed_lookups(group, task.plan)
            if not used or task.finished:
                continue
            kept, now = await self._session.work(
                f"lookups of {task.plan.flow}", partial(fix_lookups, self._live, task, used)
            )
            if kept != now:
                raise lookups_changed(task.plan, used)

    async def _probe_again(self, tasks: Sequence[Task]) -> None:
        """Asks the data checks of a group again, now that earlier groups are in NEW.

        They may have had runtime rejects, or a check may have needed their rows. What is found goes to the
        journal, where workers read the predicted rejects of their batches.
        """
        live = self._live
        await self._count_all(tasks)
        batches = {t.plan.flow: tuple(t.todo) for t in tasks}
        # The checks follow a reject through whole tables. What they say of rows that are in NEW already only
        # leads them on: foreign keys take those rows out, and each of them is then a reject of its batch.
        book = live.book.copy()
        await probe(
            live.context,
            live.snapshot,
            book,
            Ranges(batches),
            arrived=Arrived.GROUPS_BEFORE,
            rehearsal=live.worker.rehearsal,
        )
        found: dict[int, list[Reject]] = {}
        for task in tasks:
            flow, left = task.plan.flow, Region(task.todo)
            known = live.book.rejected(flow)
            rejects = [r for row, r in book.rejected(flow).items() if row not in known and row in left]
            live.book.add_all(flow, rejects)
            found[task.position] = rejects
        if any(found.values()):
            await self._session.work("the journal", partial(add_predicted, live, found))

    async def _table(self, task: Task, switches: Switches) -> None:
        flow, live = task.plan.flow, self._live
        known = len(live.book.rejected(flow)) - self._ahead.rejected[flow]
        waiting = FlowCopy(live, task)
        failed: list[BaseException] = []

        async def stream(copier: Copier) -> None:
            while not failed and not live.context.stop.is_set():
                try:
                    if not waiting:
                        if await self._ahead.more(task):
                            continue
                        return
                    assignment = waiting.assign()
                    await self._throttle.wait()
                    await self._batch(copier, waiting, assignment, switches)
                except Exception as error:
                    failed.append(error)
                    raise

        await asyncio.gather(*map(stream, self._copiers(task, len(waiting))), return_exceptions=True)
        if failed:
            raise failed[0]
        if not waiting.complete:
            raise self._stopped()
        self._runtime_rejects += len(live.book.rejected(flow)) - self._ahead.rejected[flow] - known
        end_copy(live, task)

    def _copiers(self, task: Task, batches: int) -> Sequence[Copier]:
        """Returns who copies a flow, one for each stream."""
        if task.one_stream:
            return self._workers[:1]
        if task.uncounted:
            batches = max(batches, len(self._workers))
        # One batch is copied no sooner elsewhere.
        if self._elsewhere is None or batches == 1 or task.facts.whole_keys:
            return self._workers[:batches]
        return [self._elsewhere] * min(len(self._workers), batches)

    async def _batch(
        self, copier: Copier, waiting: FlowCopy, assignment: Assignment, switches: Switches
    ) -> None:
        """Has one batch copied and enters the report."""
        batch = assignment.batch
        try:
            report = await copier.move(assignment)
        except SwitchNeeded:
            await self._board.off(self._session, Switches(drop=switches.drop), keys=True)
            report = await copier.move(waiting.in_pieces(batch))
        waiting.take(batch, report)
        tasks, options = self._live.tasks, self._live.context.options
        bound = reject_bound(options, sum(t.rows for t in tasks))
        rejected = sum(t.counts.rejected for t in tasks) if bound is not None else 0
        if bound is not None and rejected > bound:
            raise Stopped(RejectsReached(rejected, options.max_rejects))

    def _role(self, switches: Switches) -> Literal["replica", "origin"] | None:
        if switches.replica:
            return "replica"
        live = self._live
        silenced = live.worker.rehearsal is not None and any(task.facts.replica for task in live.tasks)
        return "origin" if silenced else None


async def fix_lookups(
    live: ActiveRun, task: Task, used: Sequence[Lookup], new: asyncpg.Connection
) -> tuple[str, str]:
    """Returns (recorded, current): the hash of the content of a table's lookups that was stored when its
    first row was copied, and the hash of the content now.
    """
    async with live.snapshot.reader() as old, new.transaction():
        await fence(live.worker, new)
        now = await contents(used, old, new)
        return await new.fetchval(live.context.journal.sql("fix_lookups"), live.run, task.position, now), now


async def add_predicted(
    live: ActiveRun, found: Mapping[int, Sequence[Reject]], new: asyncpg.Connection
) -> None:
    """Journals predicted rejects, given by the position of their flow in the run."""
    async with new.transaction():
        await fence(live.worker, new)
        for position, rejects in found.items():
            await live.context.journal.add_predicted_rejects(new, live.run, position, rejects)
