"""Retries after transient errors: up to eight tries, pauses that double from half a second to a minute."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tranship.execution.resilience.server_errors import is_transient
from tranship.model.notes import Note, Retrying
from tranship.server.trouble import spoken

TRIES = 8
"""With the pauses below they span about a minute: a server that restarts is back by then."""
FIRST = 0.5
LONGEST = 60.0
"""First and longest pause between two tries, in seconds."""
T = TypeVar("T")


def _always() -> bool:
    return True


async def retry(
    action: Callable[[], Awaitable[T]],
    *,
    tell: Callable[[Note], None],
    what: str,
    stop: asyncio.Event | None = None,
    tries: int = TRIES,
    worth: Callable[[], bool] = _always,
) -> T:
    """Returns the action's result, after as many tries as it takes.

    ``worth`` tells whether another try can end differently; it cannot on a connection that is closed.

    Raises:
        Exception: what the action raised, if the error is not transient, if it was the last try, or if a
            person asked to stop.
    """
    for attempt in range(tries):
        try:
            return await action()
        except Exception as error:
            last = attempt == tries - 1 or (stop is not None and stop.is_set())
            if last or not is_transient(error) or not worth():
                raise
            # The jitter keeps the streams of a run from hitting a server that restarts all at once.
            pause = min(LONGEST, FIRST * 2**attempt) * random.uniform(0.75, 1.25)
            tell(Retrying(what, spoken(error), pause))
        await asyncio.sleep(pause)
    raise AssertionError("the last try returns or raises")
