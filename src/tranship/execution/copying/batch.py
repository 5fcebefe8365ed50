"""One stream: takes batches and moves each in one transaction of NEW, its record with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import asyncpg

from tranship.errors import ConnectError, Stopped
from tranship.errors.codes.stops import RehearsalLost
from tranship.execution.active_run import FIRST_REJECTS, ActiveRun, Task, fence
from tranship.execution.copying.batch_lines import identified_lines
from tranship.execution.copying.durability import check_kept
from tranship.execution.copying.isolate import Isolated, Isolation, Line
from tranship.execution.copying.split import WHOLE_TRIES, divide, divisible, smaller_may_pass
from tranship.execution.copying.stream import OldSideError, pipe
from tranship.execution.probe.records import fetch_records
from tranship.execution.resilience.connection import Action
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.retry import retry
from tranship.execution.resilience.server_errors import StreamBroken, is_rows_fault
from tranship.execution.resilience.stall import Progress, watched
from tranship.execution.resilience.writer_lock import end_backends
from tranship.execution.switches.triggers_and_keys import refuse_late_triggers
from tranship.model.notes import BatchDivided
from tranship.model.progress import Batch, BatchDone, RowRejected
from tranship.model.verdict import Reject
from tranship.server.journal import BatchRow, RejectRow, bound
from tranship.server.session import datestyle, open_session
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql import session as statements
from tranship.sql.ctid import render
from tranship.sql.expression import Bindings
from tranship.sql.new import switches as sql_switches
from tranship.sql.old import cut as sql_cut
from tranship.sql.old.batch import select_batch

LOCK_TIMEOUT = "3s"
T = TypeVar("T")


class SwitchNeeded(Exception):
    """A table that refers to itself must be moved in pieces: its foreign keys have to be away."""


class Worker:
    """A connection to NEW and the batches it moves."""

    def __init__(self, live: ActiveRun, number: int) -> None:
        self._live = live
        self._number = number
        self._new: asyncpg.Connection | None = None
        self._old: asyncpg.Connection | None = None
        """The reader of the batch in hand."""
        self._progress = Progress()
        self._left: int | None = None
        """The backend of a connection that broke: half-open, it may hold its batch for long."""

    async def move(self, task: Task, batch: Batch) -> list[Batch]:
        """Move a batch, however often it takes; what remains of it as batches of their own, the last first: one that is slow or does not go
        through is divided, and very many refused rows end a transaction early.

        Raises:
            Stopped: another run took over, or tries are exhausted.
        """
        live = self._live
        trying = partial(
            retry,
            tell=live.context.note,
            what=f"{task.plan.flow} batch {batch.number}",
            stop=live.context.stop,
        )
        if not divisible(live, task, batch):
            return await trying(partial(self._once, task, batch))
        rows = task.pace.piece(batch.rows)
        slow = rows < batch.rows
        if not slow:
            try:
                return await trying(partial(self._once, task, batch), tries=WHOLE_TRIES)
            except (*DATABASE_TROUBLE, ConnectError, TimeoutError) as error:
                if live.context.stop.is_set() or not smaller_may_pass(error):
                    raise
            rows = batch.rows // 2
        parts = await trying(partial(self._divided, task, batch, rows, task.take_number()))
        if parts is None:
            return await trying(partial(self._once, task, batch))
        if not (slow and task.told_slow):
            first, second = parts
            self._live.context.note(BatchDivided(task.plan.flow, batch.number, first.rows, second.rows, slow))
            task.told_slow = task.told_slow or slow
        return [parts[1], parts[0]]

    async def _divided(self, task: Task, batch: Batch, rows: int, number: int) -> tuple[Batch, Batch] | None:
        return await divide(self._live, task, batch, rows, number, await self.connection())

    async def work(self, what: str, action: Action[T]) -> T:
        """As `Works` says, on this stream's connection."""

        async def once() -> T:
            try:
                return await action(await self.connection())
            except BaseException:
                await self.close()
                raise

        return await retry(once, tell=self._live.context.note, what=what, stop=self._live.context.stop)

    async def close(self) -> None:
        """Ends the connection."""
        if self._new is not None:
            self._left = self._new.get_server_pid()
            self._new.terminate()
            self._new = None
            self._live.backends.pop(self._number, None)

    async def connection(self) -> asyncpg.Connection:
        """The worker's connection to NEW, in no transaction between its batches."""
        if self._new is None or self._new.is_closed():
            style = datestyle(self._live.context.job.new)
            new = await open_session(self._live.context.config.new, datestyle=style, search_path=None)
            try:
                await check_kept(self._live, new)
            except BaseException:
                new.terminate()
                raise
            if self._left is not None:
                await end_backends(new, [self._left])
                self._left = None
            self._new = new
            self._live.backends[self._number] = new.get_server_pid()
        return self._new

    async def _once(self, task: Task, batch: Batch) -> list[Batch]:
        """One try. What remains to be moved when the batch had to be split."""
        rehearsal = self._live.rehearsal
        try:
            if rehearsal is not None:
                rest = await self._within(rehearsal, task, batch)
            else:
                rest = await self._clean_or_isolated(await self.connection(), task, batch)
        except BaseException:
            await self.close()
            raise
        finally:
            self._old = None
        return [rest] if rest is not None else []

    async def _within(self, rehearsal: asyncpg.Connection, task: Task, batch: Batch) -> Batch | None:
        """One try inside a rehearsal's transaction, which a failed one leaves as it was."""
        if rehearsal.is_closed():
            raise Stopped(RehearsalLost())
        async with rehearsal.transaction():
            # What goes wrong before the batch begins is rolled back as well.
            await rehearsal.execute(self._live.unit.begin)
            return await self._clean_or_isolated(rehearsal, task, batch)

    async def _clean_or_isolated(self, new: asyncpg.Connection, task: Task, batch: Batch) -> Batch | None:
        try:
            async with watched(self._live.context.config, lambda: (self._old, new), self._progress):
                return await self._clean(new, task, batch)
        except asyncpg.PostgresError as error:
            if not is_rows_fault(error, task.plan.new):
                raise
        except OldSideError as error:
            cause = error.__cause__
            if cause is not None and not is_rows_fault(cause):
                raise cause from None
        await new.execute(self._live.unit.rollback)
        if task.whole_keys:
            raise SwitchNeeded
        await failpoint("batch.isolating")
        return await self._isolated(new, task, batch)

    async def _clean(self, new: asyncpg.Connection, task: Task, batch: Batch) -> Batch | None:
        """The bulk copy of everything that is not rejected already. What remains, where an earlier try had split the batch."""
        began = time.monotonic()
        plan, live = task.plan, self._live
        known = live.rejected_in(plan, batch)
        async with live.snapshot.reader(plan.zone) as old:
            self._old = old
            bindings = await live.bindings(old, new, plan, batch)
            records = await self._records(old, task, batch, known)
            if not await self._begin(new, task, batch):
                return await self._already(new, task, batch)
            copied, sent = await self._copy(old, new, task, batch, known, bindings)
            await failpoint("batch.copied")
            await new.execute(statements.CONSTRAINTS_NOW)
        self._old = None
        await self._commit(new, task, batch, copied, records, sent, began, ())
        return None

    async def _copy(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        task: Task,
        batch: Batch,
        known: Sequence[Reject],
        bindings: Bindings,
    ) -> tuple[int, int]:
        """Rows written and bytes sent."""
        plan, before, after = (
            task.plan,
            self._live.context.job.before(task.plan),
            self._live.context.job.after(task.plan),
        )
        if not task.columns and after.columns:
            rows = batch.rows - len(known)
            tag = await new.execute(statements.insert_defaults(plan.new, rows))
            if tag != f"INSERT 0 {rows}":
                raise StreamBroken(f"NEW filled {tag} of {rows} rows of {plan.new}")
            return rows, 0
        excluded = [r.row for r in known]
        select = select_batch(
            plan,
            before,
            batch,
            excluded=excluded,
            bindings=bindings,
            in_key_order=task.findings.ordered_stream,
        )
        if plan.serial and not task.findings.ordered_stream:
            select = sql_cut.in_physical_order(select)
        copied = await pipe(
            old, new, select, plan.new, task.columns, binary=task.binary, progress=self._progress
        )
        return copied.written, copied.bytes

    async def _isolated(self, new: asyncpg.Connection, task: Task, batch: Batch) -> Batch | None:
        """Row by row where needed: what NEW refuses is rejected with NEW's own words."""
        began = time.monotonic()
        plan, live = task.plan, self._live
        known = live.rejected_in(plan, batch)
        lines, unreadable = await identified_lines(live, new, task, batch, [r.row for r in known])
        if not await self._begin(new, task, batch):
            return await self._already(new, task, batch)
        whole = task.findings.ordered_stream
        result = await Isolation(new, plan.new, task.columns, partial(self._mark, new, task, batch)).run(
            lines, may_stop=not whole
        )
        parts = self._split(task, batch, lines, result)
        kept, rest = parts if parts is not None else (batch, None)
        if rest is not None:
            known = live.rejected_in(plan, kept)
            unreadable = [r for r in unreadable if r.row in kept]
            await live.context.journal.write_batches(new, live.run, task.position, [rest])
        met = [*unreadable, *result.rejects]
        async with live.snapshot.reader() as old:
            records = await self._records(old, task, kept, [*known, *met])
        sent = sum(len(line.text) for line in lines[: result.taken])
        await self._commit(new, task, kept, result.written, records, sent, began, result.xids)
        live.book.add_all(plan.flow, met)
        return rest

    async def _mark(self, new: asyncpg.Connection, task: Task, batch: Batch) -> int:
        """The transaction id of the innermost savepoint."""
        sql, place = self._live.context.journal.sql, (self._live.run, task.position, batch.number)
        await new.execute(sql("mark_savepoint"), *place)
        return int(await new.fetchval(sql("savepoint_xid"), *place))

    def _split(
        self, task: Task, batch: Batch, lines: Sequence[Line], result: Isolated
    ) -> tuple[Batch, Batch] | None:
        """The part of a batch that its transaction reached, and the part that it did not; None: it reached all."""
        if result.taken == len(lines):
            return None
        first = lines[result.taken].row.address
        known = self._live.rejected_in(task.plan, batch)
        rows = len(lines) - result.taken + sum(reject.row.address >= first for reject in known)
        return batch.divided(first, batch.rows - rows, task.take_number())

    async def _records(
        self, old: asyncpg.Connection, task: Task, batch: Batch, rejects: Sequence[Reject]
    ) -> list[RejectRow]:
        """The rejects with their whole old rows, in row order."""
        ordered = sorted(rejects, key=lambda reject: reject.row)
        found = [record async for record in fetch_records(old, self._live.context.job, task.plan, ordered)]
        return [
            RejectRow(
                task.position,
                batch.number,
                reject,
                bytes(record.key) if record.key is not None else None,
                bytes(record.row),
            )
            for reject, record in zip(ordered, found, strict=True)
        ]

    async def _begin(self, new: asyncpg.Connection, task: Task, batch: Batch) -> bool:
        """Opens the batch's transaction: fence, then claim. False: the batch is done already.

        Raises:
            Stopped: another run took over.
        """
        live = self._live
        await new.execute(live.unit.begin)
        await failpoint("batch.begun")
        await new.execute(statements.set_local("lock_timeout", LOCK_TIMEOUT))
        if task.replica or (live.rehearsal is not None and any(t.replica for t in live.tasks)):
            await new.execute(sql_switches.REPLICA if task.replica else sql_switches.ORIGIN)
        if task.plan.input_zone is not None or live.rehearsal is not None:
            zone = task.plan.input_zone or live.context.job.new.timezone
            await new.execute(statements.set_local("TimeZone", zone))
        await fence(live, new)
        await failpoint("batch.fenced")
        claimed = await new.fetchval(
            live.context.journal.sql("claim_batch"), live.run, task.position, batch.number
        )
        await failpoint("batch.claimed")
        return claimed is not None

    async def _already(self, new: asyncpg.Connection, task: Task, batch: Batch) -> Batch | None:
        """The batch was committed although we never heard so; the rest of it, where that try had split it."""
        journal, run = self._live.context.journal, self._live.run
        row = await journal.batch(new, run, task.position, batch)
        rest = await journal.after(new, run, row) if row.batch.range.end != batch.range.end else None
        await new.execute(self._live.unit.rollback)
        self._finished(task, row, ())
        return rest.batch if rest is not None else None

    async def _commit(
        self,
        new: asyncpg.Connection,
        task: Task,
        batch: Batch,
        written: int,
        records: Sequence[RejectRow],
        sent: int,
        began: float,
        xids: Sequence[int],
    ) -> None:
        """Checks the equation, journals counts and rejects, commits."""
        live, sql = self._live, self._live.context.journal.sql
        await refuse_late_triggers(new, live.context.job.after(task.plan), replica=task.replica)
        if written + len(records) != batch.rows:
            raise StreamBroken(
                f"{task.plan.flow} batch {batch.number}: {batch.rows} rows, {written} written, {len(records)} rejected"
            )
        if records:
            await live.context.journal.write_rejects(new, live.run, task.position, batch.number, records)
            await failpoint("batch.rejects")
        seconds = time.monotonic() - began
        if live.rehearsal is not None:
            xids = [*xids, await self._mark(new, task, batch)]
        counts = (
            bound(batch.range.end),
            batch.rows,
            batch.rows,
            written,
            len(records),
            sent,
            seconds,
            list(xids),
        )
        all_xids = await new.fetchval(sql("count_batch"), live.run, task.position, batch.number, *counts)
        await failpoint("batch.counted")
        await new.execute(live.unit.commit)
        await failpoint("batch.committed")
        row = BatchRow(
            task.position, batch, True, batch.rows, written, len(records), sent, seconds, tuple(all_xids)
        )
        self._finished(task, row, records)

    def _finished(self, task: Task, row: BatchRow, records: Sequence[RejectRow]) -> None:
        task.done.append(row)
        task.pace = task.pace.after(row.read, row.seconds)
        for record in records[: max(0, FIRST_REJECTS - task.told)]:
            show_values = self._live.context.options.show_values
            self._live.context.on_event(_rejected(task, record, show_values=show_values))
            task.told += 1
        self._live.context.on_event(
            BatchDone(task.plan.flow, row.batch.number, row.read, row.written, row.rejected, row.bytes)
        )


def _rejected(task: Task, record: RejectRow, *, show_values: bool) -> RowRejected:
    reject = record.reject
    key = record.key.decode() if record.key is not None else ""
    place = render(reject.row.address)
    reason = reject.reason if show_values else None
    return RowRejected(task.plan.flow, key, place, reject.column, reject.sqlstate, reject.constraint, reason)
