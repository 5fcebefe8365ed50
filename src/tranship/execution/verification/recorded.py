"""What the journal of NEW says of the flows of a run."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg
from msgspec import Struct

from tranship.execution.proof.expected import Hashing
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.plan import Plan, TablePlan
from tranship.server.journal import BatchRow, Journal, Run, RunStatus, TaskRow

Place = tuple[str, int]
"""Where the journal speaks of a flow: a run, and a position there."""


class Recorded(Struct, frozen=True):
    """One flow of one run."""

    run: Run
    task: TaskRow
    plan: TablePlan | None
    """As the run decided it; None: the journal was of an earlier format."""
    batches: tuple[BatchRow, ...]
    native: bool
    """Whether its rows were written on this server."""

    @property
    def flow(self) -> FlowId:
        """The flow that was moved."""
        return self.task.flow

    @property
    def place(self) -> Place:
        """Where the journal speaks of it."""
        return self.run.id, self.task.position

    @property
    def table(self) -> TableName:
        """NEW's table."""
        return self.task.flow.new

    @property
    def done(self) -> tuple[BatchRow, ...]:
        """Its finished batches."""
        return tuple(batch for batch in self.batches if batch.done)

    @property
    def update_xids(self) -> tuple[int, ...]:
        """The transactions, 32 bits, in which it changed rows that NEW held before."""
        return tuple(xid for batch in self.batches for xid in batch.update_xids)

    @property
    def hashing(self) -> Hashing:
        """How its rows were hashed."""
        return Hashing.of(self.run.hashing) if self.run.hashing is not None else Hashing()

    @property
    def rows(self) -> int:
        """Rows that it wrote."""
        return sum(batch.written for batch in self.done)

    @property
    def oldest(self) -> int | None:
        """Its first transaction, 64 bits; None: it wrote nothing."""
        # The first transaction of a batch is its own; of those of its savepoints 32 bits are known.
        return min((batch.xids[0] for batch in self.done if batch.xids), default=None)

    @property
    def unprovable(self) -> str:
        """Why the journal says nothing of its rows that could be compared; empty: it does."""
        finished = self.run.state is RunStatus.FINISHED
        if any(batch.rolling_back or (finished and not batch.done) for batch in self.batches):
            return "a rollback of its run was interrupted"
        if not finished:
            return "the run is not finished"
        if self.plan is None:
            return f"version {self.run.tool_version} moved it, which recorded no sums"
        hashed = (batch for batch in self.done if not self.counted and self.hashing.takes(batch.batch))
        if any(batch.sums is None for batch in hashed):
            return "the text of one of its rows passes the 1 GB that a server prints"
        return ""

    @property
    def counted(self) -> bool:
        """Whether its rows can only be counted."""
        return self.run.hashing is None

    @property
    def partly(self) -> str:
        """Why the journal does not suffice to prove its rows, which can be counted; empty: it does."""
        if self.counted:
            return "its run recorded no sums (--verify off or counts)"
        if self.hashing.sample is not None:
            return f"its run recorded the sums of a sample only (--sample {self.hashing.sample})"
        return ""


class RecordedRun(Struct, frozen=True):
    """One run with its plan and flows."""

    run: Run
    plan: Plan | None
    flows: tuple[Recorded, ...]


async def read_runs(
    new: asyncpg.Connection, journal: Journal, runs: Iterable[Run], here: str
) -> list[RecordedRun]:
    """Returns these runs; ``here`` is NEW's identity."""
    return [await _read(new, journal, run, here) for run in runs]


async def _read(new: asyncpg.Connection, journal: Journal, run: Run, here: str) -> RecordedRun:
    plan = await journal.plan(new, run)
    plans = {one.flow: one for one in plan.tables} if plan is not None else {}
    tasks = await journal.tasks(new, run.id)
    batches = await journal.batches(new, tasks, run.id)
    flows = (
        Recorded(
            run,
            task,
            plans.get(task.flow),
            tuple(batch for batch in batches if batch.position == task.position),
            run.new_identity == here,
        )
        for task in tasks
    )
    return RecordedRun(run, plan, tuple(flows))
