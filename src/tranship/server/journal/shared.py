"""What the coordinator of a run shares with workers in other processes, through the journal alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg
import msgspec
from msgspec import Struct

from tranship.model.flow import FlowId
from tranship.server.journal.nouns import RejectRow
from tranship.server.journal.reject_values import reject_row
from tranship.server.journal.store import Journal, flow_of


class SharedRun(Struct, frozen=True):
    """A run as a worker of its present epoch finds it."""

    format: int
    """Of the journal that it began in."""
    old_identity: str
    new_identity: str
    hashing: str | None
    """How its rows are hashed for the proof; None: they are not."""
    snapshot: str
    """Where its snapshot stands: :class:`Mark` as text."""
    tool_version: str
    """The coordinator's."""
    old_role: str
    new_role: str
    job: bytes
    """The coordinator's job: JSON in UTF-8."""


class SharedTask(NamedTuple):
    """One flow of a shared run."""

    flow: FlowId
    replica: bool
    """Its batches run under ``session_replication_role = replica``."""
    exports: tuple[str, ...]
    """The identifiers under which the run's snapshot can be imported."""


async def shared_run(journal: Journal, conn: asyncpg.Connection, run: str, epoch: int) -> SharedRun | None:
    """Returns what a run shares in an epoch; None: the epoch is over, or nothing is shared."""
    row = await conn.fetchrow(journal.sql("shared_run"), run, epoch)
    return msgspec.convert(dict(row), type=SharedRun) if row is not None else None


async def shared_task(
    journal: Journal, conn: asyncpg.Connection, run: str, epoch: int, position: int
) -> SharedTask | None:
    """Returns one flow of a shared run; None: the epoch is over."""
    row = await conn.fetchrow(journal.sql("shared_task"), run, epoch, position)
    return SharedTask(flow_of(row), row["replica"], tuple(row["exports"])) if row is not None else None


async def rejects_of_batch(
    journal: Journal, conn: asyncpg.Connection, run: str, position: int, number: int
) -> Sequence[RejectRow]:
    """Returns the rejects of one batch in physical order, without the old rows."""
    rows = await conn.fetch(journal.sql("rejects_of_batch"), run, position, number)
    return [reject_row(row) for row in rows]
