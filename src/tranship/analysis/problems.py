"""What could not be checked as problems, and the places at which a file may ask about a change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tranship.errors.codes.decisions import NotChecked
from tranship.model.change import Change
from tranship.model.names import Side
from tranship.model.resolution import Problem


def not_asked(what: Iterable[str]) -> tuple[Problem, ...]:
    """Returns the questions to the data that have no answer as warnings, those with one reason in one line
    where they are many.
    """
    by_reason: dict[str, list[str]] = {}
    for line in what:
        by_reason.setdefault(line.rpartition(": ")[2], []).append(line)
    found: list[str] = []
    for reason, lines in by_reason.items():
        found += lines if len(lines) <= _SINGLY else [f"{_counted(lines)}: {reason}"]
    return tuple(NotChecked(one).problem() for one in found)


_SINGLY = 3
_CONSTRAINT = "the new constraint"


def _counted(lines: Sequence[str]) -> str:
    """Returns how many questions are about columns and how many about constraints: ``12 columns and 140
    constraints``.
    """
    constraints = sum(1 for line in lines if _CONSTRAINT in line)
    counts = ((len(lines) - constraints, "column"), (constraints, "constraint"))
    return " and ".join(f"{n} {word}{'s' if n != 1 else ''}" for n, word in counts if n)


def places(change: Change) -> tuple[tuple[str, Side, str], ...]:
    """Returns the table, side and column under which a resolutions file may ask about a change (see
    `asked_about`).

    A change without columns is asked about under the old table, with an empty column.
    """
    columns = [
        (side, name)
        for side, name in ((Side.OLD, change.old_column), (Side.NEW, change.new_column))
        if name is not None
    ]
    return tuple((change.table, side, name) for side, name in columns or [(Side.OLD, "")])
