"""What tranship can do, as a library: the only package that joins the layers. Async throughout; the command line merely calls it."""

from tranship.api.analysis import Analysis, Suggestion, analyze, suggest, undecided, validate
from tranship.api.runs import Prepared, migrate, prepare, write_outcome
from tranship.api.sides import Sides, connections, read_sides, refuse, result_path

__all__ = [
    "Analysis",
    "Prepared",
    "Sides",
    "Suggestion",
    "analyze",
    "connections",
    "migrate",
    "prepare",
    "read_sides",
    "refuse",
    "result_path",
    "suggest",
    "undecided",
    "validate",
    "write_outcome",
]
