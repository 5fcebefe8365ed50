"""Which open entries other decisions answer by using what they ask about."""

from __future__ import annotations

from collections.abc import Iterable

from tranship.errors.codes.decisions import OpenQuestion
from tranship.model.catalog import Catalog
from tranship.model.change import Matching
from tranship.model.names import ColumnRef
from tranship.model.resolution import Answers, Problem, Resolution, ResolutionFile
from tranship.planning.deciding.resolve.flows import place_of
from tranship.planning.deciding.resolve.words import PLACEHOLDERS, SPECIFY_ACTION, entry_path


def without_answered(
    problems: Iterable[Problem],
    file: ResolutionFile,
    sides: tuple[Catalog, Catalog],
    matching: Matching,
    answers: Answers,
) -> tuple[Problem, ...]:
    """Returns the problems without the open questions that other decisions answer.

    An entry that asks what becomes of an old column or an old table is answered where another flow or an
    expression takes its values to NEW. Entries that name a new column ask for more than that.
    """
    asking = {entry.path: entry for entry in file.entries if _asks_what_becomes(entry)}
    return tuple(
        one
        for one in problems
        if one.code != OpenQuestion.code
        or (entry := asking.get(entry_path(one))) is None
        or not _is_answered(entry, sides, matching, answers)
    )


def _asks_what_becomes(entry: Resolution) -> bool:
    return entry.action == SPECIFY_ACTION and (entry.new_column is None or entry.new_column in PLACEHOLDERS)


def _is_answered(
    entry: Resolution, sides: tuple[Catalog, Catalog], matching: Matching, answers: Answers
) -> bool:
    place = place_of(entry.table, *sides)
    if place is None:
        return False
    table, flow = place
    if not entry.sources:
        return table in answers.read
    others = [pair for pair in matching.pairs if pair.old == table and pair.name != flow]
    fed = {columns.old for pair in others for columns in pair.columns}
    return all(name in fed or ColumnRef(table, name) in answers.used for name in entry.sources)
