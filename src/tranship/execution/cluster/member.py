"""The part of one worker process in one run."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import asyncpg

from tranship.config import Config
from tranship.errors import Refused
from tranship.errors.codes.cluster import UnlikeTheRun
from tranship.execution.active_run import FlowTask, WorkerContext
from tranship.execution.cluster.answers import Done
from tranship.execution.cluster.facts import Facts, facts_here
from tranship.execution.cluster.shared_job import decoded
from tranship.execution.context import RunContext
from tranship.execution.copying.assignment import Assignment
from tranship.execution.copying.batch import Worker
from tranship.execution.probe.within import lookups_of
from tranship.execution.proof.expected import Hashing
from tranship.execution.resilience.connection import control
from tranship.execution.resilience.writer_lock import taken_over
from tranship.model.options import MigrateOptions
from tranship.model.progress import Event
from tranship.server.imported_snapshot import ImportedSnapshot
from tranship.server.journal import BatchRow, Journal, SharedRun, find_journal, shared_run, shared_task
from tranship.server.session import datestyle
from tranship.server.snapshot import Mark, Settings

_LOG = logging.getLogger("tranship.cluster")


async def introduced(config: Config) -> Facts:
    """Returns where the configuration of this process leads."""
    async with control(config) as new:
        return await facts_here(config, new)


async def join(config: Config, run: str, epoch: int) -> Member:
    """Takes part in a run.

    Raises:
        Refused: this process is not like the run's coordinator, or the journal is not to be trusted.
        Stopped: another run took over.
        ConnectError: a server cannot be reached.
    """
    async with control(config) as new:
        # The check of who may write the journal comes first: it decides what this role does.
        journal = await find_journal(new, config.journal_schema)
        if journal is None:
            raise Refused(UnlikeTheRun(f"its NEW has no journal {config.journal_schema}"))
        shared = await shared_run(journal, new, run, epoch)
        if shared is None:
            raise taken_over()
        reason = Facts.of_run(shared).unlike(await facts_here(config, new))
        if reason:
            raise Refused(UnlikeTheRun(reason))
    return Member(_context(config, journal, shared, (run, epoch)))


def _context(config: Config, journal: Journal, shared: SharedRun, run: tuple[str, int]) -> WorkerContext:
    job = decoded(shared.job)
    context = RunContext(job, config, MigrateOptions(live=True), journal, _log, asyncio.Event())
    snapshot = ImportedSnapshot(config.old, Settings(datestyle=datestyle(job.new)), Mark.of(shared.snapshot))
    hashing = Hashing.of(shared.hashing) if shared.hashing is not None else None
    return WorkerContext(context, *run, snapshot, lookups_of(job), hashing=hashing)


def _log(event: Event) -> None:
    _LOG.info("%s", event)


class AnotherServer(Exception):
    """NEW was started anew, or another server took its place, and the coordinator has not looked yet whether
    anything that was committed is lost.
    """


class Member:
    """Copies batches of one run, several at a time, each on connections of its own.

    Connections are kept from one batch to the next, facts are not: each batch is read from the journal.
    """

    def __init__(self, run: WorkerContext) -> None:
        self._run = run
        self._plans = {plan.flow: plan for plan in run.context.job.plan.tables}
        self._idle: list[Worker] = []
        self._made = 0
        self._backends: dict[int, int] = {}
        self._gone: list[int] = []

    async def copy(self, position: int, number: int) -> Done:
        """Copies one batch, or finds it copied.

        Raises:
            SnapshotLost: the snapshot cannot be imported.
            AnotherServer: NEW is no longer the server that the coordinator knows.
            TranshipError, asyncpg.PostgresError: the batch could not be copied.
        """
        worker = self._idle.pop() if self._idle else self._another()
        try:
            assignment, there = await worker.work("the journal", partial(self._assigned, position, number))
            if there.done:
                return Done((there.read, there.written, there.rejected))
            report = await worker.move(assignment)
        finally:
            self._idle.append(worker)
        if report.moved is None:
            return Done(None)
        row = report.moved.row
        return Done((row.read, row.written, row.rejected))

    def _another(self) -> Worker:
        self._made += 1
        return Worker(self._run, self._made, self)

    async def _assigned(
        self, position: int, number: int, new: asyncpg.Connection
    ) -> tuple[Assignment, BatchRow]:
        """Returns a batch as the journal has it, and the snapshot's exports with it.

        Raises:
            Stopped: another run took over.
        """
        run, journal = self._run, self._run.context.journal
        task = await shared_task(journal, new, run.run, run.epoch, position)
        if task is None:
            raise taken_over()
        assert isinstance(run.snapshot, ImportedSnapshot)
        run.snapshot.exported = task.exports
        row = await journal.batch(new, run.run, position, number, task.flow)
        facts = FlowTask(
            position, self._plans[task.flow], replication_role="replica" if task.replica else None
        )
        return Assignment(facts, row.batch, row.batch.rows), row

    async def renewed(self, new: asyncpg.Connection) -> None:
        """Enters a new connection to NEW into the run's heartbeat, as `Sessions` says.

        Raises:
            Stopped: another run took over.
            AnotherServer: NEW may lack rows that were committed.
        """
        sql, run = self._run.context.journal.sql, self._run
        await self._leave(new)
        same = await new.fetchval(sql("enter_worker"), run.run, run.epoch, new.get_server_pid())
        if same is None:
            raise taken_over()
        if not same:
            raise AnotherServer

    def opened(self, worker: int, backend: int) -> None:
        """Notes the backend that works for a worker, as `Sessions` says."""
        self._backends[worker] = backend

    def closed(self, worker: int) -> None:
        """Notes that a worker's backend is gone, as `Sessions` says."""
        self._gone.append(self._backends.pop(worker))

    async def _leave(self, new: asyncpg.Connection) -> None:
        """Takes the backends that are gone out of the heartbeat. Several batches may do so at a time."""
        gone = tuple(self._gone)
        for backend in gone:
            await new.execute(self._run.context.journal.sql("leave_worker"), self._run.run, backend)
        self._gone = [backend for backend in self._gone if backend not in gone]

    async def close(self) -> None:
        """Ends the connections of this process, none of which is at work."""
        assert isinstance(self._run.snapshot, ImportedSnapshot)
        await self._run.snapshot.close()
        for worker in self._idle:
            await worker.close()
        if self._gone:
            async with control(self._run.context.config) as new:
                await self._leave(new)
