"""Which open entries other decisions answer, and what is said of those."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tranship.errors.codes.decisions import AnsweredElsewhere, OpenQuestion
from tranship.model.catalog import Catalog
from tranship.model.change import Matching
from tranship.model.names import ColumnRef
from tranship.model.resolution import Answers, Problem, Resolution, ResolutionFile
from tranship.planning.deciding.resolve.flows import entries_by_flow, place_of
from tranship.planning.deciding.resolve.words import (
    PLACEHOLDERS,
    SPECIFY_ACTION,
    entry_path,
    is_open,
    problem,
)
from tranship.planning.matching.new_keys import Place, rekeyed_columns
from tranship.planning.matching.scope import Scope


def without_answered(
    problems: Iterable[Problem],
    file: ResolutionFile,
    sides: tuple[Catalog, Catalog],
    matching: Matching,
    answers: Answers,
) -> tuple[Problem, ...]:
    """Returns the problems without the open questions that other decisions answer.

    An entry that asks what becomes of an old column or an old table is answered where another flow or an
    expression takes its values to NEW. One that names a new column, too, is answered where that follows a new
    key by itself.
    """
    asking = {entry.path: entry for entry in file.entries if entry.action == SPECIFY_ACTION}
    open_ = [one for one in problems if one.code == OpenQuestion.code and entry_path(one) in asking]
    following = rekeyed_columns(matching.pairs, answers, *sides) if open_ else {}
    settled = [
        one
        for one in open_
        if _is_answered(asking[entry_path(one)], sides, matching, answers)
        or _follows(asking[entry_path(one)], sides, following)
    ]
    return tuple(one for one in problems if one not in settled)


def answered_elsewhere(
    problems: Iterable[Problem], file: ResolutionFile, sides: tuple[Catalog, Catalog], scope: Scope
) -> tuple[Problem, ...]:
    """Returns a warning for each entry that keeps a placeholder although other decisions answer it, so that
    nobody has to guess which of them counts.

    ``problems`` are those of ``decide`` and ``without_answered``: an entry with one of them is no such entry.
    """
    named = {entry_path(one) for one in problems if not one.warning}
    flows, _ = entries_by_flow(file, *sides, scope)
    entries = (entry for one in flows for entry in one.entries if is_open(entry) and entry.path not in named)
    return tuple(problem(entry, AnsweredElsewhere()) for entry in entries)


def _follows(entry: Resolution, sides: tuple[Catalog, Catalog], following: Collection[Place]) -> bool:
    """Returns whether the column that an entry asks about holds a new key, or follows one."""
    place = place_of(entry.table, *sides)
    return place is not None and (*place, entry.new_column or "") in following


def _is_answered(
    entry: Resolution, sides: tuple[Catalog, Catalog], matching: Matching, answers: Answers
) -> bool:
    place = place_of(entry.table, *sides)
    if place is None or (entry.new_column is not None and entry.new_column not in PLACEHOLDERS):
        return False
    table, flow = place
    if not entry.sources:
        return table in answers.read
    others = [pair for pair in matching.pairs if pair.old == table and pair.name != flow]
    fed = {columns.old for pair in others for columns in pair.columns}
    return all(name in fed or ColumnRef(table, name) in answers.used for name in entry.sources)
