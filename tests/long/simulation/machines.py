"""Two machines that copy for a client, with the engine's own code for the workers of a cluster."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import asyncpg

from long.simulation.old import CLIENT, OldSession
from long.simulation.server import Session
from tranship.errors import ConnectError
from tranship.errors.codes.connection import ConnectionRefused
from tranship.execution.active_run import ActiveRun, WorkerContext
from tranship.execution.cluster.answers import Answer, sent
from tranship.execution.cluster.elsewhere import Elsewhere
from tranship.execution.cluster.member import Member
from tranship.execution.cluster.process import answered
from tranship.execution.context import RunContext
from tranship.server.imported_snapshot import ImportedSnapshot
from tranship.server.snapshot import Mark, Settings

if TYPE_CHECKING:
    from long.simulation.run import Client, Scene


class _Imported(ImportedSnapshot):
    """Readers of a machine over simulated connections."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(None, Settings(datestyle="ISO, MDY"), Mark("", ""))  # type: ignore[arg-type]
        self._machine = machine

    async def _connect(self) -> Any:
        return OldSession(self._machine)

    async def _join(self, conn: asyncpg.Connection, zone: str | None = None) -> None:
        await conn.execute("SET TRANSACTION SNAPSHOT")


class Machine:
    """One worker process, which goes on when its client is killed."""

    def __init__(self, scene: Scene, name: str, run: WorkerContext) -> None:
        self.scene = scene
        self.name = name
        self.dead = False
        self.died = asyncio.get_running_loop().create_future()
        self.sessions: list[Session] = []
        scene.world.believed[name] = run.epoch
        self._member = Member(
            WorkerContext(_alone(run.context), run.run, run.epoch, _Imported(self), run.lookups)
        )

    def connect(self) -> Session:
        """A backend of NEW."""
        if not self.scene.world.up:
            raise ConnectError(ConnectionRefused())
        session = Session(self.scene.world, self.name, lambda: not self.dead)
        self.sessions.append(session)
        return session

    def kill(self) -> None:
        """Nothing of it runs any more; what it sent is still on its way."""
        self.dead = True
        self.died.set_result(None)
        self.scene.world.history.append(f"{self.name} is killed")
        for session in self.sessions:
            asyncio.get_running_loop().call_later(
                self.scene.rng.uniform(0, self.scene.faults.latest_zombie), session.end
            )

    def begin(self, position: int, number: int) -> asyncio.Task[Answer]:
        """Begins a batch in a task of its own."""
        task = asyncio.create_task(self._copied(position, number))
        self.scene.tasks.append(task)
        return task

    async def _copied(self, position: int, number: int) -> Answer:
        CLIENT.set(self)
        return await answered(self.name, self._member.copy(position, number))


def _alone(context: RunContext) -> RunContext:
    """A machine's own context: what stops the client does not stop it."""
    return RunContext(
        context.job, context.config, context.options, context.journal, context.on_event, asyncio.Event()
    )


class SimulatedCluster:
    """Hands batches to machines as Dask does: to another one when one dies, and sometimes to both."""

    def __init__(self, client: Client, run: WorkerContext) -> None:
        self._client = client
        self._run = run
        self._made = 0
        self._machines = [self._machine() for _ in range(2)]

    def _machine(self) -> Machine:
        self._made += 1
        return Machine(self._client.scene, f"{self._client.name} machine {self._made}", self._run)

    async def run(self, _: Callable[..., bytes], run: str, epoch: int, position: int, number: int) -> bytes:
        """What a machine answers."""
        assert (run, epoch) == (self._run.run, self._run.epoch)
        scene = self._client.scene
        rng, risk = scene.rng, scene.faults.dying_machine
        while True:
            place = rng.randrange(len(self._machines))
            machine, other = self._machines[place], self._machines[1 - place]
            copying = machine.begin(position, number)
            if rng.random() < risk:
                other.begin(position, number)
            dies = rng.random() < risk
            await asyncio.wait(
                {copying, machine.died},
                timeout=rng.uniform(0, 0.04) if dies else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if copying.done():
                return sent(copying.result())
            # Another stream may have seen it die, too.
            if not machine.dead:
                machine.kill()
                self._machines[place] = self._machine()


@contextlib.asynccontextmanager
async def elsewhere(live: ActiveRun, client: Client) -> AsyncIterator[Elsewhere]:
    """The coordinator's side of two machines, for the block."""
    cluster: Any = SimulatedCluster(client, live.worker)
    async with Elsewhere.of(live, cluster) as found:
        assert found is not None
        yield found
