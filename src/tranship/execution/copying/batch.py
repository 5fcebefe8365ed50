"""The worker: it copies a batch and journals it in one transaction of NEW, and reports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import asyncpg
from msgspec.structs import replace

from tranship.errors import ConnectError, Stopped
from tranship.errors.codes.stops import CommittedRowsLost, RehearsalLost
from tranship.execution.active_run import FlowTask, WorkerContext, fence
from tranship.execution.copying.account import Copied, accounted
from tranship.execution.copying.assignment import Assignment, Moved, Report
from tranship.execution.copying.batch_lines import identified_lines
from tranship.execution.copying.beside import BatchSums
from tranship.execution.copying.isolate import Isolation
from tranship.execution.copying.reject_rows import write_rejects
from tranship.execution.copying.split import (
    WHOLE_TRIES,
    divide,
    divisible,
    few_to_hold,
    reached,
    smaller_may_pass,
    with_old_rows,
)
from tranship.execution.copying.stream import OldSideError, Target, pipe
from tranship.execution.copying.updates import Updating, find_changes, read_changes
from tranship.execution.resilience.connection import Action
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.retry import retry
from tranship.execution.resilience.server_errors import StreamBroken, is_rows_fault
from tranship.execution.resilience.stall import Progress, watched
from tranship.execution.resilience.writer_lock import end_backends
from tranship.execution.switches.triggers_and_keys import refuse_late_triggers
from tranship.execution.time_spent import question
from tranship.model.digest import Sums
from tranship.model.progress import Batch
from tranship.model.verdict import Reject
from tranship.server.journal import BatchRow, Predicted, bound
from tranship.server.old_reader import OldReader, Portion
from tranship.server.session import datestyle, open_session
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql import session as statements
from tranship.sql.joins import Bindings
from tranship.sql.new import switches as sql_switches

LOCK_TIMEOUT = "3s"
"""A batch holds locks on NEW while it waits for another one, so it fails soon and is tried again."""
T = TypeVar("T")


class SwitchNeeded(Exception):
    """A table that refers to itself has to be copied in pieces, and its foreign keys forbid that."""


class Sessions(Protocol):
    """Keeps account of the sessions of a run, for its coordinator."""

    async def renewed(self, new: asyncpg.Connection) -> None:
        """Checks through a new connection that NEW holds what was committed; what it raises ends the run."""

    def opened(self, worker: int, backend: int) -> None:
        """Notes the backend that works for a worker in NEW."""

    def closed(self, worker: int) -> None:
        """Notes that a worker has no backend any more."""


class _Batch(NamedTuple):
    """The batch that a worker copies now."""

    task: FlowTask
    batch: Batch
    predicted: Predicted
    """Its rows that are not copied."""
    began: float


class Worker:
    """Copies batches on its connection to NEW: claims, copies, reports.

    It remembers nothing of one batch in the next, so that another process could do its work.
    """

    def __init__(self, run: WorkerContext, number: int, sessions: Sessions) -> None:
        self._run = run
        self._number = number
        self._sessions = sessions
        self._new: asyncpg.Connection | None = None
        self._old: asyncpg.Connection | None = None
        """The connection that reads the present batch from OLD."""
        self._hashed: BatchSums | None = None
        """The sums of the present batch once all else waits for them."""
        self._progress = Progress()
        self._left: int | None = None
        """The backend of a connection that broke. It may not have noticed, and hold locks for long."""

    async def move(self, assignment: Assignment) -> Report:
        """Copies a batch, retrying transient errors. Returns a report with the parts not yet copied.

        A batch that is slow or fails as a whole is divided. Many refused rows end a transaction early.

        Raises:
            Stopped: another run took over, or the last try failed.
        """
        task, batch = assignment.task, assignment.batch
        trying = partial(
            retry, tell=self._run.context.note, what=f"{task.plan.flow} batch {batch.number}", stop=self._stop
        )
        once = partial(self._once, assignment)
        if not divisible(self._run, task, batch):
            return await trying(once)
        slow = (rows := assignment.most_rows) < batch.rows
        if not slow:
            try:
                return await trying(once, tries=WHOLE_TRIES)
            except (*DATABASE_TROUBLE, ConnectError, TimeoutError) as error:
                if self._stop.is_set() or not smaller_may_pass(error):
                    raise
            rows = batch.rows // 2
        parts = await trying(partial(self._divided, assignment, rows))
        return Report(rest=parts, slow=slow) if parts is not None else await trying(once)

    async def divided_if_large(self, assignment: Assignment) -> Report | None:
        """Divides a batch that has more rows than one transaction is to copy, and copies nothing.

        Returns None when it has not more, or cannot be divided.
        """
        task, batch = assignment.task, assignment.batch
        if assignment.most_rows >= batch.rows or not divisible(self._run, task, batch):
            return None
        once = partial(self._divided, assignment, assignment.most_rows)
        what = f"{task.plan.flow} batch {batch.number}"
        parts = await retry(once, tell=self._run.context.note, what=what, stop=self._stop)
        return Report(rest=parts, slow=True) if parts is not None else None

    async def _divided(self, assignment: Assignment, rows: int) -> tuple[Batch, Batch] | None:
        return await divide(self._run, assignment.task, assignment.batch, rows, await self.connection())

    @property
    def _stop(self) -> asyncio.Event:
        return self._run.context.stop

    async def work(self, what: str, action: Action[T]) -> T:
        """Returns the action's result, as `Session` says, on this worker's connection."""

        async def once() -> T:
            try:
                return await action(await self.connection())
            except BaseException:
                await self.close()
                raise

        return await retry(once, tell=self._run.context.note, what=what, stop=self._stop)

    async def close(self) -> None:
        """Ends the connection at once."""
        if self._new is not None:
            self._left = self._new.get_server_pid()
            self._new.terminate()
            self._new = None
            self._sessions.closed(self._number)

    async def connection(self) -> asyncpg.Connection:
        """Returns the worker's connection to NEW, which is in no transaction between batches."""
        if self._new is None or self._new.is_closed():
            context = self._run.context
            style = datestyle(context.job.new)
            new = await open_session(context.config.new, datestyle=style, search_path=None)
            try:
                await self._sessions.renewed(new)
            except BaseException:
                new.terminate()
                raise
            if self._left is not None:
                await end_backends(new, [self._left])
                self._left = None
            self._new = new
            self._sessions.opened(self._number, new.get_server_pid())
        return self._new

    async def _once(self, assignment: Assignment) -> Report:
        """Tries a batch once."""
        rehearsal = self._run.rehearsal
        try:
            if rehearsal is not None:
                return await self._within(rehearsal, assignment)
            return await self._clean_or_isolated(await self.connection(), assignment)
        except BaseException:
            await self.close()
            raise
        finally:
            self._old = self._hashed = None

    def _reads(self) -> asyncpg.Connection | None:
        """Returns the connection to OLD for which the present batch waits."""
        return self._hashed.computes if self._hashed is not None else self._old

    async def _within(self, rehearsal: asyncpg.Connection, assignment: Assignment) -> Report:
        """Tries a batch once inside a rehearsal's transaction, which a failure leaves as it was."""
        if rehearsal.is_closed():
            raise Stopped(RehearsalLost())
        async with rehearsal.transaction():
            # What goes wrong before the batch begins is rolled back as well.
            await rehearsal.execute(self._run.unit.begin)
            return await self._clean_or_isolated(rehearsal, assignment)

    async def _clean_or_isolated(self, new: asyncpg.Connection, assignment: Assignment) -> Report:
        task, batch, journal = assignment.task, assignment.batch, self._run.context.journal
        predicted = Predicted()
        if task.predictions:
            predicted = await journal.predicted_in(new, self._run.run, task.position, batch)
        given = _Batch(task, batch, predicted, time.monotonic())
        try:
            async with watched(self._run.context.config, lambda: (self._reads(), new), self._progress):
                return await self._clean(new, given)
        except asyncpg.PostgresError as error:
            if not is_rows_fault(error, task.plan.new):
                raise
        except OldSideError as error:
            cause = error.__cause__
            if cause is not None and not is_rows_fault(cause):
                raise cause from None
        await new.execute(self._run.unit.rollback)
        if task.whole_keys:
            raise SwitchNeeded
        parts = await few_to_hold(self._run, task, batch, new)
        if len(parts) > 1:
            return Report(rest=parts)
        await failpoint("batch.isolating")
        return await self._isolated(new, given._replace(began=time.monotonic()))

    async def _clean(self, new: asyncpg.Connection, given: _Batch) -> Report:
        """Copies in bulk all rows that are not rejected already."""
        run, plan = self._run, given.task.plan
        async with run.snapshot.reading(plan.zone) as old:
            self._old = old.connection
            bindings = await run.bindings(old.connection, new, plan, given.batch, given.predicted.rows)
            changes = await find_changes(run, old.connection, new, given.task, given.batch, given.predicted)
            expecting = run.expecting(plan, given.batch, old.connection, new)
            async with BatchSums(run, expecting, given.batch, given.predicted.rows, bindings) as hashed:
                if not await self._begin(new, given):
                    return await self._already(new, given)
                with question("COPY, over all streams"):
                    written, sent = await self._copy(old, new, given, bindings)
                await failpoint("batch.copied")
                await new.execute(statements.CONSTRAINTS_NOW)
                updated = await self._updating(new, given).apply(old, changes, self._progress)
                rejects = [*given.predicted.rejects, *updated.rejects]
                first = await write_rejects(run, old.connection, new, given.task, given.batch, rejects)
                self._hashed = hashed
                sums = await hashed.result()
        self._old = self._hashed = None
        copied = Copied(written, sent, len(rejects), updated=updated, sums=sums)
        return Report(Moved(await self._commit(new, given, copied), first, updated.rejects))

    def _updating(self, new: asyncpg.Connection, given: _Batch) -> Updating:
        """NEW's own rows get OLD's values after the batch's added rows, which may be their parents."""
        return Updating(self._run, new, given.task, given.batch, partial(self._mark, new, given))

    async def _copy(
        self, old: OldReader, new: asyncpg.Connection, given: _Batch, bindings: Bindings
    ) -> tuple[int, int]:
        """Returns the rows written and the bytes sent."""
        task, batch = given.task, given.batch
        plan, job = task.plan, self._run.context.job
        if len(given.predicted) == batch.rows:
            return 0, 0
        if not task.columns and job.after(plan).columns:
            rows = batch.rows - len(given.predicted)
            tag = await new.execute(statements.insert_defaults(plan.new, rows))
            if tag != f"INSERT 0 {rows}":
                raise StreamBroken(f"NEW filled {tag} of {rows} rows of {plan.new}")
            return rows, 0
        portion = Portion(
            plan,
            job.before(plan),
            batch,
            excluded=given.predicted.rows,
            bindings=bindings,
            in_key_order=task.ordered_stream,
        )
        target = Target(plan.new, task.columns, binary=task.binary)
        copied = await pipe(old, new, portion, target, self._progress)
        return copied.written, copied.bytes

    async def _isolated(self, new: asyncpg.Connection, given: _Batch) -> Report:
        """Copies in ever smaller pieces, and rejects with NEW's message the rows that it refuses."""
        run, task, batch = self._run, given.task, given.batch
        lines, unreadable = await identified_lines(run, new, task, batch, given.predicted.rows)
        async with run.snapshot.reading(task.plan.zone) as old:
            changes = await read_changes(run, old.connection, new, task, given.predicted.updated)
        # Taken before the batch's transaction: streams that split at the same time do not wait for each
        # other.
        number = await run.context.journal.reserve_number(new, run.run, task.position)
        if not await self._begin(new, given):
            return await self._already(new, given)
        keys = self._run.context.job.after(task.plan).every_foreign_key
        isolation = Isolation(new, task.plan.new, task.columns, partial(self._mark, new, given), keys)
        result = await isolation.run(lines, may_stop=not task.ordered_stream and task.plan.shape.in_a_heap)
        kept, rest = reached(batch, given.predicted, lines, result, number)
        if rest is not None:
            kept, rest = await with_old_rows(run, task.plan, (kept, rest))
            given = given._replace(batch=kept, predicted=given.predicted.within(kept))
            unreadable = [reject for reject in unreadable if reject.row in kept]
            await run.context.journal.write_batches(new, run.run, {task.position: [rest]})
        within = [change for change in changes if change.row in given.batch]
        updated = await self._updating(new, given).run(within)
        met = [*unreadable, *result.rejects, *updated.rejects]
        async with run.snapshot.reader(task.plan.zone) as old:
            rejects = [*given.predicted.rejects, *met]
            first = await write_rejects(run, old, new, task, given.batch, rejects)
            sums = await self._sums_without(old, new, given, met)
        sent = sum(len(line.text) for line in lines[: result.taken])
        copied = Copied(result.written, sent, len(rejects), result.xids, updated, sums)
        moved = Moved(await self._commit(new, given, copied), first, met)
        return Report(moved, [rest] if rest is not None else [])

    async def _sums_without(
        self, old: asyncpg.Connection, new: asyncpg.Connection, given: _Batch, met: Sequence[Reject]
    ) -> Sums | None:
        """Returns the sums over the batch without the rows that NEW refused, inside its transaction."""
        expecting = self._run.expecting(given.task.plan, given.batch, old, new)
        if expecting is None:
            return None
        excluded = [*given.predicted.rows, *(reject.row for reject in met)]
        bindings = await self._run.lookups.bind(old, new, given.task.plan, given.batch, excluded)
        return await expecting.sums(given.batch, excluded, bindings)

    async def _mark(self, new: asyncpg.Connection, given: _Batch) -> int:
        """Returns the transaction id of the innermost savepoint."""
        sql, place = self._run.context.journal.sql, self._place(given)
        await new.execute(sql("mark_savepoint"), *place)
        return int(await new.fetchval(sql("savepoint_xid"), *place))

    def _place(self, given: _Batch) -> tuple[str, int, int]:
        """Returns the key of the batch in the journal."""
        return self._run.run, given.task.position, given.batch.number

    async def _begin(self, new: asyncpg.Connection, given: _Batch) -> bool:
        """Begins the batch's transaction: fence, then claim. Returns False when the batch is done already.

        Raises:
            Stopped: another run took over.
        """
        run = self._run
        await new.execute("; ".join(self._beginning(given.task)))
        await failpoint("batch.begun")
        await fence(run, new)
        await failpoint("batch.fenced")
        ends = (bound(given.batch.range.start), bound(given.batch.range.end))
        claimed = await new.fetchval(run.context.journal.sql("claim_batch"), *self._place(given), *ends)
        await failpoint("batch.claimed")
        return claimed is not None

    def _beginning(self, task: FlowTask) -> list[str]:
        """Returns the statements before the fence; together they need one round trip."""
        run = self._run
        begin = [run.unit.begin, statements.set_local("lock_timeout", LOCK_TIMEOUT)]
        if task.replication_role is not None:
            begin.append(sql_switches.REPLICA if task.replica else sql_switches.ORIGIN)
        if task.plan.input_zone is not None or run.rehearsal is not None:
            zone = task.plan.input_zone or run.context.job.new.timezone
            begin.append(statements.set_local("TimeZone", zone))
        return begin

    async def _already(self, new: asyncpg.Connection, given: _Batch) -> Report:
        """Reports a batch that an earlier try committed, and the rest that it split off, if it did.

        Raises:
            Stopped: NEW has lost what the run had journalled of the batch.
        """
        journal, run, batch = self._run.context.journal, self._run.run, given.batch
        row = await journal.batch(new, run, given.task.position, batch.number, batch.flow)
        if not row.done:
            raise Stopped(CommittedRowsLost(run, f"the division of batch {batch.number} of {batch.flow}"))
        rest = await journal.after(new, run, row) if row.batch.range.end != batch.range.end else None
        await new.execute(self._run.unit.rollback)
        return Report(Moved(row), [rest.batch] if rest is not None else [])

    async def _commit(self, new: asyncpg.Connection, given: _Batch, copied: Copied) -> BatchRow:
        """Checks the row-count invariant, journals the counts, and commits."""
        run, task, batch = self._run, given.task, given.batch
        await refuse_late_triggers(new, run.context.job, task.plan, replica=task.replica)
        row = accounted(task.position, batch, given.predicted, copied, time.monotonic() - given.began)
        if run.rehearsal is not None:
            row = replace(row, xids=(*row.xids, await self._mark(new, given)))
        counted = await run.context.journal.count_batch(new, run.run, row)
        await failpoint("batch.counted")
        await new.execute(run.unit.commit)
        await failpoint("batch.committed")
        return counted
