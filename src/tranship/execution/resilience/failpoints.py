"""Named places where a test makes the run die, fail or pause, or does something itself.

From outside the process: ``TRANSHIP_FAILPOINT=name[:n]:kill|raise|sleep=S`` (n-th passage, from 1). In it: ``observers``.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

NAMES = (
    "run.locked",
    "run.probed",
    "run.prepared",
    "run.taken",
    "switches.before",
    "switches.off",
    "indexes.off",
    "batch.begun",
    "batch.fenced",
    "batch.claimed",
    "batch.copied",
    "batch.isolating",
    "batch.divided",
    "batch.rejects",
    "batch.counted",
    "batch.committed",
    "table.done",
    "keys.proven",
    "indexes.rebuilt",
    "switches.restoring",
    "switches.restored",
    "phase.entered",
    "sequences.before",
    "sequences.set",
    "run.finished",
    "rollback.begun",
    "rollback.deleted",
    "rollback.done",
)
"""Every place, in the order a run passes them."""

passages: dict[str, int] = {}
"""How often this process came by each place."""


observers: list[Callable[[str], Awaitable[None]]] = []
"""Awaited with the name of each place that is passed, in this order and before the environment's wish is done.

An exception that an observer raises is the run's, as if it had happened at that place."""


class FailpointReached(Exception):
    """What ``raise`` raises: an error of our own making, not transient."""


async def failpoint(name: str) -> None:
    """Does what the environment asks for at this place; nothing otherwise."""
    passages[name] = passages.get(name, 0) + 1
    for observer in tuple(observers):
        await observer(name)
    wanted = os.environ.get("TRANSHIP_FAILPOINT", "")
    if not wanted.startswith(f"{name}:"):
        return
    _, *count, what = wanted.split(":")
    if passages[name] != int(count[0] if count else 1):
        return
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "raise":
        raise FailpointReached(name)
    elif what.startswith("sleep="):
        await asyncio.sleep(float(what.removeprefix("sleep=")))
