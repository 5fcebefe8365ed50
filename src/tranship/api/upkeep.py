"""Looking after runs: status, what is still switched off, rollback, and removing the journal."""

from __future__ import annotations

from tranship.execution.rollback.command import Rollback, RollbackTable, rollback
from tranship.execution.upkeep.doctor import Diagnosis, accept, examine, restore_all
from tranship.execution.upkeep.status import RunState, TableState, purge, status

__all__ = [
    "Diagnosis",
    "Rollback",
    "RollbackTable",
    "RunState",
    "TableState",
    "accept",
    "examine",
    "purge",
    "restore_all",
    "rollback",
    "status",
]
