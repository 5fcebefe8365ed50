"""What a worker process of a Dask cluster calls: the two functions that its tasks name.

Everything happens on one event loop in a thread of its own, so that Dask's own loop goes on answering the
scheduler while rows are copied.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Awaitable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from tranship.config import Config, load_config
from tranship.errors import Refused, TranshipError
from tranship.errors.codes.cluster import UnlikeTheRun
from tranship.execution.cluster.answers import Answer, Fault, Introduced, NotNow, sent
from tranship.execution.cluster.member import AnotherServer, Member, introduced, join
from tranship.execution.resilience.stop_reasons import BROKEN, stopped_by
from tranship.server.snapshot import SnapshotLost

CONFIG = "TRANSHIP_CONFIG"
"""The environment variable of a worker that names its configuration file."""
IDLE = 10.0
"""Seconds without a batch after which a process closes its connections to both servers."""
T = TypeVar("T")


async def introduce() -> bytes:
    """Returns where this process's configuration leads, as an answer. Dask calls it on its own loop."""
    return await asyncio.wrap_future(_process().begin(_process().introduce()))


def copy_batch(run: str, epoch: int, position: int, number: int) -> bytes:
    """Copies one batch of a run and returns the answer.

    Args:
        run: the run's id in NEW's journal.
        epoch: the run's epoch; once another process has raised it, nothing is copied.
        position: place of the flow in the run.
        number: the batch's number in its flow.
    """
    return _process().begin(_process().copy(run, epoch, position, number)).result()


async def answered(worker: str, work: Awaitable[Answer]) -> Answer:
    """Returns what the work of a worker answers, or why it failed."""
    try:
        return await work
    except SnapshotLost:
        return NotNow(worker, "it cannot import the snapshot that OLD exports")
    except AnotherServer:
        return NotNow(worker, "its NEW is not the server that the run began on, or was started anew")
    except TranshipError as error:
        return Fault.of(worker, error)
    except BROKEN as error:
        return Fault.of(worker, stopped_by(error))


class _Process:
    """The event loop of this process, and the runs that it takes part in."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._loop = asyncio.new_event_loop()
        self._joining = asyncio.Lock()
        self._members: dict[tuple[str, int], Member] = {}
        self._at_work = 0
        self._closing: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        threading.Thread(target=self._loop.run_forever, name="tranship", daemon=True).start()

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begins a coroutine on the loop of this process and returns its future."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def introduce(self) -> bytes:
        """Returns where the configuration leads, as an answer."""
        return sent(await answered(self.name, self._introduced()))

    async def _introduced(self) -> Answer:
        return Introduced(await introduced(self._config()))

    async def copy(self, run: str, epoch: int, position: int, number: int) -> bytes:
        """Copies a batch and returns the answer."""
        self._at_work += 1
        if self._closing is not None:
            self._closing.cancel()
        try:
            return sent(await answered(self.name, self._copied((run, epoch), position, number)))
        finally:
            self._at_work -= 1
            if not self._at_work:
                self._closing = self._loop.call_later(IDLE, self._end)

    async def _copied(self, run: tuple[str, int], position: int, number: int) -> Answer:
        async with self._joining:
            member = self._members.get(run)
            if member is None:
                member = self._members[run] = await join(self._config(), *run)
        return await member.copy(position, number)

    def _config(self) -> Config:
        """Returns the configuration of this machine, read anew.

        Raises:
            Refused: no file is named.
            UsageError: something is wrong with the file.
        """
        path = os.environ.get(CONFIG)
        if not path:
            raise Refused(UnlikeTheRun(f"{CONFIG} names no configuration"))
        return load_config(Path(path))

    def _end(self) -> None:
        """Closes the connections of all runs, unless a batch has begun meanwhile."""
        if not self._at_work:
            members = list(self._members.values())
            self._members.clear()
            self._ending = self._loop.create_task(_close(members))


async def _close(members: list[Member]) -> None:
    # The servers may be gone with the run.
    await asyncio.gather(*(member.close() for member in members), return_exceptions=True)


_MAKING = threading.Lock()
_MADE: list[_Process] = []


def _process() -> _Process:
    """Returns what belongs to this process, made at the first call: Dask calls from several threads."""
    with _MAKING:
        if not _MADE:
            _MADE.append(_Process())
        return _MADE[0]
