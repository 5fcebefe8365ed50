"""From the entries of a resolutions file to answers, or every problem at once. Pure.

The stages: tables (which table a key means), columns and lookups (each entry by itself), contradictions (entries against each other).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from tranship.errors.codes.decisions import OpenQuestion
from tranship.errors.codes.entry_values import NoCounterpart
from tranship.model.catalog import Catalog
from tranship.model.change import TablePair
from tranship.model.names import Side, TableName
from tranship.model.resolution import Action, Answers, Decision, Problem, Resolution, ResolutionFile
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.planning.deciding.resolve.columns import Pair, check_meaning, check_names
from tranship.planning.deciding.resolve.contradictions import check_against_each_other, check_against_the_rest
from tranship.planning.deciding.resolve.lookups import tied as tie_lookup
from tranship.planning.deciding.resolve.settle import is_settled, open_questions
from tranship.planning.deciding.resolve.tables import Tied, table_decisions, tie_tables
from tranship.planning.deciding.resolve.words import (
    PLACEHOLDERS,
    action_of,
    check_fields,
    fed_by,
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
    """Tie, check and compare all entries.

    Returns the decisions that are right by themselves, what they decide for matching, and every problem found: warnings, open placeholders
    (TS330) and wrong entries. Nothing may run on the answers while a problem that is no warning is left.
    """
    file = replace(file, entries=tuple(plain(entry) for entry in file.entries))
    tied, problems = tie_tables(file, old, new, scope)
    decided, targets, trouble = table_decisions(tied, new, scope)
    found = [*file.problems, *problems, *trouble]
    pairs = {pair.old: pair for pair in match(old, new, scope, decided, background=background).pairs}
    decisions: list[Decision] = []
    for one in tied:
        pair = pairs.get(one.old.name)
        told = tuple(_check(one, pair, old, new, scope, decided))
        found += told
        wrong = [p.object for p in (*told, *trouble) if not p.warning]
        sound = [
            entry
            for entry in _deciding(one)
            if not any(object.startswith(f"{entry.path} ") for object in wrong)
        ]
        goes_to = pair.new if pair is not None else None
        decisions += [
            _decision(entry, one.old.name, targets.get(entry.path, goes_to), old, new) for entry in sound
        ]
    return Answers(tuple(decisions)), _with_columns(decided, decisions), tuple(dict.fromkeys(found))


def asked_about(
    file: ResolutionFile, old: Catalog, new: Catalog, scope: Scope
) -> dict[tuple[str, Side, str], str]:
    """What entries with placeholders ask about: old table, side and column ("" for the table itself), with the entry's path."""
    tied, _ = tie_tables(
        replace(file, entries=tuple(plain(entry) for entry in file.entries)), old, new, scope
    )
    asked: dict[tuple[str, Side, str], str] = {}
    for one in tied:
        for entry in filter(is_open, one.entries):
            named = [(Side.OLD, name) for name in fed_by(entry)] + [(Side.NEW, entry.new_column or "")]
            columns = [(side, name) for side, name in named if name and name not in PLACEHOLDERS]
            for side, name in columns or [(Side.OLD, "")]:
                asked.setdefault((str(one.old.name), side, name), entry.path)
    return asked


def _check(
    one: Tied, pair: TablePair | None, old: Catalog, new: Catalog, scope: Scope, decided: Decided
) -> Iterator[Problem]:
    after = new.table(pair.new) if pair is not None else None
    sound: list[Resolution] = []
    for entry in one.entries:
        action = action_of(entry)
        if action is None and not is_open(entry):
            yield unknown_action(entry)
            yield from check_names(entry, one.old, after)
            continue
        troubles = list(check_names(entry, one.old, after))
        if action is not None and not is_open(entry):
            troubles += check_fields(entry, action)
            if not troubles and after is not None:
                troubles += check_meaning(entry, action, Pair(one.old, after, old, new, scope.schema_pairs))
        yield from troubles
        if not any(not trouble.warning for trouble in troubles):
            sound.append(entry)
    deciding = [entry for entry in sound if not is_open(entry) and action_of(entry) not in _TABLE_ACTIONS]
    asking = [entry for entry in one.entries if is_open(entry)]
    yield from check_against_each_other(deciding)
    if after is not None and pair is not None:
        yield from check_against_the_rest(deciding, asking, pair.columns, after)
    elif (
        deciding
        and one.old.name not in decided.dropped
        and not any(action_of(e) in _TABLE_ACTIONS for e in one.entries)
    ):
        yield problem(deciding[0], NoCounterpart(one.old.name))
    yield from _open(asking, sound)


def _open(asking: Sequence[Resolution], sound: Sequence[Resolution]) -> Iterator[Problem]:
    """The placeholders that no other entry settles."""
    deciding = [entry for entry in sound if not is_open(entry)]
    for entry in asking:
        if not is_settled(entry, deciding):
            yield problem(entry, OpenQuestion(_question(entry)))


def _question(entry: Resolution) -> str:
    action = action_of(entry)
    if action is Action.DEFAULT:
        return f"which default_value for {entry.new_column!r}?"
    names = " → ".join(repr(name) for name in (", ".join(fed_by(entry)), entry.new_column or "") if name)
    return f"{entry.description or names or 'what becomes of this table?'}"


def _deciding(one: Tied) -> list[Resolution]:
    return [entry for entry in one.entries if action_of(entry) is not None and not is_open(entry)]


def _decision(
    entry: Resolution, old_table: TableName, new_table: TableName | None, old: Catalog, new: Catalog
) -> Decision:
    return Decision(
        action=Action(entry.action),
        old_table=old_table,
        new_table=new_table,
        resolution=tie_lookup(entry, old, new),
    )


def _with_columns(decided: Decided, decisions: Sequence[Decision]) -> Decided:
    """What the column decisions say about correspondence; a transform does not use its old column up, a rename does."""
    pairs: list[tuple[TableName, str, str]] = []
    gone: list[tuple[TableName, str]] = []
    filled: list[tuple[TableName, str]] = []
    for decision in decisions:
        entry, table = decision.resolution, decision.old_table
        names = fed_by(entry)
        if decision.action in (Action.RENAME, Action.TRANSFORM) and entry.new_column is not None:
            pairs += [(table, name, entry.new_column) for name in names[:1]]
        if decision.action in (Action.RENAME, Action.IGNORE):
            gone += [(table, name) for name in names]
        if decision.action is Action.DEFAULT and entry.new_column is not None:
            filled.append((table, entry.new_column))
    return replace(decided, columns=tuple(pairs), resolved_old=tuple(gone), resolved_new=tuple(filled))
