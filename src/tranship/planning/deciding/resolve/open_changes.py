"""Which questions the decisions resolve: one entry that names an old and a new column resolves both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from msgspec import Struct

from tranship.model.change import Change, ChangeClass, Comparison
from tranship.model.change_kind import ChangeKind
from tranship.model.names import ColumnRef, TableName
from tranship.model.resolution import Action, Answers, Resolution
from tranship.planning.deciding.resolve.words import PLACEHOLDERS

_FEEDING = (Action.RENAME, Action.TRANSFORM)
_FILLING = (Action.RENAME, Action.TRANSFORM, Action.DEFAULT)
_TABLES = (Action.RENAME_TABLE, Action.DROP_TABLE)
_IDS = (Action.EXISTING, Action.NEW_KEY)


class TableAnswers(Struct, frozen=True):
    """What the decided entries of one table answer, by column: a file may have 60,000 of them."""

    dropped: bool
    decided_as_a_whole: bool
    """The table is dropped or renamed."""
    ids_decided: bool
    """It is said which rows of NEW are meant, or OLD's rows get other ids."""
    ignored: frozenset[str]
    """Old columns that are ignored."""
    used: frozenset[str]
    """Old columns that feed a new one."""
    filled: Mapping[str, frozenset[str]]
    """By new column that is filled, the old columns that are renamed to it."""

    def names(self, old: str) -> bool:
        """Returns whether an old column is decided."""
        return old in self.ignored or old in self.used


def answers_of(deciding: Iterable[Resolution]) -> TableAnswers:
    """Returns what the decided entries of one table answer."""
    actions, ignored, used = set[str](), set[str](), set[str]()
    filled: dict[str, set[str]] = {}
    for entry in deciding:
        actions.add(entry.action)
        if entry.action == Action.IGNORE and entry.old_column is not None:
            ignored.add(entry.old_column)
        if entry.action in _FEEDING:
            used.update(entry.sources)
        if entry.action in _FILLING and entry.new_column is not None:
            renamed = entry.sources if entry.action == Action.RENAME else ()
            filled.setdefault(entry.new_column, set()).update(renamed)
    return TableAnswers(
        dropped=Action.DROP_TABLE in actions,
        decided_as_a_whole=not actions.isdisjoint(_TABLES),
        ids_decided=not actions.isdisjoint(_IDS),
        ignored=frozenset(ignored),
        used=frozenset(used),
        filled={column: frozenset(names) for column, names in filled.items()},
    )


_NO_ANSWERS = answers_of(())


def open_questions(comparison: Comparison, answers: Answers) -> tuple[Change, ...]:
    """Returns the breaking changes that no decision resolves.

    The comparison must have been made with the same answers.
    """
    entries: dict[str, list[Resolution]] = {}
    for decision in answers.decisions:
        flow = decision.flow or str(decision.old_table)
        entries.setdefault(flow, []).append(decision.resolution)
    by_table = {flow: answers_of(own) for flow, own in entries.items()}
    return tuple(
        change
        for change in comparison.of(ChangeClass.BREAKING)
        if not _resolves(by_table.get(change.table, _NO_ANSWERS), change)
    )


def left_behind(
    comparison: Comparison, answers: Answers
) -> tuple[tuple[ColumnRef, ...], tuple[TableName, ...]]:
    """Returns the old columns and tables that no decision speaks of and that its SQL may use."""
    tables = {pair.flow: pair.old for pair in comparison.matching.pairs}
    open_ = open_questions(comparison, answers)
    gone = [change for change in open_ if change.kind is ChangeKind.COLUMN_REMOVED]
    columns = [
        ColumnRef(tables[change.table], change.old_column)
        for change in gone
        if change.table in tables and change.old_column is not None
    ]
    open_tables = {change.table for change in open_ if change.old_column is None}
    return tuple(columns), tuple(name for name in comparison.matching.only_old if str(name) in open_tables)


def is_resolved(entry: Resolution, answers: TableAnswers) -> bool:
    """Returns whether other entries of the same table decide everything that an entry with placeholders asks
    about.
    """
    old = [name for name in entry.sources if name not in PLACEHOLDERS]
    new = entry.new_column if entry.new_column not in PLACEHOLDERS else None
    if not old and new is None:
        settled = answers.ids_decided if _asks_about_ids(entry) else answers.decided_as_a_whole
        return answers.dropped or settled
    answered = new is None or new in answers.filled or not answers.ignored.isdisjoint(old)
    return answered and all(answers.names(name) for name in old)


def _asks_about_ids(entry: Resolution) -> bool:
    """Returns whether an open entry asks which rows of NEW are meant, and not what becomes of a table: its
    suggestion alone says so.
    """
    suggested = json.loads(entry.source).get("_suggestion") if entry.source else None
    return isinstance(suggested, dict) and suggested.get("action") in _IDS


def _resolves(answers: TableAnswers, change: Change) -> bool:
    if answers.dropped:
        return True
    if change.kind is ChangeKind.IDS_DIFFER:
        # Which table gets the rows does not say which of its rows are meant.
        return False
    if change.old_column is None and change.new_column is None:
        return answers.decided_as_a_whole
    if change.old_column is not None and change.new_column is not None:
        return _resolves_both(
            answers, change.old_column, change.new_column, renames=change.conversion is None
        )
    if change.old_column is not None:
        return answers.names(change.old_column)
    return change.new_column in answers.filled


def _resolves_both(answers: TableAnswers, old: str, new: str, *, renames: bool) -> bool:
    """Returns whether the question about an old and a new column at once is resolved.

    A rename answers who feeds whom. It never answers a conversion that is breaking: ``renames`` says that the
    question is only about the name.
    """
    if new not in answers.filled:
        return old in answers.ignored
    return answers.names(old) and (renames or old not in answers.filled[new])
