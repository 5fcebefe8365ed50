"""Describes the warnings of a run or a dry run on its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.resolution import Problem
from tranship.report.document import Item, Note


def warning_items(problems: Sequence[Problem]) -> Iterator[Item]:
    """Yields an item for each problem: its code and message, what it is about, and what to do."""
    for problem in problems:
        notes = (Note(problem.hint),) if problem.hint else ()
        yield Item(f"{problem.code} {problem.message}", problem.object, notes)
