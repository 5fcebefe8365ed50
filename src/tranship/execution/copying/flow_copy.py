"""The copy of one flow, as its coordinator sees it: batches that wait, and reports about the others."""

from __future__ import annotations

import asyncpg
from msgspec.structs import replace

from tranship.errors import Stopped
from tranship.errors.codes.stops import Unaccounted
from tranship.execution.active_run import FIRST_REJECTS, ActiveRun, Task
from tranship.execution.batch_size import AdaptiveBatchSize
from tranship.execution.copying.assignment import Assignment, Moved, Report
from tranship.execution.copying.durability import check_kept
from tranship.execution.probe.whole_tables import rows_of_batch
from tranship.model.notes import BatchDivided
from tranship.model.progress import Batch, BatchDone, RowRejected, TableDone
from tranship.model.reasons import kind_of, named_table
from tranship.server.batch_bounds import SMALLEST_BATCH
from tranship.server.journal import RejectRow
from tranship.sql.row_id import render


class RunSessions:
    """Keeps account of the sessions of a run's workers, as `Sessions` says."""

    def __init__(self, live: ActiveRun) -> None:
        self._live = live

    async def renewed(self, new: asyncpg.Connection) -> None:
        """Checks that NEW holds everything that this process saw committed."""
        await check_kept(self._live, new)

    def opened(self, worker: int, backend: int) -> None:
        """Adds the backend to those that the heartbeat names."""
        self._live.backends[worker] = backend

    def closed(self, worker: int) -> None:
        """Takes the worker's backend out of the heartbeat."""
        self._live.backends.pop(worker, None)


class FlowCopy:
    """Hands out the batches of one flow in order, and enters reports."""

    def __init__(self, live: ActiveRun, task: Task) -> None:
        self._live = live
        self._task = task
        self._waiting = list(reversed(task.todo))
        self._taken = len(task.todo)
        """Batches of the task that are or were waiting; those behind them are counted since."""
        done = [(row.read, row.seconds) for row in task.done]
        largest = rows_of_batch(live.context.job, task.plan, live.context.options)
        task.batch_size = AdaptiveBatchSize.begin(largest, SMALLEST_BATCH, done)

    def __len__(self) -> int:
        """Batches that wait, as far as they are known."""
        counted = self._task.todo[self._taken :]
        self._waiting[:0] = reversed(counted)
        self._taken += len(counted)
        return len(self._waiting)

    @property
    def complete(self) -> bool:
        """Whether every row of the flow is in a batch that was handed out."""
        return not len(self) and not self._task.uncounted

    def assign(self) -> Assignment:
        """Takes the next waiting batch and returns its assignment."""
        return self._assignment(self._waiting.pop())

    def in_pieces(self, batch: Batch) -> Assignment:
        """Returns a new assignment of a batch, after the keys that forbade pieces are dropped."""
        self._task.facts = replace(self._task.facts, whole_keys=False)
        return self._assignment(batch)

    def _assignment(self, batch: Batch) -> Assignment:
        # What is predicted of a flow's rows is in the book as well as in the journal.
        task, predictions = self._task, bool(self._live.book.not_copied(self._task.plan.flow))
        return Assignment(
            replace(task.facts, predictions=predictions), batch, task.batch_size.piece(batch.rows)
        )

    def take(self, batch: Batch, report: Report) -> None:
        """Enters what a worker did. What it left of the batch comes next."""
        if report.moved is None:
            self._tell_divided(batch, report)
        else:
            self._enter(report.moved)
        self._waiting.extend(reversed(report.rest))

    def _enter(self, moved: Moved) -> None:
        task, row = self._task, moved.row
        self._live.book.add_all(task.plan.flow, moved.runtime_rejects)
        task.done.append(row)
        task.batch_size = task.batch_size.after(row.read, row.seconds)
        show_values = self._live.context.options.show_values
        for record in moved.records[: max(0, FIRST_REJECTS - task.rejects_reported)]:
            self._live.context.on_event(_rejected(task, record, show_values=show_values))
            task.rejects_reported += 1
        self._live.context.on_event(
            BatchDone(task.plan.flow, row.batch.number, row.read, row.written, row.rejected, row.bytes)
        )

    def _tell_divided(self, batch: Batch, report: Report) -> None:
        """Tells that a batch was divided; that batches take long, only once per table."""
        if report.slow and self._task.slow_reported:
            return
        first, *others = report.rest
        flow = self._task.plan.flow
        self._live.context.note(
            BatchDivided(flow, batch.number, first.rows, sum(other.rows for other in others), report.slow)
        )
        self._task.slow_reported = self._task.slow_reported or report.slow


def end_copy(live: ActiveRun, task: Task) -> None:
    """Checks that all rows of a table are accounted for, and tells its counts.

    Raises:
        Stopped: they are not.
    """
    task.todo.clear()
    flow, counts, old = task.plan.flow, task.counts, task.old
    if counts.read != task.rows:
        raise Stopped(Unaccounted(flow, task.rows, counts.read))
    if old is not None and old.read != task.rows_of_old:
        raise Stopped(Unaccounted(flow, task.rows_of_old, old.read))
    done = TableDone(
        flow,
        counts.read,
        counts.written,
        counts.rejected,
        counts.already_there,
        kept=counts.kept,
        updated=counts.updated,
        merged=counts.merged,
        old=old,
        tolerated=task.findings.tolerated_by,
    )
    live.context.on_event(done)


def _rejected(task: Task, record: RejectRow, *, show_values: bool) -> RowRejected:
    reject = record.reject
    key = record.key.decode() if record.key is not None else ""
    place = render(reject.row)
    reason = reject.reason if show_values else None
    what, table = kind_of(reject.reason), named_table(reject.reason)
    why = (reject.column, reject.sqlstate, reject.constraint, reason, what, table)
    return RowRejected(task.plan.flow, key, place, *why)
