"""The rows of a batch where a person names no number: the longer the way to NEW, the more.

A batch is a conversation of about ten round trips with NEW, however many rows it has. At 20 ms they take as
long as the copy of 100 000 narrow rows.
"""

from __future__ import annotations

import time
from dataclasses import replace

import asyncpg
from msgspec import structs

from tranship.execution.context import RunContext
from tranship.model.notes import LargerBatches
from tranship.model.options import USUAL_BATCH
from tranship.sql.session import NO_STATEMENT_TIMEOUT

LARGEST = 1_000_000
"""Most rows. A batch has at most 64 MB, so only narrow rows come near it."""
_NEAR = 0.002
"""Seconds of a round trip up to which batches have their usual size: within one data centre."""
_TRIES = 3


async def with_fitting_batches(context: RunContext, new: asyncpg.Connection) -> RunContext:
    """Returns the context with as many rows in a batch as the way to NEW asks for, and tells when these are
    more than usual. A number that a person gave stays.
    """
    if context.options.batch_size is not None:
        return context
    seconds = min([await _round_trip(new) for _ in range(_TRIES)])
    if seconds <= _NEAR:
        return context
    rows = min(LARGEST, int(USUAL_BATCH * seconds * 1000))
    context.note(LargerBatches(seconds * 1000, rows))
    return replace(context, options=structs.replace(context.options, batch_size=rows))


async def _round_trip(new: asyncpg.Connection) -> float:
    """Returns the seconds until NEW has answered a statement that costs it nothing."""
    began = time.monotonic()
    await new.execute(NO_STATEMENT_TIMEOUT)
    return time.monotonic() - began
