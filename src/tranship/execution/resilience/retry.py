"""Trying again what passes: up to eight times, half a second doubling to a minute, with jitter."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tranship.execution.resilience.server_errors import passes
from tranship.model.notes import Note, Retrying
from tranship.server.trouble import spoken

TRIES = 8
FIRST = 0.5
LONGEST = 60.0
"""Seconds."""
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
    """The action's result. ``worth``: whether another try can end otherwise; the only connection may be lost.

    Raises:
        What the action raised, when it does not pass, or after the last try, or when a person asked to stop meanwhile.
    """
    for attempt in range(tries):
        try:
            return await action()
        except Exception as error:
            if (
                not passes(error)
                or attempt == tries - 1
                or (stop is not None and stop.is_set())
                or not worth()
            ):
                raise
            pause = min(LONGEST, FIRST * 2**attempt) * random.uniform(0.75, 1.25)
            tell(Retrying(what, spoken(error), pause))
        await asyncio.sleep(pause)
    raise AssertionError("the last try returns or raises")
