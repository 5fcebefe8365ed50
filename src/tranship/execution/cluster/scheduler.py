"""The connection to a Dask cluster: who its workers are, and one task for one batch.

Dask is imported when a cluster is joined, never before: it needs the extra ``dask``.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tranship.config import EngineAddress, engine_address, is_loopback
from tranship.errors import ConnectError, Stopped, UsageError
from tranship.errors.codes.cluster import (
    ClusterLost,
    NoClusterCertificates,
    NoDask,
    NoWorkers,
    PlainTcpElsewhere,
    SchedulerUnreachable,
)

if TYPE_CHECKING:
    from distributed import Client, Future
    from distributed.security import Security

CONNECT_SECONDS = 10
"""In which the scheduler has to answer."""
LOOK_SECONDS = 5.0
"""Between two looks at the cluster while batches are out."""
ANSWER_SECONDS = 30.0
"""After which a scheduler that does not say who its workers are counts as lost."""
EMPTY_SECONDS = 60.0
"""For which a cluster may be without workers: a new one can be on its way."""
_LIBRARY = "distributed"
_LOCAL = ("inproc",)
"""Protocols of Dask that never leave a process."""


def usable(engine: str) -> EngineAddress:
    """Returns the address of a cluster that this installation can join.

    Raises:
        UsageError: the address is wrong or not protected, or the extra ``dask`` is not installed.
    """
    address = engine_address(engine)
    if importlib.util.find_spec(_LIBRARY) is None:
        raise UsageError(NoDask(_LIBRARY))
    return address


class Cluster:
    """A Dask cluster that is joined."""

    def __init__(self, address: EngineAddress, client: Client) -> None:
        self._address = address
        self._client = client
        self._looking = asyncio.Lock()
        self._looked = time.monotonic()
        self._last_seen = time.monotonic()
        """When the cluster had a worker."""

    @classmethod
    @contextlib.asynccontextmanager
    async def join(cls, engine: str) -> AsyncIterator[Cluster]:
        """Connects to the scheduler for the block.

        Raises:
            UsageError: as `usable`, or certificates are missing.
            ConnectError: the scheduler cannot be reached, or has no workers.
        """
        address = usable(engine)
        from distributed import Client

        security = _security() if address.encrypted else None
        joining = Client(
            address.scheduler,
            asynchronous=True,
            security=security,
            timeout=CONNECT_SECONDS,
            set_as_default=False,
            name="tranship",
        )
        try:
            client = await joining
        except (OSError, TimeoutError, ValueError, RuntimeError) as error:
            raise ConnectError(SchedulerUnreachable(address.scheduler, str(error))) from error
        try:
            yield cls(address, client)
        finally:
            # Nobody waits for a scheduler that is gone.
            with contextlib.suppress(OSError, TimeoutError):
                await client.close(timeout=2)

    async def ask_all(self, question: Callable[[], Awaitable[bytes]]) -> Mapping[str, bytes | BaseException]:
        """Returns what each worker answers, by its address.

        Raises:
            ConnectError: there is no worker, or the scheduler does not answer.
            UsageError: a worker is reached by plain TCP on another machine.
        """
        try:
            answers: dict[str, Any] = await self._client.run(question, on_error="return")
        except (OSError, TimeoutError) as error:
            raise ConnectError(SchedulerUnreachable(self._address.scheduler, str(error))) from error
        if not answers:
            raise ConnectError(NoWorkers(self._address.scheduler))
        for worker in answers:
            self._refuse_plain(worker)
        return answers

    def _refuse_plain(self, worker: str) -> None:
        where = urlsplit(worker)
        local = where.scheme in _LOCAL or is_loopback(where.hostname or "")
        if not (self._address.encrypted or local):
            raise UsageError(PlainTcpElsewhere(worker))

    async def run(self, task: Callable[..., bytes], *arguments: str | int) -> bytes:
        """Returns what a worker answers to one task.

        Raises:
            Stopped: the scheduler or all workers went away.
        """
        future = self._client.submit(
            task, *arguments, key=f"tranship-{secrets.token_hex(8)}", pure=False, retries=0
        )
        answering = asyncio.ensure_future(_result(future))
        try:
            while not (await asyncio.wait({answering}, timeout=LOOK_SECONDS))[0]:
                await self._look()
            return self._answer(answering)
        finally:
            answering.cancel()
            # Dask runs a finished task again when its worker dies while somebody holds the future.
            future.release()

    def _answer(self, answering: asyncio.Future[bytes]) -> bytes:
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        try:
            return answering.result()
        except FutureCancelledError:
            raise self._lost("its scheduler went away") from None
        except KilledWorker as error:
            raise self._lost(f"its workers died, one after another, with the same batch ({error})") from error

    async def _look(self) -> None:
        """Looks whether the scheduler answers and has workers.

        Raises:
            Stopped: it does not, or has had none for long.
        """
        async with self._looking:
            if time.monotonic() - self._looked < LOOK_SECONDS:
                return
            try:
                workers = await asyncio.wait_for(self._client.nthreads(), ANSWER_SECONDS)
            except (OSError, TimeoutError) as error:
                raise self._lost("its scheduler does not answer") from error
            self._looked = time.monotonic()
            if workers:
                self._last_seen = self._looked
            elif self._looked - self._last_seen > EMPTY_SECONDS:
                raise self._lost(f"it has had no worker for {EMPTY_SECONDS:.0f} seconds")

    def _lost(self, said: str) -> Stopped:
        return Stopped(ClusterLost(self._address.scheduler, said))


async def _result(future: Future[bytes]) -> bytes:
    answer: bytes = await future.result()
    return answer


def _security() -> Security:
    """Returns Dask's own certificate settings.

    Raises:
        UsageError: one of them is missing.
    """
    from distributed.security import Security

    security = Security(require_encryption=True)
    for name in ("tls_ca_file", "tls_client_cert", "tls_client_key"):
        if getattr(security, name) is None:
            raise UsageError(NoClusterCertificates(name.replace("tls_", "", 1).replace("_", "-")))
    return security
