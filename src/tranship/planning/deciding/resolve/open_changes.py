"""Which questions the decisions resolve: one entry that names an old and a new column resolves both."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.change import Change, ChangeClass, Comparison
from tranship.model.resolution import Action, Answers, Resolution
from tranship.planning.deciding.resolve.words import PLACEHOLDERS

_FEEDING = (Action.RENAME, Action.TRANSFORM)
_FILLING = (Action.RENAME, Action.TRANSFORM, Action.DEFAULT)
_TABLES = (Action.RENAME_TABLE, Action.DROP_TABLE)


def open_questions(comparison: Comparison, answers: Answers) -> tuple[Change, ...]:
    """Returns the breaking changes that no decision resolves.

    The comparison must have been made with the same answers.
    """
    by_table: dict[str, list[Resolution]] = {}
    for decision in answers.decisions:
        by_table.setdefault(str(decision.old_table), []).append(decision.resolution)
    return tuple(
        change
        for change in comparison.of(ChangeClass.BREAKING)
        if not _resolves(by_table.get(change.table, []), change)
    )


def is_resolved(entry: Resolution, deciding: Sequence[Resolution]) -> bool:
    """Returns whether other entries of the same table decide everything that an entry with placeholders asks
    about.
    """
    old = [name for name in entry.sources if name not in PLACEHOLDERS]
    new = entry.new_column if entry.new_column not in PLACEHOLDERS else None
    if not old and new is None:
        return any(other.action in _TABLES for other in deciding)
    answered = new is None or _is_filled(new, deciding) or any(_is_ignored(name, deciding) for name in old)
    return answered and all(_is_named(name, deciding) for name in old)


def _resolves(deciding: Sequence[Resolution], change: Change) -> bool:
    if any(entry.action == Action.DROP_TABLE for entry in deciding):
        return True
    if change.old_column is None and change.new_column is None:
        return any(entry.action in _TABLES for entry in deciding)
    if change.old_column is not None and change.new_column is not None:
        return _resolves_both(
            deciding, change.old_column, change.new_column, renames=change.conversion is None
        )
    if change.old_column is not None:
        return _is_named(change.old_column, deciding)
    return change.new_column is not None and _is_filled(change.new_column, deciding)


def _resolves_both(deciding: Sequence[Resolution], old: str, new: str, *, renames: bool) -> bool:
    """Returns whether the question about an old and a new column at once is resolved.

    A rename answers who feeds whom. It never answers a conversion that is breaking: ``renames`` says that the
    question is only about the name.
    """
    fillers = [entry for entry in deciding if entry.new_column == new and entry.action in _FILLING]
    if any(entry.action == Action.RENAME and old in entry.sources for entry in fillers) and not renames:
        return False
    if fillers:
        return _is_named(old, deciding)
    return _is_ignored(old, deciding)


def _is_named(old: str, deciding: Sequence[Resolution]) -> bool:
    return _is_ignored(old, deciding) or any(
        old in entry.sources and entry.action in _FEEDING for entry in deciding
    )


def _is_ignored(old: str, deciding: Sequence[Resolution]) -> bool:
    return any(entry.action == Action.IGNORE and entry.old_column == old for entry in deciding)


def _is_filled(new: str, deciding: Sequence[Resolution]) -> bool:
    return any(entry.action in _FILLING and entry.new_column == new for entry in deciding)
