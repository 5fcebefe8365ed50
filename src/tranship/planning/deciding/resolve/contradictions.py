"""Third stage: entries of one table against each other and against what happens by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tranship.errors.codes.entries import (
    Contradiction,
    DefaultOverData,
    IgnoredAndUsed,
    IgnoredTwice,
    RenamedTwice,
)
from tranship.errors.codes.entry_values import NothingFillsIt
from tranship.model.catalog import Table
from tranship.model.change import ColumnPair
from tranship.model.resolution import Action, Problem, Resolution
from tranship.planning.deciding.resolve.words import fed_by, problem

_FILLING = (Action.RENAME, Action.TRANSFORM, Action.DEFAULT)
_FEEDING = (Action.RENAME, Action.TRANSFORM)


def check_against_each_other(entries: Sequence[Resolution]) -> Iterator[Problem]:
    """Repeats and contradictions among the decided column entries of one table, each told at the later entry."""
    filled: dict[str, Resolution] = {}
    renamed: dict[str, Resolution] = {}
    ignored: dict[str, Resolution] = {}
    for entry in entries:
        if entry.action in _FILLING and entry.new_column is not None:
            first = filled.setdefault(entry.new_column, entry)
            if first is not entry:
                yield problem(entry, Contradiction(entry.new_column, first.path, first.action))
                continue
        if entry.action == Action.IGNORE and entry.old_column is not None:
            first = ignored.setdefault(entry.old_column, entry)
            if first is not entry:
                yield problem(entry, IgnoredTwice(entry.old_column, first.path))
        if entry.action == Action.RENAME and entry.old_column is not None:
            first = renamed.setdefault(entry.old_column, entry)
            if first is not entry:
                yield problem(entry, RenamedTwice(entry.old_column, first.path, first.new_column))
    for entry in entries:
        for name in fed_by(entry) if entry.action in _FEEDING else ():
            if name in ignored:
                yield problem(ignored[name], IgnoredAndUsed(name, entry.path, entry.action))


def check_against_the_rest(
    entries: Sequence[Resolution], asking: Sequence[Resolution], pairs: Sequence[ColumnPair], new: Table
) -> Iterator[Problem]:
    """Decided column entries of one table against the pairs that hold by themselves; ``asking`` are the entries that are still open.

    A default for a column whose namesake in OLD feeds another new column leaves nothing behind: it is taken at its word.
    """
    taken = {name for entry in entries if entry.action in _FEEDING for name in fed_by(entry)}
    ignored = {entry.old_column for entry in entries if entry.action == Action.IGNORE}
    spoken_for = {
        entry.new_column
        for entry in (*entries, *asking)
        if entry.new_column is not None and entry.action != Action.IGNORE
    }
    by_new: Mapping[str, ColumnPair] = {
        pair.new: pair for pair in pairs if pair.old not in taken and pair.old not in ignored
    }
    for entry in entries:
        filling = by_new.get(entry.new_column or "") if entry.action == Action.DEFAULT else None
        if filling is not None:
            yield problem(entry, DefaultOverData(filling.old, entry.new_column))
        if entry.action == Action.IGNORE:
            for pair in pairs:
                column = new.column(pair.new)
                left = pair.old == entry.old_column and pair.new not in spoken_for
                if left and column is not None and column.refuses_null and not column.filled_by_server:
                    yield problem(entry, NothingFillsIt(pair.old, pair.new))
