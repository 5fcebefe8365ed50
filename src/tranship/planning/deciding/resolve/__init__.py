"""From the entries of a resolutions file to answers, or every problem at once.

Lives here: the checks of a file in three stages: tables (which table a key means), columns and lookups (each
entry by itself), contradictions (entries against each other). Does not live here: values that only a server
can judge are listed (``casts``), and asked about in ``analysis``. Begin with ``decide`` below. Order of the
files: words → tables → patterns → lookups → columns → contradictions → open_changes; casts stands alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from tranship.errors.codes.decisions import OpenQuestion
from tranship.errors.codes.entry_values import NoCounterpart
from tranship.model.catalog import Catalog, Table
from tranship.model.change import TablePair
from tranship.model.names import Side, TableName
from tranship.model.resolution import Action, Answers, Decision, Problem, Resolution, ResolutionFile
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.planning.deciding.resolve.columns import Pair, check_meaning, check_names
from tranship.planning.deciding.resolve.contradictions import check_against_each_other, check_against_the_rest
from tranship.planning.deciding.resolve.lookups import with_lookup_names
from tranship.planning.deciding.resolve.open_changes import answers_of, is_resolved, open_questions
from tranship.planning.deciding.resolve.patterns import PatternEntries, with_patterns
from tranship.planning.deciding.resolve.tables import TableEntries, entries_by_table, table_decisions
from tranship.planning.deciding.resolve.words import (
    PLACEHOLDERS,
    action_of,
    check_fields,
    entry_path,
    is_open,
    plain,
    problem,
    unknown_action,
)
from tranship.planning.matching.match import Decided, match
from tranship.planning.matching.scope import Scope
from tranship.planning.types.values import castable

__all__ = ["asked_about", "castable", "decide", "open_questions"]

_TABLE_ACTIONS = (Action.RENAME_TABLE, Action.DROP_TABLE)


def decide(
    file: ResolutionFile, old: Catalog, new: Catalog, scope: Scope, background: Background = NOTHING_KNOWN
) -> tuple[Answers, Decided, tuple[Problem, ...]]:
    """Returns the decisions that are right by themselves, what they decide for matching, and every problem.

    Problems are warnings, open placeholders (TS330) and wrong entries. Nothing may run on the answers while a
    problem that is no warning is left.
    """
    tables, problems = entries_by_table(_plain_file(file), old, new, scope)
    decided, targets, wrong_tables = table_decisions(tables, new, scope)
    pairs = {pair.old: pair for pair in match(old, new, scope, decided, background=background).pairs}
    entries = with_patterns(file.for_all, tables, pairs.values(), old, new)
    found = [*file.problems, *problems, *wrong_tables, *entries.problems]
    decisions: list[Decision] = []
    for one in entries.tables:
        pair = pairs.get(one.old.name)
        trouble = tuple(_check(one, pair, old, new, scope, decided))
        found += trouble
        wrong = {entry_path(problem) for problem in (*trouble, *wrong_tables) if not problem.warning}
        goes_to = pair.new if pair is not None else None
        for entry in _deciding(one):
            if entry.path not in wrong:
                target = targets.get(entry.path, goes_to)
                decisions.append(_decision(entry, one.old.name, target, old, new))
    return Answers(tuple(decisions)), _with_columns(decided, decisions), tuple(dict.fromkeys(found))


def asked_by_patterns(
    file: ResolutionFile, old: Catalog, new: Catalog, scope: Scope, background: Background = NOTHING_KNOWN
) -> tuple[tuple[TableName, Resolution], ...]:
    """Returns what the open entries of ``for_all`` ask about, as open entries of the old tables."""
    tables, _ = entries_by_table(_plain_file(file), old, new, scope)
    return _entries_with_patterns(file, tables, (old, new), scope, background).asked


def _entries_with_patterns(
    file: ResolutionFile,
    tables: Sequence[TableEntries],
    sides: tuple[Catalog, Catalog],
    scope: Scope,
    background: Background,
) -> PatternEntries:
    if not file.for_all:
        return PatternEntries(tuple(tables))
    decided, _, _ = table_decisions(tables, sides[1], scope)
    pairs = match(*sides, scope, decided, background=background).pairs
    return with_patterns(file.for_all, tables, pairs, *sides)


def asked_about(
    file: ResolutionFile, old: Catalog, new: Catalog, scope: Scope, background: Background = NOTHING_KNOWN
) -> dict[tuple[str, Side, str], str]:
    """Returns what entries with placeholders ask about, with the entry's path.

    A key is old table, side and column; the column is empty for the table itself.
    """
    tables, _ = entries_by_table(_plain_file(file), old, new, scope)
    of_tables = [(one.old.name, entry) for one in tables for entry in filter(is_open, one.entries)]
    of_patterns = _entries_with_patterns(file, tables, (old, new), scope, background).asked
    asked: dict[tuple[str, Side, str], str] = {}
    for table, entry in (*of_tables, *of_patterns):
        for side, name in _named_columns(entry) or [(Side.OLD, "")]:
            asked.setdefault((str(table), side, name), entry.path)
    return asked


def _named_columns(entry: Resolution) -> list[tuple[Side, str]]:
    named = [(Side.OLD, name) for name in entry.sources] + [(Side.NEW, entry.new_column or "")]
    return [(side, name) for side, name in named if name and name not in PLACEHOLDERS]


def _plain_file(file: ResolutionFile) -> ResolutionFile:
    return replace(file, entries=tuple(plain(entry) for entry in file.entries))


def _check(
    one: TableEntries, pair: TablePair | None, old: Catalog, new: Catalog, scope: Scope, decided: Decided
) -> Iterator[Problem]:
    after = new.table(pair.new) if pair is not None else None
    tables = None if after is None else Pair(one.old, after, old, new, scope.schema_pairs)
    sound: list[Resolution] = []
    for entry in one.entries:
        trouble = list(_check_entry(entry, one.old, tables))
        yield from trouble
        if all(problem.warning for problem in trouble):
            sound.append(entry)
    decided_columns = [entry for entry in sound if _decides_columns(entry)]
    asking = list(filter(is_open, one.entries))
    yield from check_against_each_other(decided_columns)
    if pair is not None and after is not None:
        yield from check_against_the_rest(decided_columns, asking, pair.columns, after)
    elif decided_columns and not _is_decided_as_a_whole(one, decided):
        yield problem(decided_columns[0], NoCounterpart(one.old.name))
    yield from _open(asking, sound)


def _decides_columns(entry: Resolution) -> bool:
    return not is_open(entry) and action_of(entry) not in _TABLE_ACTIONS


def _check_entry(entry: Resolution, old: Table, tables: Pair | None) -> Iterator[Problem]:
    """Yields what is wrong with one entry by itself; ``tables`` is None for a table without a counterpart."""
    action = action_of(entry)
    if action is None and not is_open(entry):
        yield unknown_action(entry)
    trouble = list(check_names(entry, old, None if tables is None else tables.new))
    if action is not None and not is_open(entry):
        trouble += check_fields(entry, action)
        # What an entry means can only be judged once its names and fields are right.
        if not trouble and tables is not None:
            trouble += check_meaning(entry, action, tables)
    yield from trouble


def _is_decided_as_a_whole(one: TableEntries, decided: Decided) -> bool:
    """Returns whether the table is dropped or renamed, rightly or not: then that entry has the problem."""
    return one.old.name in decided.dropped or any(action_of(e) in _TABLE_ACTIONS for e in one.entries)


def _open(asking: Sequence[Resolution], sound: Sequence[Resolution]) -> Iterator[Problem]:
    """Yields a problem for each entry with placeholders that no other entry resolves."""
    answers = answers_of(entry for entry in sound if not is_open(entry))
    for entry in asking:
        if not is_resolved(entry, answers):
            yield problem(entry, OpenQuestion(_question(entry)))


def _question(entry: Resolution) -> str:
    action = action_of(entry)
    if action is Action.DEFAULT:
        return f"which default_value for {entry.new_column!r}?"
    names = " → ".join(repr(name) for name in (", ".join(entry.sources), entry.new_column or "") if name)
    return f"{entry.description or names or 'what becomes of this table?'}"


def _deciding(one: TableEntries) -> list[Resolution]:
    return [entry for entry in one.entries if action_of(entry) is not None and not is_open(entry)]


def _decision(
    entry: Resolution, old_table: TableName, new_table: TableName | None, old: Catalog, new: Catalog
) -> Decision:
    return Decision(
        action=Action(entry.action),
        old_table=old_table,
        new_table=new_table,
        resolution=with_lookup_names(entry, old, new),
    )


def _with_columns(decided: Decided, decisions: Sequence[Decision]) -> Decided:
    """Returns what the column decisions say about correspondence.

    A rename uses its old column up; a transform does not.
    """
    pairs: list[tuple[TableName, str, str]] = []
    gone: list[tuple[TableName, str]] = []
    filled: list[tuple[TableName, str]] = []
    for decision in decisions:
        entry, table = decision.resolution, decision.old_table
        names = entry.sources
        if decision.action in (Action.RENAME, Action.TRANSFORM) and entry.new_column is not None:
            pairs += [(table, name, entry.new_column) for name in names[:1]]
        if decision.action in (Action.RENAME, Action.IGNORE):
            gone += [(table, name) for name in names]
        if decision.action is Action.DEFAULT and entry.new_column is not None:
            filled.append((table, entry.new_column))
    return replace(decided, columns=tuple(pairs), resolved_old=tuple(gone), resolved_new=tuple(filled))
