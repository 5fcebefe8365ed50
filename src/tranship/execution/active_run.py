"""A run while it lasts: what its coordinator and its workers share, and the flows that it copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import asyncpg
from msgspec import Struct

from tranship.execution.batch_size import UNBOUNDED, AdaptiveBatchSize
from tranship.execution.context import RunContext
from tranship.execution.probe.lookups import Lookups
from tranship.execution.probe.ranks import ranked
from tranship.execution.probe.reject_book import Book
from tranship.execution.proof.expected import Expecting, Hashing
from tranship.execution.resilience.writer_lock import hold_epoch
from tranship.model.dependencies import Dependencies
from tranship.model.digest import Sums
from tranship.model.expression import Expression, Followed, Lookup
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.names import Side
from tranship.model.options import command_line
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch, OldRows
from tranship.model.verdict import MergedRecord
from tranship.server.cut import old_rows
from tranship.server.journal import BatchRow, Findings, RelationIdentity
from tranship.server.snapshot import Mark, Snapshot
from tranship.sql.expression import shipped
from tranship.sql.joins import Bindings
from tranship.sql.session import BEGIN_READ_ONLY, REHEARSAL, TRANSACTION, Unit

MANY_TABLES = 16
"""Small tables from which on several are copied, and compared, together."""
FIRST_REJECTS = 10
"""Rejects of a table that are reported while it is copied; the others are in the rejects file."""


class FlowTask(Struct, frozen=True):
    """What a worker knows of one flow. Everything in it comes from the journal or holds for the whole run."""

    position: int
    """Place of the flow in the run."""
    plan: TablePlan
    ordered_stream: bool = False
    """The flow is one stream in the order of OLD's key, because collisions could not be predicted."""
    replication_role: Literal["replica", "origin"] | None = None
    """The value that batches set ``session_replication_role`` to.

    None leaves it. In the one transaction of a rehearsal, ``origin`` undoes what another table has set.
    """
    whole_keys: bool = False
    """Foreign keys of the table to itself stay on, so all rows arrive in one statement or not at all."""
    predictions: bool = True
    """Whether the journal may say of rows that they are not copied."""

    @property
    def replica(self) -> bool:
        """Whether batches disable triggers and foreign keys through ``session_replication_role``."""
        return self.replication_role == "replica"

    @property
    def columns(self) -> tuple[str, ...]:
        """NEW's columns that are copied."""
        return tuple(self.plan.columns[n].column for n in shipped(self.plan))

    @property
    def binary(self) -> bool:
        """Whether the bulk copy is in binary format."""
        return self.plan.binary and bool(self.columns)

    @property
    def format(self) -> str:
        """The format of the bulk copy as the result file names it."""
        return ("binary" if self.binary else "text") if self.columns else ""


class Counts(NamedTuple):
    """What became of rows; those that are in no other count NEW held before the run, equal."""

    read: int
    written: int
    rejected: int
    kept: int
    updated: int
    merged: int

    @property
    def already_there(self) -> int:
        """Rows that NEW held before the run, equal in every column."""
        return self.read - self.written - self.rejected - self.kept - self.updated - self.merged


@dataclass
class Task:
    """One flow of the run, as its coordinator sees it."""

    facts: FlowTask
    plan_hash: str
    rows: int
    digest: str
    findings: Findings
    todo: list[Batch]
    done: list[BatchRow] = field(default_factory=list)
    finished: bool = False
    old_rows: int | None = None
    """Rows of OLD behind ``rows``; None: they are the same rows."""
    relation: RelationIdentity | None = None
    """NEW's relation that receives the rows, once it is recorded."""
    rejects_of: str | None = None
    """The run whose rejected rows a rejects-only run moves."""
    uncounted: list[Batch] = field(default_factory=list)
    """Rests of sources that are cut into batches while others are copied; an estimate of their rows is part
    of ``rows``.
    """
    rejects_reported: int = 0
    """Rejects reported so far."""
    slow_reported: bool = False
    batch_size: AdaptiveBatchSize = UNBOUNDED

    @property
    def position(self) -> int:
        """Place of the flow in the run."""
        return self.facts.position

    @property
    def plan(self) -> TablePlan:
        """The flow's plan."""
        return self.facts.plan

    @property
    def left(self) -> list[Batch]:
        """The ranges that hold every row which is not copied yet."""
        return [*self.todo, *self.uncounted]

    @property
    def counted(self) -> int:
        """Rows of ``rows`` that are no estimate."""
        return self.rows - sum(batch.rows for batch in self.uncounted)

    @property
    def rows_of_old(self) -> int:
        """Rows that OLD's table holds; of a query none."""
        return self.rows if self.old_rows is None else self.old_rows

    @property
    def old(self) -> OldRows | None:
        """The old rows behind the finished batches. None: they are their rows."""
        return None if self.old_rows is None else old_rows(row.batch.old for row in self.done)

    @property
    def one_stream(self) -> bool:
        """Whether its batches go one after the other."""
        return self.plan.serial or self.facts.ordered_stream

    @property
    def counts(self) -> Counts:
        """What became of the rows of the finished batches."""
        return Counts(
            sum(r.read for r in self.done),
            sum(r.written for r in self.done),
            sum(r.rejected for r in self.done),
            sum(r.kept for r in self.done),
            sum(r.updated for r in self.done),
            sum(r.merged for r in self.done),
        )


@dataclass(frozen=True)
class WorkerContext:
    """What a worker needs of a run. Nothing in it changes, so another process can make it from the
    run's id.
    """

    context: RunContext
    run: str
    epoch: int
    snapshot: Snapshot
    lookups: Lookups
    """Remembers entries of lookup tables; another process has a memory of its own."""
    rehearsal: asyncpg.Connection | None = None
    """The one connection, with its open transaction, of a rehearsal."""
    hashing: Hashing | None = None
    """How rows are hashed for the proof; None: they are not."""

    @property
    def unit(self) -> Unit:
        """The statements with which a batch begins and ends."""
        return TRANSACTION if self.rehearsal is None else REHEARSAL

    async def bindings(
        self,
        old: asyncpg.Connection,
        new: asyncpg.Connection,
        plan: TablePlan,
        batch: Batch,
        excluded: Sequence[Locator],
    ) -> Bindings:
        """Returns the entries of NEW's lookup tables that a batch needs without its excluded rows. ``new`` is
        in no transaction.
        """
        if not any(_looks_up(m.expression) for m in plan.columns):
            return ()
        await new.execute(BEGIN_READ_ONLY if self.rehearsal is None else self.unit.begin)
        bound = await self.lookups.bind(old, new, plan, batch, excluded)
        await new.execute(self.unit.rollback)
        return bound

    async def expected(
        self, expecting: Expecting | None, batch: Batch, excluded: Sequence[Locator], bindings: Bindings
    ) -> Sums | None:
        """Returns the sums over a batch as NEW should hold it; None: this run hashes nothing. Its connection
        to NEW is in no transaction.
        """
        if expecting is None:
            return None
        await expecting.new.execute(BEGIN_READ_ONLY if self.rehearsal is None else self.unit.begin)
        sums = await expecting.sums(batch, excluded, bindings)
        await expecting.new.execute(self.unit.rollback)
        return sums

    def expecting(
        self, plan: TablePlan, batch: Batch, old: asyncpg.Connection, new: asyncpg.Connection
    ) -> Expecting | None:
        """Returns what computes the sums of a batch; None: this run does not hash it."""
        if self.hashing is None or not self.hashing.takes(batch):
            return None
        return Expecting(self.context.job, plan, self.hashing, old, new)


def _looks_up(expression: Expression) -> bool:
    """Returns whether a batch looks up what a column becomes: in NEW, or among all numbered keys."""
    looked_up = isinstance(expression, Lookup) and expression.side is Side.NEW
    return looked_up or isinstance(expression, Followed) or ranked(expression)


@dataclass
class ActiveRun:
    """A run as its coordinator sees it: what workers need, and what changes while they work."""

    worker: WorkerContext
    book: Book
    tasks: list[Task]
    backends: dict[int, int] = field(default_factory=dict)
    """Backends of NEW that work for this run, by worker."""
    sequences: dict[str, int] = field(default_factory=dict)
    """The positions of NEW's sequences, once they are set."""
    merged: tuple[MergedRecord, ...] = ()
    """The rows that are merged into others, once all is copied."""
    depends: Dependencies = field(default_factory=Dependencies)
    """What its values depend on besides the rows, as it was when the run began."""
    unpredicted: int = 0
    """Rejects of earlier processes of the run that no data check predicted."""
    replica: bool = False
    """Whether its role may set ``session_replication_role``."""
    native: bool = True
    """Whether all of its rows were written on this server.

    If NEW is a dump that was restored elsewhere, their transactions prove nothing.
    """
    read_elsewhere: frozenset[FlowId] = frozenset()
    """Flows that an earlier process read in a snapshot that is gone, and OLD may have changed since."""
    read_in: Mark | None = None
    """That snapshot; None: there were several."""

    @property
    def context(self) -> RunContext:
        """The values that every step of the run needs."""
        return self.worker.context

    @property
    def run(self) -> str:
        """The run's id in the journal."""
        return self.worker.run

    @property
    def epoch(self) -> int:
        """The run's epoch, which the fence of every transaction compares with the journal's."""
        return self.worker.epoch

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot of OLD that the whole run reads."""
        return self.worker.snapshot


async def fence(run: WorkerContext, new: asyncpg.Connection) -> None:
    """Locks the run's epoch until the end of the transaction, so that no other run can take over meanwhile.

    Raises:
        Stopped: another run took over.
    """
    command = command_line(run.context.options.invocation, "status", *run.context.config.words)
    await hold_epoch(new, run.context.journal, run.run, run.epoch, command=command)
