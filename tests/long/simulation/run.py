"""One history per seed: clients that move batches with the engine's own worker, fence,
retry and journal code, and everything that happens to them.

PYTHONPATH=src:tests python -m long.simulation.run [--seeds N] [--first N] [--twin NAME]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import importlib
import random
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import asyncpg

from long.simulation import machines, server
from long.simulation.clock import SimulatedLoop
from long.simulation.old import CLIENT, OldSession
from long.simulation.server import Session
from long.simulation.world import Faults, Violation, World
from support.build import parse_catalog
from tranship.errors import ConnectError, Stopped, TranshipError
from tranship.errors.codes.connection import ConnectionRefused
from tranship.errors.codes.stops import Unaccounted
from tranship.execution.active_run import ActiveRun, FlowTask, Task, WorkerContext
from tranship.execution.batch_size import UNBOUNDED, AdaptiveBatchSize
from tranship.execution.context import Job, RunContext
from tranship.execution.copying import batch as worker
from tranship.execution.copying import reject_rows
from tranship.execution.copying import split as divide
from tranship.execution.copying.assignment import Copier
from tranship.execution.copying.ending import finish
from tranship.execution.copying.flow_copy import FlowCopy, RunSessions
from tranship.execution.probe.reject_book import Book
from tranship.execution.resilience import stall as watch
from tranship.execution.resilience.connection import PlainSession
from tranship.execution.resilience.server_errors import StreamBroken
from tranship.model.expression import Conversion, Rule, Take
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.options import MigrateOptions
from tranship.model.plan import ColumnMapping, Group, Origin, Plan, Source, TablePlan
from tranship.model.progress import Batch
from tranship.model.reasons import from_journal
from tranship.model.verdict import Reject
from tranship.server import cut as source
from tranship.server.journal import Findings, Journal, store
from tranship.server.snapshot import Settings, Snapshot

NAME = TableName("public", "t")
OLD, NEW = parse_catalog("t(id int)"), parse_catalog("t(id int)")
TYPE = OLD.tables[0].columns[0].type
PLAN = TablePlan(
    NAME,
    NAME,
    (ColumnMapping("id", TYPE, Take("id", Conversion(Rule.SAME, automatic=True)), Origin.SAME_NAME),),
    (),
    (Source(NAME, NAME),),
    binary=True,
)
JOB = Job(Plan((Group((PLAN,)),)), OLD, NEW)
JOURNAL = Journal("_tranship")
STREAMS = 2


class SimulatedSnapshot(Snapshot):
    """The engine's readers over simulated connections."""

    def __init__(self, client: Client) -> None:
        super().__init__(None, (), Settings(datestyle="ISO, MDY"))  # type: ignore[arg-type]
        self._client = client

    async def _connect(self) -> Any:
        return OldSession(self._client)

    async def _join(self, conn: asyncpg.Connection, zone: str | None = None) -> None:
        await conn.execute("SET TRANSACTION SNAPSHOT")


class Scene:
    """What one seed draws: rows, batches, rejects, faults."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        rng = self.rng
        self.faults = Faults(
            rng.choice((0, 0.002, 0.01)),
            rng.choice((0, 0.002, 0.01)),
            rng.choice((None, None, rng.randint(1, 9))),
            dying_machine=rng.choice((0, 0.3)),
        )
        self.batch_size = rng.choice((UNBOUNDED, UNBOUNDED, AdaptiveBatchSize.begin(rng.randint(1, 6), 1)))
        self.rows = sorted(
            {Locator(0, (rng.randint(0, 5), rng.randint(1, 12))) for _ in range(rng.randint(1, 50))}
        )
        self.step = rng.randint(1, 12)
        self.rejected = frozenset(row for row in self.rows if rng.random() < 0.1)
        cut = source._ranges(
            0,
            source._Pass(
                len(self.rows), self.step, tuple(row.address for row in self.rows[:: self.step]), ""
            ),
        )
        self.batches = [Batch(n, PLAN.flow, part.range, part.rows) for n, part in enumerate(cut)]
        self.world = World(rng, self.faults, self.batches, self.rows, self.rejected)
        self.writer: Client | None = None
        """Who holds the lock."""
        self.machines = rng.random() < 0.2
        """Whether the clients have the batches copied on two other machines."""
        self.tasks: list[asyncio.Task[Any]] = []
        """What the machines began: nobody else keeps the tasks of one that is dead."""


class Client:
    """One ``tranship migrate --live``."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.scene = scene
        self.name = name
        self.dead = False
        self.sessions: list[Session] = []
        self.task: asyncio.Task[str] | None = None

    def start(self) -> Client:
        """In a task of its own."""
        self.task = asyncio.create_task(self._run())
        return self

    def kill(self) -> None:
        """Nothing of it runs any more; what it sent is still on its way."""
        self.dead = True
        self.scene.world.history.append(f"{self.name} is killed")
        for session in self.sessions:
            asyncio.get_running_loop().call_later(
                self.scene.rng.uniform(0, self.scene.faults.latest_zombie), session.end
            )
        asyncio.get_running_loop().call_later(
            self.scene.rng.uniform(0, self.scene.faults.latest_zombie), self.lose_lock
        )

    def lose_lock(self) -> None:
        """Its lock session ends, whether it lives or not."""
        if self.scene.writer is self:
            self.scene.writer = None

    def connect(self) -> Session:
        """A backend of NEW."""
        if not self.scene.world.up:
            raise ConnectError(ConnectionRefused())
        session = Session(self.scene.world, self.name, lambda: not self.dead)
        self.sessions.append(session)
        return session

    async def _run(self) -> str:
        CLIENT.set(self)
        if self.scene.writer is not None:
            return "refused"
        self.scene.writer = self
        try:
            await self._move()
        except (
            Stopped,
            TranshipError,
            StreamBroken,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            OSError,
        ) as error:
            return f"stopped: {error}"
        finally:
            self.lose_lock()
        return "complete"

    def _book(self) -> Book:
        """What the data checks predicted, as the journal has it."""
        book, reason = Book(), from_journal(b"no")
        book.add_all(PLAN.flow, [Reject(row, "23514", reason) for row in sorted(self.scene.world.rejected)])
        return book

    async def _move(self) -> None:
        control: Any = self.connect()
        epoch = await control.fetchval(JOURNAL.sql("raise_epoch"), "run")
        self.scene.world.believed[self.name] = epoch
        task = Task(FlowTask(0, PLAN), "", len(self.scene.rows), "", Findings(), [])
        place: Any = SimpleNamespace(position=0, flow=PLAN.flow)
        for batch in await JOURNAL.batches(control, [place], "run"):
            if batch.done:
                task.done.append(batch)
            else:
                task.todo.append(batch.batch)
        new: Any = SimpleNamespace(new=None, old=None, path="config.json", words=("config.json",))
        options, nothing = MigrateOptions(live=True), lambda _: None
        context = RunContext(JOB, new, options, JOURNAL, nothing, asyncio.Event())
        lookups: Any = None
        shared = WorkerContext(context, "run", epoch, SimulatedSnapshot(self), lookups)
        live = ActiveRun(shared, self._book(), [task])
        if self.scene.machines:
            async with machines.elsewhere(live, self) as elsewhere:
                await self._streams(live, task, [elsewhere] * STREAMS)
        else:
            sessions = RunSessions(live)
            workers = [worker.Worker(live.worker, n, sessions) for n in range(STREAMS)]
            await self._streams(live, task, workers)
        if task.counts[0] != task.rows:
            raise Stopped(Unaccounted(task.plan.flow, task.rows, task.counts[0]))
        await finish(live, PlainSession(control, nothing))

    async def _streams(self, live: ActiveRun, task: Task, copiers: Sequence[Copier]) -> None:
        waiting = FlowCopy(live, task)
        task.batch_size = self.scene.batch_size

        async def stream(one: Copier) -> None:
            while waiting:
                assignment = waiting.assign()
                waiting.take(assignment.batch, await one.move(assignment))

        ends = await asyncio.gather(
            *map(stream, copiers),
            return_exceptions=True,
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end


async def _connect(_: object, **__: object) -> Session:
    return CLIENT.get().connect()


async def _unreachable(*_: object) -> bool:
    return False


async def _whole_rows(
    old: OldSession, _: Job, plan: TablePlan, rejects: Sequence[Reject]
) -> AsyncIterator[tuple[Reject, bytes | None, bytes]]:
    for reject in rejects:
        await old.execute("the whole row")
        yield reject, None, b"{}"


async def _pieces(rows: Iterable[Sequence[Any]], _: Sequence[str]) -> AsyncIterator[bytes]:
    """The places of rejected rows, as a table's own rows come."""
    for row in rows:
        yield b"%d,%d\n" % tuple(row[4:6])


def install() -> None:
    """The engine's worker over simulated connections, in this process."""
    for module, name, instead in (
        (worker, "open_session", _connect),
        (reject_rows, "whole_rows_of", _whole_rows),
        (store, "pieces", _pieces),
        (watch, "is_working", _unreachable),
        (divide, "SMALLEST_BATCH", 1),
    ):
        setattr(module, name, instead)


async def history(seed: int) -> tuple[str, list[str]]:
    """One seed: how it went, in a digest, and what was violated."""
    scene = Scene(seed)
    rng, world = scene.rng, scene.world
    with contextlib.suppress(Violation):
        for number in range(rng.randint(0, 4)):
            await _disturbed(scene, number)
        scene.faults.lost_request = scene.faults.lost_answer = scene.faults.dying_machine = 0.0
        await _last(scene)
    # What a cancelled task has to tidy up may wait for a server again.
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=60)
    told = hashlib.sha256("\n".join(world.history).encode()).hexdigest()[:12]
    return told, world.violations


async def _disturbed(scene: Scene, number: int) -> None:
    """One client, and what befalls it."""
    rng, world = scene.rng, scene.world
    client = Client(scene, f"client {number}").start()
    assert client.task is not None
    what = rng.choice(("kill", "kill", "crash", "race", "lost lock", "nothing"))
    await asyncio.wait([client.task], timeout=rng.uniform(0, 0.6))
    others = []
    match what:
        case "kill" if not client.task.done():
            client.kill()
            await asyncio.sleep(rng.uniform(0, 8))
            return
        case "crash":
            world.crash()
            world.up = False
            await asyncio.sleep(rng.uniform(0, 3))
            world.up = True
        case "race" | "lost lock":
            if what == "lost lock":
                client.lose_lock()
            expected = scene.writer is not None
            other = Client(scene, f"other {number}").start()
            assert other.task is not None
            others.append(other.task)
            await asyncio.wait([other.task], timeout=rng.uniform(0, 1))
            if expected and not (other.task.done() and other.task.result() == "refused"):
                world.violations.append("I6: a second writer was let in")
    for task in (client.task, *others):
        await task


async def _last(scene: Scene) -> None:
    """Without faults one client must end complete, and one more must change nothing."""
    world = scene.world
    await asyncio.sleep(20)
    for name in ("last", "idle"):
        before = (sorted(world.store.rows), sorted(world.store.rejects))
        client = Client(scene, name).start()
        assert client.task is not None
        end = await client.task
        if end != "complete":
            world.violations.append(f"I1: never complete: {end}")
            return
        if name == "idle" and before != (sorted(world.store.rows), sorted(world.store.rejects)):
            world.violations.append("I10: a second complete run changed something")
    wanted = (sorted(set(scene.rows) - scene.rejected), sorted(scene.rejected))
    if (sorted(world.store.rows), sorted(world.store.rejects)) != wanted or world.store.state != "finished":
        world.violations.append(
            f"I12: {len(world.store.rows)} rows and {len(world.store.rejects)} rejects,"
            f" {list(map(len, wanted))} expected"
        )


def simulate(seed: int) -> tuple[str, list[str]]:
    """Runs one seed from a clean slate."""
    random.seed(seed)
    loop = SimulatedLoop()
    try:
        return loop.run_until_complete(history(seed))
    finally:
        loop.close()


def main(arguments: list[str]) -> int:
    """Prints the seeds that violate something; 1 when there are any."""
    parser = argparse.ArgumentParser(prog="long.simulation.run", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--twin", default="")
    given = parser.parse_args(arguments)
    install()
    if given.twin:
        importlib.import_module(f"support.twins.{given.twin}").break_it()
        server.ORDER = server.ANY_ORDER
    began, bad = time.monotonic(), 0
    for seed in range(given.first, given.first + given.seeds):
        _, violations = simulate(seed)
        bad += bool(violations)
        if violations and bad <= 5:
            print(f"seed {seed}: {'; '.join(violations)}")
    seconds = time.monotonic() - began
    print(
        f"{given.seeds} seeds, {bad} with violations,"
        f" {seconds:.1f} s ({given.seeds / seconds * 60:.0f} a minute)"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
