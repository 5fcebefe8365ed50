"""The coordinator's side of a cluster: it shares the run, hands out batches, and reads what the journal
says.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

import asyncpg

from tranship import __version__
from tranship.errors import Refused, Stopped, TranshipError
from tranship.errors.codes.cluster import WorkerStopped, WorkerUnfit
from tranship.errors.codes.stops import CommittedRowsLost, TakenOver
from tranship.execution.active_run import ActiveRun, fence
from tranship.execution.cluster.answers import Done, Fault, Introduced, NotNow, received
from tranship.execution.cluster.facts import Facts
from tranship.execution.cluster.process import copy_batch, introduce
from tranship.execution.cluster.scheduler import Cluster
from tranship.execution.cluster.shared_job import encoded
from tranship.execution.context import RunContext
from tranship.execution.copying.assignment import Assignment, Moved, Report
from tranship.execution.copying.batch import Worker
from tranship.execution.copying.flow_copy import RunSessions
from tranship.execution.resilience.stop_reasons import BROKEN
from tranship.execution.resilience.writer_lock import end_backends, taken_over
from tranship.model.progress import Batch
from tranship.model.resolution import Problem
from tranship.server.identity import Identity
from tranship.server.journal import BatchRow, rejects_of_batch
from tranship.sql.session import BACKEND

TRIES = 3
"""Times that a batch is handed out whose worker could not begin: a holder of the snapshot or NEW's server may
just have been replaced."""
_OWN = -1
"""The number of the coordinator's session among those of its own workers, which count from 0."""


@contextlib.asynccontextmanager
async def joined(context: RunContext, old: Identity, new: Identity) -> AsyncIterator[Cluster | None]:
    """Joins the cluster that the options name, if each of its workers may copy for this run. None: they name
    no cluster.

    Raises:
        UsageError: the address is wrong or not protected, or a library is missing.
        ConnectError: there is no scheduler, or no worker.
        Refused: a worker is not like this process; the message names each.
    """
    if context.options.engine is None:
        yield None
        return
    async with Cluster.join(context.options.engine) as cluster:
        mine = Facts.of_coordinator(context.job, old, new)
        answers = await cluster.ask_all(introduce)
        unfit = [problem for worker, said in answers.items() if (problem := _unfit(mine, worker, said))]
        if unfit:
            raise Refused(tuple(unfit))
        yield cluster


def _unfit(mine: Facts, worker: str, said: bytes | BaseException) -> Problem | None:
    """Returns why a worker may not copy for a run; None: it may."""
    if isinstance(said, ModuleNotFoundError):
        return WorkerUnfit(worker, f"it lacks the package {said.name}").problem()
    if isinstance(said, BaseException):
        return WorkerUnfit(worker, f"{type(said).__name__}: {said}").problem()
    answer = received(said)
    if isinstance(answer, Introduced):
        reason = mine.unlike(answer.facts)
        return WorkerUnfit(worker, reason).problem() if reason else None
    assert isinstance(answer, Fault)
    return WorkerUnfit(worker, answer.message).problem()


class Elsewhere:
    """Has batches of a run copied by the workers of a cluster; all streams of the coordinator share it."""

    def __init__(self, live: ActiveRun, cluster: Cluster) -> None:
        self._live = live
        self._cluster = cluster
        self._here = Worker(live.worker, _OWN, RunSessions(live))
        self._reading = asyncio.Lock()
        self._replica: set[int] = set()
        self._present: tuple[tuple[str, ...], frozenset[int]] | None = None
        """The exports and the positions under ``replica`` that the journal has."""

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, live: ActiveRun, cluster: Cluster | None) -> AsyncIterator[Elsewhere | None]:
        """Shares a run with the workers of a cluster for the block; None: there is no cluster.

        If the block fails, what the workers have not committed by then is ended, so that nothing follows the
        result of the run.
        """
        if cluster is None:
            yield None
            return
        elsewhere = cls(live, cluster)
        try:
            await elsewhere._here.work("the journal", elsewhere._share)
            yield elsewhere
        except BaseException:
            with contextlib.suppress(*BROKEN, TranshipError):
                await elsewhere._end_workers()
            raise
        finally:
            await elsewhere._here.close()

    async def move(self, assignment: Assignment) -> Report:
        """Has a batch copied and returns what the journal says of it.

        Raises:
            SnapshotLost: nobody holds the snapshot any more.
            Stopped: the cluster is lost, a worker gave up, or another run took over.
        """
        async with self._reading:
            divided = await self._here.divided_if_large(assignment)
        if divided is not None:
            return divided
        for _ in range(TRIES):
            answer = await self._copied(assignment)
            if isinstance(answer, Done):
                async with self._reading:
                    return await self._here.work("the journal", partial(self._report, assignment, answer))
            unable = answer
            await self._look()
        raise Stopped(WorkerStopped(unable.worker, unable.said))

    async def _look(self) -> None:
        """Looks through sessions of this process whether both servers hold what the run stands on.

        Raises:
            SnapshotLost: nobody holds the snapshot any more.
            Stopped: NEW lacks something that was committed.
        """
        async with self._live.snapshot.reader():
            pass
        async with self._reading:
            # A session that was lost is opened anew, and looks what NEW still holds before anything else.
            await self._here.work("NEW", lambda new: new.fetchval(BACKEND))
            self._present = None

    async def _copied(self, assignment: Assignment) -> Done | NotNow:
        """Returns what a worker answers.

        Raises:
            Stopped: it gave up, or another run took over.
        """
        task, batch = assignment.task, assignment.batch
        if task.replica:
            self._replica.add(task.position)
        else:
            self._replica.discard(task.position)
        async with self._reading:
            await self._share_present()
        live = self._live
        answer = received(
            await self._cluster.run(copy_batch, live.run, live.epoch, task.position, batch.number)
        )
        if isinstance(answer, Fault):
            if answer.code == TakenOver.code:
                raise taken_over()
            raise Stopped(WorkerStopped(answer.worker, f"{answer.message} ({answer.code})"))
        assert isinstance(answer, Done | NotNow)
        return answer

    async def _share(self, new: asyncpg.Connection) -> None:
        """Writes what workers need of this run and epoch."""
        live, job = self._live, self._live.context.job
        async with new.transaction():
            await fence(live.worker, new)
            await new.execute(
                live.context.journal.sql("share_run"),
                live.run,
                live.epoch,
                __version__,
                job.old.user,
                job.new.user,
                encoded(job),
                list(live.snapshot.exports),
            )

    async def _share_present(self) -> None:
        """Writes the snapshot's exports and the flows under ``replica``, if they are others than before."""
        present = (self._live.snapshot.exports, frozenset(self._replica))
        if present == self._present:
            return
        live = self._live

        async def write(new: asyncpg.Connection) -> None:
            values = (live.run, live.epoch, list(present[0]), sorted(present[1]))
            if await new.fetchval(live.context.journal.sql("share_present"), *values) is None:
                raise taken_over()

        await self._here.work("the journal", write)
        self._present = present

    async def _report(self, assignment: Assignment, done: Done, new: asyncpg.Connection) -> Report:
        """Returns what the journal says of a batch that a worker has answered for.

        Raises:
            Stopped: the journal lacks what the worker had committed.
        """
        live, position, batch = self._live, assignment.task.position, assignment.batch
        journal = live.context.journal
        row = await journal.batch(new, live.run, position, batch.number, batch.flow)
        rest = await self._rest(new, row, batch)
        if done.counts is not None and (row.read, row.written, row.rejected) != done.counts:
            raise Stopped(CommittedRowsLost(live.run, f"batch {batch.number} of {batch.flow}"))
        if not row.done:
            return Report(rest=(row.batch, *rest))
        records = await rejects_of_batch(journal, new, live.run, position, batch.number)
        known = live.book.rejected(batch.flow)
        runtime = [record.reject for record in records if record.reject.row not in known]
        return Report(Moved(row, records, runtime), rest)

    async def _rest(self, new: asyncpg.Connection, row: BatchRow, batch: Batch) -> tuple[Batch, ...]:
        """Returns the parts of a batch that were split off, by however many tries.

        Raises:
            Stopped: NEW has lost that the batch is a part of another one, which the worker copied.
        """
        journal, parts = self._live.context.journal, []
        last = row
        while last.batch.range.end != batch.range.end:
            following = await journal.after(new, self._live.run, last)
            if following is None:
                what = f"the division of batch {batch.number} of {batch.flow}"
                raise Stopped(CommittedRowsLost(self._live.run, what))
            parts.append(following.batch)
            last = following
        return tuple(parts)

    async def _end_workers(self) -> None:
        """Ends the workers' transactions."""
        live = self._live

        async def end(new: asyncpg.Connection) -> None:
            found = await new.fetchval(live.context.journal.sql("workers_of_run"), live.run)
            await end_backends(new, found or [])

        await self._here.work("the workers", end)
