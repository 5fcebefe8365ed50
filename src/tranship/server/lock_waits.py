"""Names the sessions for which a statement waits. Another connection asks the server, since the one that
waits cannot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from msgspec import Struct

from tranship.model.names import Side
from tranship.model.notes import LockAwaited, LockNote, LockWaitEnded
from tranship.server.delayed import after

FIRST_LOOK = 2.0
"""Seconds without an answer after which the server is asked: batches give up a lock after three."""
LOOK_INTERVAL = 5.0
"""Seconds between two looks at a statement that waits for a session."""
QUIET = 10.0
"""Seconds in which a server is not asked again after a look that found nobody: a statement may be slow."""


class Blockers(Struct, frozen=True):
    """Asks a server for whom its backends wait."""

    side: Side
    ask: Callable[[int], Awaitable[Sequence[LockAwaited]]]
    """Returns for whom the backend of a process id waits."""


class LockWaits:
    """Tells once for whom statements wait, and when none of them waits for that session any more."""

    def __init__(self, hear: Callable[[LockNote], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._hear, self._clock = hear, clock
        self._waiting: dict[tuple[Side, int], set[object]] = {}
        """By session the statements that wait for it."""
        self._since: dict[tuple[Side, int], float] = {}
        self._quiet: dict[Side, float] = {}

    async def look(self, blockers: Blockers, backend: int) -> None:
        """Tells for whom a backend waits, until the task is cancelled."""
        # What the look itself waits for is not looked at.
        _HEARD.set(None)
        statement = object()
        try:
            while True:
                pause = self._quiet.get(blockers.side, 0.0) - self._clock()
                if pause <= 0:
                    found = await blockers.ask(backend)
                    pause = LOOK_INTERVAL if found else QUIET
                    if not found:
                        self._quiet[blockers.side] = self._clock() + QUIET
                    self._waits(statement, found)
                await asyncio.sleep(pause)
        finally:
            self._waits(statement, ())

    def _waits(self, statement: object, found: Sequence[LockAwaited]) -> None:
        now = {(one.side, one.pid): one for one in found}
        for session, one in now.items():
            if session not in self._waiting:
                self._since[session] = self._clock()
                self._hear(one)
            self._waiting.setdefault(session, set()).add(statement)
        for session in [one for one, waiting in self._waiting.items() if statement in waiting]:
            if session in now:
                continue
            self._waiting[session].discard(statement)
            if not self._waiting[session]:
                del self._waiting[session]
                self._hear(LockWaitEnded(*session, round(self._clock() - self._since.pop(session), 1)))


_HEARD: ContextVar[LockWaits | None] = ContextVar("tranship lock waits", default=None)


@contextmanager
def telling(hear: Callable[[LockNote], None]) -> Iterator[None]:
    """Has ``hear`` told for whom the statements of the block wait, and of the tasks that it starts."""
    token = _HEARD.set(LockWaits(hear))
    try:
        yield
    finally:
        _HEARD.reset(token)


@contextmanager
def watched(blockers: Blockers | None, backend: Callable[[], int]) -> Iterator[None]:
    """Watches one statement from :data:`FIRST_LOOK` on."""
    waits = _HEARD.get()
    if waits is None or blockers is None:
        yield
        return
    with after(FIRST_LOOK, lambda: waits.look(blockers, backend())):
        yield
