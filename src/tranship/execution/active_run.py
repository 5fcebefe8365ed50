"""A run while it lasts: what its parts share, and the tables it moves."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from tranship.execution.batch_size import UNBOUNDED, Pace
from tranship.execution.context import RunContext
from tranship.execution.probe.lookups import Lookups
from tranship.execution.probe.reject_book import Book
from tranship.execution.resilience.writer_lock import hold_epoch
from tranship.model.expression import Lookup
from tranship.model.locator import Locator
from tranship.model.names import Side
from tranship.model.options import command_line
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.model.verdict import Reject
from tranship.server.journal import BatchRow, Findings
from tranship.server.snapshot import Snapshot
from tranship.sql.expression import Bindings, shipped
from tranship.sql.session import BEGIN_READ_ONLY, REHEARSED, TRANSACTION, Unit

FIRST_REJECTS = 10
"""Rejects of a table that are told while it is moved."""


@dataclass
class Task:
    """One table of the run."""

    position: int
    plan: TablePlan
    plan_hash: str
    rows: int
    digest: str
    findings: Findings
    todo: list[Batch]
    done: list[BatchRow] = field(default_factory=list)
    replica: bool = False
    """Batches set ``session_replication_role`` to replica."""
    whole_keys: bool = False
    """Foreign keys of the table to itself stay on: everything arrives in one statement or not at all."""
    finished: bool = False
    told: int = 0
    """Rejects told so far."""
    told_slow: bool = False
    next_number: int = 0
    pace: Pace = UNBOUNDED

    @property
    def one_stream(self) -> bool:
        """Batches one after the other."""
        return self.plan.serial or self.findings.ordered_stream

    @property
    def columns(self) -> tuple[str, ...]:
        """NEW's columns that travel."""
        return tuple(self.plan.columns[n].column for n in shipped(self.plan))

    @property
    def binary(self) -> bool:
        """The format of the bulk copy."""
        return self.plan.binary and bool(self.columns)

    @property
    def format(self) -> str:
        """For the result file."""
        return ("binary" if self.binary else "text") if self.columns else ""

    @property
    def counts(self) -> tuple[int, int, int]:
        """Rows read, written, rejected in the batches done."""
        return (
            sum(r.read for r in self.done),
            sum(r.written for r in self.done),
            sum(r.rejected for r in self.done),
        )

    def take_number(self) -> int:
        """A batch number not used before."""
        self.next_number += 1
        return self.next_number - 1


@dataclass
class ActiveRun:
    """A run while it lasts: its place in the journal and everything its workers share."""

    context: RunContext
    run: str
    epoch: int
    snapshot: Snapshot
    lookups: Lookups
    book: Book
    tasks: list[Task]
    rehearsal: asyncpg.Connection | None = None
    """The one connection, with its open transaction, of a rehearsal."""
    backends: dict[int, int] = field(default_factory=dict)
    """Backends of NEW that work for this run, per worker."""
    sequences: dict[str, int] = field(default_factory=dict)
    """Where NEW's sequences stand, once they are set."""

    @property
    def unit(self) -> Unit:
        """How a batch begins and ends."""
        return TRANSACTION if self.rehearsal is None else REHEARSED

    def rejected_in(self, plan: TablePlan, batch: Batch) -> list[Reject]:
        """The rejects known for a batch, in physical order."""
        return in_batch(self._ordered(plan), batch)

    async def bindings(
        self, old: asyncpg.Connection, new: asyncpg.Connection, plan: TablePlan, batch: Batch
    ) -> Bindings:
        """What NEW's lookup tables hold for a batch; ``new`` is in no transaction before and after."""
        if not any(isinstance(m.expression, Lookup) and m.expression.side is Side.NEW for m in plan.columns):
            return ()
        await new.execute(BEGIN_READ_ONLY if self.rehearsal is None else self.unit.begin)
        bound = await self.lookups.bind(old, new, plan, batch)
        await new.execute(self.unit.rollback)
        return bound

    def _ordered(self, plan: TablePlan) -> Sequence[Reject]:
        known = self.book.rejected(plan.flow)
        return [known[row] for row in sorted(known)]


def in_batch(rejects: Sequence[Reject], batch: Batch) -> list[Reject]:
    """Those of a sorted sequence that lie in a batch."""
    start, end = batch.range.start, batch.range.end
    lowest = Locator(batch.source, start if start is not None else ())
    highest = Locator(batch.source, end) if end is not None else Locator(batch.source + 1, ())
    return list(rejects[bisect_left(rejects, lowest, key=_row) : bisect_left(rejects, highest, key=_row)])


def _row(reject: Reject) -> Locator:
    return reject.row


async def fence(live: ActiveRun, new: asyncpg.Connection) -> None:
    """Stays in the open transaction until its end: no other run can take over meanwhile.

    Raises:
        Stopped: another run has.
    """
    command = command_line(live.context.options.invocation, "status", live.context.config.path)
    await hold_epoch(new, live.context.journal, live.run, live.epoch, command=command)
