"""What tranship can do, as a library: the only package that joins the layers. Async throughout; the command line merely calls it."""

from tranship.analysis.prepare import Prepared, prepare
from tranship.analysis.problems import undecided
from tranship.analysis.sides import Sides, connections, read_sides, refuse
from tranship.api.analyze import Analysis, Suggestion, analyze, suggest, validate
from tranship.api.migrate import migrate
from tranship.api.upkeep import Diagnosis, Rollback, RunState, examine, purge, rollback, settle, status
from tranship.codec.files import result_path
from tranship.execution.results.files import write_outcome

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
