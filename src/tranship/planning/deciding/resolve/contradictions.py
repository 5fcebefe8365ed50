"""Third stage: the entries of one table against each other and against the pairs that hold by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

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
from tranship.planning.deciding.resolve.words import problem

_FILLING = (Action.RENAME, Action.TRANSFORM, Action.DEFAULT)
_FEEDING = (Action.RENAME, Action.TRANSFORM)


def check_against_each_other(entries: Sequence[Resolution]) -> Iterator[Problem]:
    """Yields the repetitions and contradictions among the decided column entries of one table.

    Each is a problem of the later entry.
    """
    firsts = _Firsts({}, {}, {})
    for entry in entries:
        yield from firsts.check(entry)
    feeding = [entry for entry in entries if entry.action in _FEEDING]
    for entry in feeding:
        for name in entry.sources:
            if name in firsts.ignored:
                yield problem(firsts.ignored[name], IgnoredAndUsed(name, entry.path, entry.action))


class _Firsts(Struct):
    """The first entry that fills a new column, renames an old one, or ignores one."""

    filled: dict[str, Resolution]
    renamed: dict[str, Resolution]
    ignored: dict[str, Resolution]

    def check(self, entry: Resolution) -> Iterator[Problem]:
        """Yields a problem when an earlier entry decided the same."""
        if entry.action in _FILLING and entry.new_column is not None:
            first = self.filled.setdefault(entry.new_column, entry)
            if first is not entry:
                # It contradicts as a whole: what it says about its old column is not looked at.
                yield problem(entry, Contradiction(entry.new_column, first.path, first.action))
                return
        if entry.old_column is None:
            return
        if entry.action == Action.IGNORE:
            first = self.ignored.setdefault(entry.old_column, entry)
            if first is not entry:
                yield problem(entry, IgnoredTwice(entry.old_column, first.path))
        elif entry.action == Action.RENAME:
            first = self.renamed.setdefault(entry.old_column, entry)
            if first is not entry:
                yield problem(entry, RenamedTwice(entry.old_column, first.path, first.new_column))


def check_against_the_rest(
    entries: Sequence[Resolution], asking: Sequence[Resolution], pairs: Sequence[ColumnPair], new: Table
) -> Iterator[Problem]:
    """Yields the contradictions of decided column entries with the pairs that hold by themselves.

    ``asking`` are the entries that are still open. A default for a column whose namesake in OLD feeds another
    new column leaves nothing behind, and is no contradiction.
    """
    left = _left_to_themselves(entries, pairs)
    named = _named_new_columns((*entries, *asking))
    for entry in entries:
        filling = left.get(entry.new_column or "")
        if entry.action == Action.DEFAULT and filling is not None:
            yield problem(entry, DefaultOverData(filling.old, entry.new_column))
        elif entry.action == Action.IGNORE:
            for pair in pairs:
                unfilled = pair.old == entry.old_column and pair.new not in named
                if unfilled and _needs_filling(new, pair.new):
                    yield problem(entry, NothingFillsIt(pair.old, pair.new))


def _left_to_themselves(entries: Sequence[Resolution], pairs: Sequence[ColumnPair]) -> dict[str, ColumnPair]:
    """Returns, by new column, the pairs whose old column no entry feeds elsewhere or ignores."""
    used: set[str | None] = set()
    for entry in entries:
        if entry.action in _FEEDING:
            used.update(entry.sources)
        elif entry.action == Action.IGNORE:
            used.add(entry.old_column)
    return {pair.new: pair for pair in pairs if pair.old not in used}


def _named_new_columns(entries: Iterable[Resolution]) -> set[str | None]:
    """Returns the new columns that an entry fills or asks about; an ignored one has a placeholder there at
    most.
    """
    return {entry.new_column for entry in entries if entry.action != Action.IGNORE}


def _needs_filling(table: Table, name: str) -> bool:
    column = table.column(name)
    return column is not None and column.refuses_null and not column.filled_by_server
