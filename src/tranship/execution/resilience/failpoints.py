"""Named places at which a test kills, fails or pauses a run, or does something itself.

From outside the process: ``TRANSHIP_FAILPOINT=name[:n]:kill|raise|sleep=S`` (n-th passage, from 1).
Inside it: ``observers``.
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
    "batch.hashing",
    "batch.begun",
    "batch.fenced",
    "batch.claimed",
    "batch.copied",
    "batch.images",
    "batch.updated",
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
"""Every place, in the order in which a run passes them."""

passages: dict[str, int] = {}
"""Counts how often this process passed each place."""

observers: list[Callable[[str], Awaitable[None]]] = []
"""Called with the name of each place that is passed, in this order, before the
environment variable takes effect.

An exception of an observer goes through the run as if the place itself had failed."""


class FailpointReached(Exception):
    """The error that ``raise`` stands for; it is not transient, so no retry hides it."""


async def failpoint(name: str) -> None:
    """Kills, fails or pauses the run if the environment variable names this place."""
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
