"""What tranship can do, as a library: the only package that joins the layers. Async throughout; the command line merely calls it."""

from tranship.api.analysis import Analysis, Suggestion, analyze, suggest, undecided, validate
from tranship.api.runs import Prepared, migrate, prepare, write_outcome
from tranship.api.sides import Sides, connections, read_sides, refuse, result_path
from tranship.api.upkeep import Diagnosis, Rollback, RunState, examine, purge, rollback, settle, status

__all__ = [
    "Analysis",
    "Diagnosis",
    "Prepared",
    "Rollback",
    "RunState",
    "Sides",
    "Suggestion",
    "analyze",
    "connections",
    "examine",
    "migrate",
    "prepare",
    "purge",
    "read_sides",
    "refuse",
    "result_path",
    "rollback",
    "settle",
    "status",
    "suggest",
    "undecided",
    "validate",
    "write_outcome",
]
