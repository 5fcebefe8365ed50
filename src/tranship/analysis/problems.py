"""What an analysis could not ask and what a person has yet to decide, as problems."""

from __future__ import annotations

from collections.abc import Iterable

from tranship.errors.codes.decisions import NotChecked, Undecided
from tranship.model.change import Change
from tranship.model.names import Side
from tranship.model.resolution import Problem


def not_asked(what: Iterable[str]) -> tuple[Problem, ...]:
    """Questions to the data that have no answer, as warnings."""
    return tuple(NotChecked(one).problem() for one in what)


def undecided(changes: Iterable[Change]) -> tuple[Problem, ...]:
    """Breaking changes that no decision settles, as problems."""
    return tuple(
        Undecided(c.description).problem(".".join(filter(None, (c.table, c.old_column or c.new_column))))
        for c in changes
    )


def places(change: Change) -> tuple[tuple[str, Side, str], ...]:
    """Where entries of a resolutions file ask about a change, as `asked_about` names it."""
    columns = [
        (side, name)
        for side, name in ((Side.OLD, change.old_column), (Side.NEW, change.new_column))
        if name is not None
    ]
    return tuple((change.table, side, name) for side, name in columns or [(Side.OLD, "")])
