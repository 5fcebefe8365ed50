"""tranship as a library: one function per command. It is the only package that joins the layers; the command
line just calls it. Users of the library import everything from here, types and exceptions included.

What lives here: putting analysis, planning, execution and files together. What may not live here: options of
the command line, printing, work on rows.

Functions that connect are coroutines. Problems that a person can solve are raised as `errors.TranshipError`.
Begin with ``analyze.py``.

1. ``analyze.py``: comparing, suggesting, validating. 2. ``deciding.py``: answering a resolutions file entry
   by entry. 3. ``preview.py``: some rows, before and after.
4. ``migrate.py``: runs, with ``held_back.py``. 5. ``verify.py``: their verification at any time.
6. ``upkeep.py``: status, doctor, rollback, purge. 7. ``report.py``: the page of a run.
"""

from tranship.analysis.open_changes import undecided
from tranship.analysis.prepare import Prepared, prepare
from tranship.analysis.sides import Sides, connections, read_sides, refuse
from tranship.api.analyze import Analysis, Suggestion, analyze, suggest, validate
from tranship.api.migrate import Migrated, migrate
from tranship.api.preview import preview
from tranship.api.report import RunReport, report
from tranship.api.upkeep import (
    Diagnosis,
    Ping,
    Purged,
    Reached,
    Rollback,
    RollbackTable,
    RolledBack,
    RunState,
    TableState,
    accept,
    examine,
    ping,
    purge,
    restore_all,
    rollback,
    rolled_back,
    status,
    staying_path,
    still_rejected,
    write_staying,
)
from tranship.api.verify import Verified, check_certificate, verify
from tranship.codec.files import result_path
from tranship.config import Config, config_from_urls, config_from_values, load_config
from tranship.errors import ConnectError, Differs, Refused, Stopped, TranshipError, UsageError
from tranship.model.certificate import Certificate
from tranship.model.change import Change, ChangeClass, Comparison
from tranship.model.options import MigrateOptions
from tranship.model.progress import (
    BatchDone,
    Began,
    Event,
    Noted,
    RowRejected,
    RunStarted,
    TableDone,
    TableStarted,
)
from tranship.model.resolution import Problem
from tranship.model.verdict import MigrationResult, TableResult
from tranship.model.verification import Verification, VerifiedTable, VerifyOptions

__all__ = [
    "Analysis",
    "BatchDone",
    "Began",
    "Certificate",
    "Change",
    "ChangeClass",
    "Comparison",
    "Config",
    "ConnectError",
    "Diagnosis",
    "Differs",
    "Event",
    "MigrateOptions",
    "Migrated",
    "MigrationResult",
    "Noted",
    "Ping",
    "Prepared",
    "Problem",
    "Purged",
    "Reached",
    "Refused",
    "Rollback",
    "RollbackTable",
    "RolledBack",
    "RowRejected",
    "RunReport",
    "RunStarted",
    "RunState",
    "Sides",
    "Stopped",
    "Suggestion",
    "TableDone",
    "TableResult",
    "TableStarted",
    "TableState",
    "TranshipError",
    "UsageError",
    "Verification",
    "Verified",
    "VerifiedTable",
    "VerifyOptions",
    "accept",
    "analyze",
    "check_certificate",
    "config_from_urls",
    "config_from_values",
    "connections",
    "examine",
    "load_config",
    "migrate",
    "ping",
    "prepare",
    "preview",
    "purge",
    "read_sides",
    "refuse",
    "report",
    "restore_all",
    "result_path",
    "rollback",
    "rolled_back",
    "status",
    "staying_path",
    "still_rejected",
    "suggest",
    "undecided",
    "validate",
    "verify",
    "write_staying",
]
