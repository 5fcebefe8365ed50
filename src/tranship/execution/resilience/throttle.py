"""Load limits: batches wait while a standby or a replication slot of NEW is too far behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tranship.execution.resilience.connection import Session
from tranship.model.notes import FollowerBehind
from tranship.model.progress import Event, Noted
from tranship.sql.queries import query

BEHIND = 1024 * 1024 * 1024
"""Bytes of WAL that a follower may be behind before batches wait. The server keeps that much on its disk."""
INTERVAL = 2.0
"""Seconds between two looks."""
REMINDER = 30.0
"""Seconds between two messages about the same wait."""


class Throttle:
    """Holds batches back; all streams of a run share one, so that they ask the server once."""

    def __init__(self, control: Session, stop: asyncio.Event, tell: Callable[[Event], None]) -> None:
        self._control = control
        self._stop = stop
        self._tell = tell
        self._looking = asyncio.Lock()
        self._looked = -INTERVAL
        self._reported = -REMINDER

    async def wait(self) -> None:
        """Waits until every follower that this role can see is near enough, or the run is asked to stop."""
        async with self._looking:
            if time.monotonic() - self._looked < INTERVAL:
                return
            while not self._stop.is_set() and (late := await self._late()) is not None:
                self._say(*late)
                await asyncio.sleep(INTERVAL)
            self._looked = time.monotonic()

    async def _late(self) -> tuple[str, int] | None:
        row = await self._control.work("NEW", lambda new: new.fetchrow(query("wal_held_back")))
        return (row["follower"], row["behind"]) if row is not None and row["behind"] > BEHIND else None

    def _say(self, follower: str, behind: int) -> None:
        if time.monotonic() - self._reported >= REMINDER:
            self._reported = time.monotonic()
            self._tell(Noted(FollowerBehind(follower, behind)))
