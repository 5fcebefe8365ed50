"""A simulated OLD, and who is connecting: what clients and the machines that copy for them have in common."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import asyncpg

from tranship.model.locator import Locator
from tranship.sql.ctid import page_and_line, render

CLIENT: ContextVar[Any] = ContextVar("client")
"""The client or the machine that a task belongs to."""
_RANGE = re.compile(r"old\.ctid (>=|<=|<|>) '\((\d+),(\d+)\)'")
_GONE = re.compile(r'"\((\d+),(\d+)\)"')
_OFFSET = re.compile(r"OFFSET (\d+)")
_TELL = {">=": Locator.__ge__, "<=": Locator.__le__, "<": Locator.__lt__, ">": Locator.__gt__}


class OldSession:
    """A connection to OLD, whose snapshot never changes; it can break anywhere, in the middle of COPY too."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.closed = False

    async def execute(self, _: str) -> None:
        """BEGIN, SET, ROLLBACK."""
        await self._step(self.client.scene.faults.lost_request / 4)

    async def copy_from_query(
        self, select: str, *, output: Callable[[bytes], Awaitable[None]], format: str
    ) -> str:
        """Evaluates the conditions on ctid as the engine wrote them."""
        assert format == "binary"
        for row in self._rows(select):
            await self._step(self.client.scene.faults.lost_answer / 4)
            await output(b"%d,%d\n" % page_and_line(row))
        return f"COPY {len(self._rows(select))}"

    async def fetchval(self, select: str) -> str:
        """The row where a batch is divided."""
        await self._step(self.client.scene.faults.lost_request / 4)
        return render(self._rows(select)[int(_OFFSET.findall(select)[0])].address)

    def _rows(self, select: str) -> list[Locator]:
        conditions = [
            (_TELL[sign], Locator(0, (int(page), int(line)))) for sign, page, line in _RANGE.findall(select)
        ]
        gone = {Locator(0, (int(page), int(line))) for page, line in _GONE.findall(select)}
        return [
            row
            for row in self.client.scene.rows
            if row not in gone and all(tell(row, border) for tell, border in conditions)
        ]

    async def _step(self, risk: float) -> None:
        await asyncio.sleep(0.0002)
        if self.client.dead:
            await asyncio.Event().wait()
        if self.closed or self.client.scene.rng.random() < risk:
            self.closed = True
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    def is_closed(self) -> bool:
        """As the driver says it."""
        return self.closed

    def terminate(self) -> None:
        """Closes."""
        self.closed = True
