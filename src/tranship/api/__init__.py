"""tranship as a library: one function per command. It is the only package that joins the layers; the command
line just calls it.

What lives here: putting analysis, planning, execution and files together. What may not live here: options of
the command line, printing, work on rows.

Functions that connect are coroutines. Problems that a person can solve are raised as `errors.TranshipError`.
Begin with ``analyze.py``.

1. ``analyze.py``: comparing, suggesting, validating. 2. ``preview.py``: some rows, before and after.
3. ``migrate.py``: runs. 4. ``verify.py``: their verification at any time. 5. ``upkeep.py``: status, doctor,
   rollback, purge.
"""

from tranship.analysis.prepare import Prepared, prepare
from tranship.analysis.problems import undecided
from tranship.analysis.sides import Sides, connections, read_sides, refuse
from tranship.api.analyze import Analysis, Suggestion, analyze, suggest, validate
from tranship.api.migrate import migrate
from tranship.api.preview import preview
from tranship.api.upkeep import (
    Diagnosis,
    Rollback,
    RollbackTable,
    RunState,
    TableState,
    accept,
    examine,
    purge,
    restore_all,
    rollback,
    status,
)
from tranship.api.verify import verify
from tranship.codec.files import result_path

__all__ = [
    "Analysis",
    "Diagnosis",
    "Prepared",
    "Rollback",
    "RollbackTable",
    "RunState",
    "Sides",
    "Suggestion",
    "TableState",
    "accept",
    "analyze",
    "connections",
    "examine",
    "migrate",
    "prepare",
    "preview",
    "purge",
    "read_sides",
    "refuse",
    "restore_all",
    "result_path",
    "rollback",
    "status",
    "suggest",
    "undecided",
    "validate",
    "verify",
]
