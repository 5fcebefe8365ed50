"""Looking at both databases, and after runs: ping, status, what is still switched off, rollback, purge."""

from __future__ import annotations

from tranship.analysis.reached import Ping, Reached, ping_both
from tranship.config import Config
from tranship.execution.rollback.command import Rollback, RollbackTable, rollback
from tranship.execution.rollback.staying import staying_path, write_staying
from tranship.execution.upkeep.doctor import Diagnosis, accept, examine, restore_all
from tranship.execution.upkeep.status import (
    Purged,
    RunState,
    TableState,
    purge,
    rolled_back,
    status,
    still_rejected,
)
from tranship.server.journal import RolledBack

__all__ = [
    "Diagnosis",
    "Ping",
    "Purged",
    "Reached",
    "Rollback",
    "RollbackTable",
    "RolledBack",
    "RunState",
    "TableState",
    "accept",
    "examine",
    "ping",
    "purge",
    "restore_all",
    "rollback",
    "rolled_back",
    "status",
    "staying_path",
    "still_rejected",
    "write_staying",
]


async def ping(config: Config) -> Ping:
    """Connects to both databases and returns versions, clocks, latency and missing privileges. It writes to
    neither, and a server that cannot be reached is a problem of the answer.
    """
    return await ping_both(config)
