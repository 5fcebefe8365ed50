"""What of an earlier resolutions file still applies when the questions are written again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct

from tranship.errors.codes.decisions import OpenQuestion
from tranship.errors.codes.entries import TablesLeaveItOut
from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.model.resolution import Action, ForAll, Problem, Resolution, ResolutionFile
from tranship.planning.deciding.resolve.flows import place_of
from tranship.planning.deciding.resolve.words import PLACEHOLDERS, SPECIFY_ACTION, entry_path, is_open
from tranship.planning.deciding.suggest.for_all import ALL_TABLES

# Problems that leave an entry standing: it asks, or it is about a table that this run leaves out.
_NOT_GRAVE = (OpenQuestion.code, TablesLeaveItOut.code)
# The fields that ``resolve generate`` writes: whatever else stands in an entry a person added.
_GENERATED = {
    "description",
    "old_column",
    "old_columns",
    "new_column",
    "action",
    "default_value",
    "_suggestion",
    "_example",
    "_evidence",
}
_GENERATED_PATTERN = {*_GENERATED, "tables", "when"}


class Dropped(Struct, frozen=True):
    """A decision that no longer applies, and why."""

    path: str
    reason: str
    entry: Resolution | None = None
    """What was decided under the key of a table; None: nothing was, or it was a pattern."""
    pattern: ForAll | None = None
    """What was decided for all columns of two types."""
    question: ForAll | None = None
    """An open entry for all columns of two types; where it is asked anew, nothing is lost."""


def kept_entries(
    file: ResolutionFile, problems: Sequence[Problem], old: Catalog, new: Catalog
) -> tuple[list[tuple[Resolution, tuple[TableName, str] | None]], tuple[Dropped, ...]]:
    """Returns the entries of an earlier file that still apply, each with its old table and the name of its
    flow, and the others with the reason.
    """
    kept: list[tuple[Resolution, tuple[TableName, str] | None]] = []
    dropped: list[Dropped] = [Dropped(problem.object, problem.message) for problem in file.problems]
    for entry, own in zip(file.entries, _problems_by_entry(file, problems), strict=True):
        place = place_of(entry.table, old, new)
        reason = _why_dropped(entry, own)
        if reason is None and place is None:
            # Of a key that means no table the first entry alone has a problem.
            reason = f"no table is meant by {entry.table!r}"
        if reason is not None:
            dropped.append(Dropped(entry.path, reason, None if is_open(entry) else entry))
        else:
            kept.append((entry, place))
    return kept, tuple(dropped)


def kept_patterns(
    file: ResolutionFile, problems: Sequence[Problem]
) -> tuple[tuple[ForAll, ...], tuple[Dropped, ...]]:
    """Returns the entries of ``for_all`` that still apply, without the open ones that are asked again, and
    those that do not with the reason.
    """
    kept: list[ForAll] = []
    dropped: list[Dropped] = []
    for pattern in file.for_all:
        entry = pattern.entry
        reason = _why_dropped(entry, [one for one in problems if entry_path(one) == entry.path])
        if reason is not None:
            asks = is_open(entry)
            decided, question = (None, pattern) if asks else (pattern, None)
            dropped.append(Dropped(entry.path, reason, pattern=decided, question=question))
        elif not _is_untouched_pattern(pattern):
            kept.append(pattern)
    return tuple(kept), tuple(dropped)


def _is_untouched_pattern(pattern: ForAll) -> bool:
    entry = pattern.entry
    added = json.loads(entry.source).keys() - _GENERATED_PATTERN
    return not added and entry.action == SPECIFY_ACTION and pattern.tables == ALL_TABLES


def _problems_by_entry(file: ResolutionFile, problems: Sequence[Problem]) -> list[list[Problem]]:
    """Returns the problems of each entry."""
    by_path: dict[str, list[Problem]] = {}
    for problem in problems:
        by_path.setdefault(entry_path(problem), []).append(problem)
    return [by_path.get(entry.path, []) for entry in file.entries]


def _why_dropped(entry: Resolution, problems: Sequence[Problem]) -> str | None:
    """Returns why an entry no longer applies; None for one that does."""
    grave = [problem for problem in problems if not problem.warning and problem.code not in _NOT_GRAVE]
    if grave:
        return grave[0].message
    still_open = any(problem.code in _NOT_GRAVE for problem in problems)
    return "the question is settled" if is_open(entry) and not still_open else None


def is_untouched(entry: Resolution) -> bool:
    """Returns whether an open entry is as ``generate`` wrote it, without a word of a person.

    Such a question is asked again, with what the data say now.
    """
    added = json.loads(entry.source).keys() - _GENERATED if is_open(entry) else {"a decision"}
    if added or entry.action not in (SPECIFY_ACTION, Action.DEFAULT):
        return False
    named = entry.new_column
    return named in (None, entry.old_column, *PLACEHOLDERS) or f"'{named}'" in entry.description
