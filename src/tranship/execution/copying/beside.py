"""Computes the sums over a batch while its rows are copied, on a connection to OLD of its own.

OLD takes longer to print and hash rows than to send them. One connection would do first the one and then the
other, while NEW waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

import asyncpg
from msgspec.structs import replace

from tranship.errors import ConnectError
from tranship.errors.codes.connection import TooManyConnections
from tranship.execution.active_run import WorkerContext
from tranship.execution.proof.expected import Expecting, NewHasToPrint
from tranship.execution.resilience.failpoints import failpoint
from tranship.model.digest import Sums
from tranship.model.locator import Locator
from tranship.model.progress import Batch
from tranship.sql.joins import Bindings

WORTH_IT = 1_000
"""Rows from which a batch is worth the statements that begin a further transaction."""


class BatchSums:
    """The sums over one batch. OLD computes them while the block copies the rows; those of a small batch, or
    where NEW has to print the rows, are computed before the block.
    """

    def __init__(
        self,
        run: WorkerContext,
        expecting: Expecting | None,
        batch: Batch,
        excluded: Sequence[Locator],
        bindings: Bindings,
    ) -> None:
        self._run = run
        self._expecting = expecting
        self._read = (batch, excluded, bindings)
        self._sums: Sums | None = None
        self._task: asyncio.Task[Sums | None] | None = None
        self._computes: asyncpg.Connection | None = None

    async def __aenter__(self) -> Self:
        """Begins; NEW's connection is in no transaction."""
        large = self._read[0].rows >= WORTH_IT
        if large and self._expecting is not None and self._expecting.printed_by_old:
            self._task = asyncio.create_task(self._beside(self._expecting))
        else:
            self._sums = await self._run.expected(self._expecting, *self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends what still computes."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def computes(self) -> asyncpg.Connection | None:
        """The connection that computes the sums; None: none does."""
        return self._computes

    async def result(self) -> Sums | None:
        """Returns the sums when they are computed, inside the batch's transaction.

        They are computed now where a connection of their own could not do it: OLD grants none, or cannot
        print the rows.
        """
        if self._task is None or self._expecting is None:
            return self._sums
        try:
            return await self._task
        except NewHasToPrint:
            pass
        except ConnectError as error:
            if error.code != TooManyConnections.code:
                raise
        self._computes = self._expecting.old
        return await self._expecting.sums(*self._read)

    async def _beside(self, expecting: Expecting) -> Sums | None:
        async with self._run.snapshot.reader(expecting.plan.zone, spare=True) as old:
            self._computes = old
            await failpoint("batch.hashing")
            return await replace(expecting, old=old).sums_by_old(*self._read)
