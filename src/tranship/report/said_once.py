"""Problems in lines of text; those that say the same of many objects are one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from tranship.model.resolution import Problem
from tranship.model.visible import printed

_SAID_ONCE = 3
"""Number of problems alike from which on they are one line with names: two lines are no fewer than that."""
_NAMED = 40
"""Names behind such a line: about ten lines of a terminal."""
_GRANT = re.compile(r"(GRANT (?:.*; GRANT )?[^;]* ON (?:SEQUENCE )?)((?:\"[^;]*\"|[^ ;]+))( TO [^;]*;)")
"""A hint that grants rights on one relation: what stands before its name, the name, and what follows."""


def said_once(problems: Sequence[Problem]) -> list[Problem]:
    """Returns the problems; those that say the same of three objects or more are one, at the place of the
    first, with the names of the others.
    """
    alike: dict[tuple[object, ...], list[Problem]] = {}
    for problem in problems:
        alike.setdefault(_said(problem), []).append(problem)
    shown = []
    for problem in problems:
        same = alike[_said(problem)]
        if len(same) < _SAID_ONCE:
            shown.append(problem)
        elif problem is same[0]:
            shown.append(_together(same))
    return shown


def _said(problem: Problem) -> tuple[object, ...]:
    """Returns what a problem says, without the name of the column that it is about."""
    granted = _GRANT.fullmatch(problem.hint)
    if granted is not None and problem.object:
        said = problem.message.replace(problem.object, "")
        return (problem.code, said, granted[1], granted[3], problem.warning)
    name = problem.object.rpartition(".")[2]
    return (problem.code, problem.message.replace(f"'{name}'", "''"), problem.hint, problem.warning)


def _together(same: Sequence[Problem]) -> Problem:
    first, *others = same
    named = ", ".join(problem.object for problem in others[:_NAMED])
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    told = f"{first.message}\n  the same for {len(others)} more: {named}{more}"
    return replace(first, message=told, hint=_granting_all(same))


def _granting_all(same: Sequence[Problem]) -> str:
    """Returns the hint that several problems share; where each grants rights on a relation of its own, one
    statement that grants them on all.
    """
    granted = [_GRANT.fullmatch(problem.hint) for problem in same]
    relations = [one[2] for one in granted if one is not None]
    if granted[0] is None or len(set(relations)) == 1:
        return same[0].hint
    return f"{granted[0][1]}{', '.join(dict.fromkeys(relations))}{granted[0][3]}"


def unnamed_object(problem: Problem) -> str:
    """Returns what a problem is about, or nothing where its message names that already.

    The lines behind the first name other objects, which may begin with the same words.
    """
    first = problem.message.partition("\n")[0]
    named = problem.object and re.search(rf"(?<!\w){re.escape(problem.object)}(?!\w)", first)
    return "" if named else problem.object


def problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """Yields the lines that show problems at the end of a run."""
    for problem in said_once(problems):
        about = unnamed_object(problem)
        where = f"{_shown(about)}: " if about else ""
        sign = "⚠ " if problem.warning else ""
        yield from f"{sign}{problem.code} {where}{problem.message}".split("\n")
        if problem.hint:
            yield f"  hint: {problem.hint}"


def _shown(text: str) -> str:
    return printed(text).replace("\n", "\\n").replace("\t", "\\t")
