"""Which open entries other decisions answer, and what is said of those."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from tranship.errors.codes.decisions import AnsweredElsewhere, OpenQuestion
from tranship.model.catalog import Catalog
from tranship.model.change import ChangeClass, Comparison, Matching
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
    comparison: Comparison,
    answers: Answers,
) -> tuple[Problem, ...]:
    """Returns the problems without the open questions that other decisions answer; ``comparison`` was made
    with these answers.

    An entry that asks what becomes of an old column or an old table is answered where another flow or an
    expression takes its values to NEW. One that names a new column, too, is answered where that follows a new
    key by itself, or where what became of tables has joined the two columns and nothing about them is
    breaking any more.
    """
    asking = {entry.path: entry for entry in file.entries if entry.action == SPECIFY_ACTION}
    open_ = [one for one in problems if one.code == OpenQuestion.code and entry_path(one) in asking]
    following = rekeyed_columns(comparison.matching.pairs, answers, *sides) if open_ else {}
    known = _Known(sides, comparison, answers, following)
    settled = [one for one in open_ if known.settles(asking[entry_path(one)])]
    return tuple(one for one in problems if one not in settled)


class _Known(Struct, frozen=True):
    """What the decisions come to."""

    sides: tuple[Catalog, Catalog]
    comparison: Comparison
    answers: Answers
    following: Collection[Place]
    """Columns that follow a new key."""

    def settles(self, entry: Resolution) -> bool:
        """Returns whether nobody asks any more what an entry asks."""
        taken_up = _is_answered(entry, self.sides, self.comparison.matching, self.answers)
        follows = taken_up or _follows(entry, self.sides, self.following)
        return follows or _is_joined(entry, self.sides, self.comparison)


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


def _is_joined(entry: Resolution, sides: tuple[Catalog, Catalog], comparison: Comparison) -> bool:
    """Returns whether an entry asks if one column became another of a different name, and by now they belong
    together by themselves, with nothing about either of them to decide.
    """
    place, old, new = place_of(entry.table, *sides), entry.old_column, entry.new_column
    pair = next((one for one in comparison.matching.pairs if (one.old, one.name) == place), None)
    if pair is None or old == new or not any((one.old, one.new) == (old, new) for one in pair.columns):
        return False
    own = (one for one in comparison.of(ChangeClass.BREAKING) if one.table == pair.flow)
    return not any(one.old_column == old or one.new_column == new for one in own)


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
