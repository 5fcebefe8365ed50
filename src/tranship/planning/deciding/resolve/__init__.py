"""From the entries of a resolutions file to answers, or every problem at once.

Lives here: the checks of a file in three stages: tables (which table a key means), columns and lookups (each
entry by itself), contradictions (entries against each other). Does not live here: values that only a server
can judge are listed (``casts``), and asked about in ``analysis``. Begin with ``decide`` below. Order of the
files: words → tables → flows → left_out → following → renamed → patterns → lookups → columns → item_name →
shapes → contradictions → open_changes → mentions → answered; casts and run_started stand alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from tranship.errors.codes.decisions import OpenQuestion
from tranship.errors.codes.entries import TablesLeaveItOut
from tranship.errors.codes.entry_values import NoCounterpart
from tranship.model.catalog import Catalog, Table
from tranship.model.change import Matching, TablePair
from tranship.model.names import Side, TableName
from tranship.model.resolution import (
    Action,
    Answers,
    Decision,
    ForAll,
    Problem,
    Resolution,
    ResolutionFile,
)
from tranship.model.statistics import NOTHING_KNOWN, Background
from tranship.planning.deciding.resolve.columns import Pair, check_meaning, check_names
from tranship.planning.deciding.resolve.contradictions import check_against_each_other, check_against_the_rest
from tranship.planning.deciding.resolve.flows import assigned, entries_by_flow, named_flows
from tranship.planning.deciding.resolve.following import Place, following
from tranship.planning.deciding.resolve.granted import granted_pairs
from tranship.planning.deciding.resolve.item_keys import keys_left_to_new
from tranship.planning.deciding.resolve.left_out import children_of_left_out
from tranship.planning.deciding.resolve.lookups import with_lookup_names
from tranship.planning.deciding.resolve.open_changes import answers_of, is_resolved, open_questions
from tranship.planning.deciding.resolve.patterns import Later, PatternEntries, with_patterns
from tranship.planning.deciding.resolve.shapes import check_shape
from tranship.planning.deciding.resolve.tables import TableEntries, table_decisions
from tranship.planning.deciding.resolve.words import (
    CONSTRAINT_ACTIONS,
    PLACEHOLDERS,
    ROW_ACTIONS,
    TABLE_ACTIONS,
    action_of,
    check_fields,
    empty_names,
    entry_path,
    is_open,
    plain,
    problem,
    renamed_key,
    unknown_action,
)
from tranship.planning.matching.match import Decided, NamedFlow, match
from tranship.planning.matching.scope import Scope
from tranship.planning.types.values import castable

__all__ = ["asked_about", "castable", "decide", "decided_pairs", "open_questions", "with_mistakes"]


def decide(
    file: ResolutionFile,
    old: Catalog,
    new: Catalog,
    scope: Scope,
    background: Background = NOTHING_KNOWN,
    read: Read | None = None,
) -> tuple[Answers, Decided, tuple[Problem, ...]]:
    """Returns the decisions that are right by themselves, what they decide for matching, and every problem.

    ``old`` has a table for the SELECT of each ``query`` (``with_queries``). Problems are warnings, open
    placeholders (TS330) and wrong entries. Nothing may run on the answers while a problem that is no warning
    is left. ``read``: the entries, where they are read already.
    """
    sides = old, new
    read = read or read_entries(file, sides, scope, background)
    entries = _patterned(file.for_all, read, sides, scope)
    pairs = {(pair.old, pair.name): pair for pair in read.matching.pairs}
    found = [*file.problems, *read.problems, *entries.problems]
    found += children_of_left_out(file, sides, scope, read.matching.pairs, entries.tables)
    rekeyed = following(entries.tables, read.matching.pairs, *sides)
    decisions: list[Decision] = []
    for one in entries.tables:
        pair = pairs.get(one.place)
        subject = _both_tables(one, pair, sides, scope, rekeyed)
        trouble = tuple(_check(one, subject, scope, read.decided))
        found += trouble
        wrong = {entry_path(problem) for problem in (*trouble, *read.problems) if not problem.warning}
        goes_to = pair.new if pair is not None else None
        for entry in _deciding(one):
            if entry.path not in wrong:
                target = read.targets.get(entry.path, goes_to)
                decisions.append(_decision(entry, one, target, sides))
    decided = _with_columns(read.decided, [*decisions, *entries.renamed], sides)
    return Answers(tuple(decisions)), decided, tuple(dict.fromkeys(found))


class _Subject(Struct, frozen=True):
    """What the entries of one flow are about."""

    pair: TablePair
    tables: Pair


class Read(Struct, frozen=True):
    """The entries of a file by flow, and what they say about tables."""

    flows: tuple[tuple[TableEntries, TablePair | None], ...]
    decided: Decided
    targets: Mapping[str, TableName]
    """The new table of each ``rename_table``, by the path of its entry."""
    matching: Matching
    problems: tuple[Problem, ...]
    granted: tuple[TablePair, ...] = ()
    """Where ``for_all`` asks: the pairs that there are once every proposed rename of a table is agreed to."""


def read_entries(
    file: ResolutionFile, sides: tuple[Catalog, Catalog], scope: Scope, background: Background
) -> Read:
    """Returns the entries with the pair of tables that each speaks of."""
    entries, problems = entries_by_flow(_plain_file(file), *sides, scope)
    decided, targets, wrong = table_decisions(entries, sides[1], scope)
    decided = replace(decided, flows=named_flows(entries))
    matching = match(*sides, scope, decided, background=background)
    flows, unclear = assigned(entries, matching, scope)
    granted = granted_pairs(file, (matching, decided), sides, scope, background)
    return Read(tuple(flows), decided, targets, matching, (*problems, *wrong, *unclear), granted)


def decided_pairs(
    file: ResolutionFile, sides: tuple[Catalog, Catalog], scope: Scope
) -> tuple[tuple[TableName, TableName], ...]:
    """Returns the old and new tables that the right ``rename_table`` entries of a file pair, whatever else
    is wrong in it.
    """
    entries, _ = entries_by_flow(_plain_file(file), *sides, scope)
    return table_decisions(entries, sides[1], scope)[0].tables


def _about_patterns(
    file: ResolutionFile,
    sides: tuple[Catalog, Catalog],
    scope: Scope,
    background: Background,
    read: Read | None,
) -> tuple[tuple[TableName, Resolution], ...]:
    """Returns what open entries of ``for_all`` and those with mistakes are about."""
    patterns = (*file.for_all, *file.misread_for_all)
    if not patterns:
        return ()
    found = _patterned(patterns, read or read_entries(file, sides, scope, background), sides, scope)
    return (*found.asked, *found.wrong)


def _patterned(
    patterns: Sequence[ForAll], read: Read, sides: tuple[Catalog, Catalog], scope: Scope
) -> PatternEntries:
    """Returns the entries of the flows with those of the patterns."""
    entries, matching = [one for one, _ in read.flows], read.matching
    unpaired = set(matching.only_old) - set(read.decided.dropped)
    later = Later(unpaired, read.granted, selected=scope.only is not None)
    return with_patterns(patterns, entries, matching.pairs, sides, later)


def asked_about(
    file: ResolutionFile,
    sides: tuple[Catalog, Catalog],
    scope: Scope,
    background: Background = NOTHING_KNOWN,
    wrong: AbstractSet[str] = frozenset(),
    read: Read | None = None,
) -> dict[tuple[str, Side, str], str]:
    """Returns what entries with placeholders ask about, with the entry's path; likewise what the entries of
    the paths ``wrong`` are about, which have mistakes, those that could be read only in part among them.

    A key is old table or the name of a flow, side and column; the column is empty for the table itself.
    """
    whole = replace(file, entries=(*file.entries, *file.misread))
    flows, _ = entries_by_flow(_plain_file(whole), *sides, scope)
    asking = [(one, e) for one in flows for e in one.entries if is_open(e) or e.path in wrong]
    of_flows = [(name, e) for one, e in asking for name in filter(None, (str(one.old.name), one.flow))]
    of_patterns = [
        (str(table), entry) for table, entry in _about_patterns(file, sides, scope, background, read)
    ]
    asked: dict[tuple[str, Side, str], str] = {}
    for table, entry in (*of_flows, *of_patterns):
        for side, name in _named_columns(entry) or [(Side.OLD, "")]:
            asked.setdefault((table, side, name), entry.path)
    return asked


def with_mistakes(problems: Iterable[Problem]) -> frozenset[str]:
    """Returns the paths of the entries that are wrong, not merely open: what they are about is not asked
    again beside their mistakes.
    """
    wrong = (one for one in problems if not one.warning and one.code != OpenQuestion.code)
    return frozenset(filter(None, map(entry_path, wrong)))


def _named_columns(entry: Resolution) -> list[tuple[Side, str]]:
    named = [(Side.OLD, name) for name in entry.sources] + [(Side.NEW, entry.new_column or "")]
    return [(side, name) for side, name in named if name and name not in PLACEHOLDERS]


def _plain_file(file: ResolutionFile) -> ResolutionFile:
    entries = ((*renamed_key(entry), plain(entry)) for entry in file.entries)
    return replace(file, entries=tuple(chain.from_iterable(entries)))


def _both_tables(
    one: TableEntries,
    pair: TablePair | None,
    sides: tuple[Catalog, Catalog],
    scope: Scope,
    rekeyed: Mapping[Place, frozenset[str]],
) -> _Subject | None:
    """Returns the tables that the entries of a flow are about; None where the table has no counterpart."""
    after = sides[1].table(pair.new) if pair is not None else None
    if pair is None or after is None:
        return None
    columns = rekeyed.get(one.place, frozenset())
    return _Subject(pair, Pair(one.old, after, *sides, scope.schema_pairs, columns))


def _check(one: TableEntries, subject: _Subject | None, scope: Scope, decided: Decided) -> Iterator[Problem]:
    """Yields what is wrong with the entries of one flow."""
    tables = subject.tables if subject is not None else None
    trouble = {entry.path: list(_check_entry(entry, one.old, tables)) for entry in one.entries}
    yield from chain.from_iterable(trouble.values())
    sound = [e for e in one.entries if all(problem.warning for problem in trouble[e.path])]
    asking = list(filter(is_open, one.entries))
    if subject is None:
        yield from _check_without_pair(one, sound, scope, decided)
    else:
        yield from _check_together(sound, asking, subject.pair, subject.tables)
    yield from _open(asking, sound)


def _check_together(
    sound: Sequence[Resolution], asking: Sequence[Resolution], pair: TablePair, tables: Pair
) -> Iterator[Problem]:
    """Yields what the entries of one flow say against each other, and against what holds by itself."""
    columns = list(filter(_decides_columns, sound))
    yield from check_against_each_other(columns)
    yield from check_against_the_rest(columns, asking, pair.columns, tables.new)
    yield from check_shape(list(filter(_decides_rows, sound)), columns, pair, tables)


def _check_without_pair(
    one: TableEntries, sound: Sequence[Resolution], scope: Scope, decided: Decided
) -> Iterator[Problem]:
    if not scope.includes(one.old.name):
        # What is said of columns left behind holds for the flows of the table that take part.
        driving = any(flow.old == one.old.name for flow in decided.flows)
        unused = [entry for entry in one.entries if entry.action != Action.IGNORE or not driving]
        yield from (problem(entry, TablesLeaveItOut()) for entry in unused[:1])
        return
    columns, others = list(filter(_decides_columns, sound)), list(filter(_decides_the_rest, sound))
    yield from check_against_each_other(columns)
    if not _is_decided_as_a_whole(one, decided) and not _is_asked_as_a_whole(one):
        # The first one says it for all.
        yield from (problem(entry, NoCounterpart(one.old.name)) for entry in [*columns, *others][:1])


def _decides_rows(entry: Resolution) -> bool:
    return not is_open(entry) and action_of(entry) in ROW_ACTIONS


def _decides_the_rest(entry: Resolution) -> bool:
    """Returns whether an entry decides something about the table of NEW that is no column of it."""
    return not is_open(entry) and action_of(entry) in (*ROW_ACTIONS, *CONSTRAINT_ACTIONS)


def _decides_columns(entry: Resolution) -> bool:
    other = (*TABLE_ACTIONS, *ROW_ACTIONS, *CONSTRAINT_ACTIONS)
    return not is_open(entry) and action_of(entry) not in other


def _check_entry(entry: Resolution, old: Table, tables: Pair | None) -> Iterator[Problem]:
    """Yields what is wrong with one entry by itself; ``tables`` is None for a table without a counterpart."""
    action = action_of(entry)
    if action is None and not is_open(entry):
        yield unknown_action(entry)
    empty = list(empty_names(entry))
    if empty:
        # What else could be said of such an entry would only follow from it.
        yield from empty
        return
    trouble = list(check_names(entry, old, None if tables is None else tables.new))
    if action is not None and not is_open(entry):
        trouble += check_fields(entry, action)
        # What an entry means can only be judged once its names and fields are right.
        if all(one.warning for one in trouble) and tables is not None:
            trouble += check_meaning(entry, action, tables)
    yield from trouble


def _is_decided_as_a_whole(one: TableEntries, decided: Decided) -> bool:
    """Returns whether the table is dropped or renamed, rightly or not: then that entry has the problem; or
    whether it drives flows of other names.
    """
    driving = {flow.old for flow in decided.flows}
    said = any(action_of(entry) in TABLE_ACTIONS for entry in one.entries)
    return said or one.old.name in (*decided.dropped, *driving)


def _is_asked_as_a_whole(one: TableEntries) -> bool:
    """Returns whether an entry asks what becomes of the table: what is said of its columns waits for that."""
    return any(is_open(entry) and not _named_columns(entry) for entry in one.entries)


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
    entry: Resolution, one: TableEntries, new_table: TableName | None, sides: tuple[Catalog, Catalog]
) -> Decision:
    return Decision(
        action=Action(entry.action),
        old_table=one.old.name,
        new_table=new_table,
        resolution=with_lookup_names(entry, *sides),
        flow=one.flow,
    )


def _with_columns(decided: Decided, decisions: Sequence[Decision], sides: tuple[Catalog, Catalog]) -> Decided:
    """Returns what the column decisions say about correspondence.

    A rename uses its old column up; a transform does not.
    """
    by_flow: dict[str, list[Decision]] = {}
    for decision in decisions:
        by_flow.setdefault(decision.flow, []).append(decision)
    columns, gone, filled = _about_columns(by_flow.get("", []), sides)
    flows = [_flow_with_columns(flow, by_flow.get(flow.name, []), sides) for flow in decided.flows]
    return replace(decided, columns=columns, resolved_old=gone, resolved_new=filled, flows=tuple(flows))


def _flow_with_columns(
    flow: NamedFlow, decisions: Sequence[Decision], sides: tuple[Catalog, Catalog]
) -> NamedFlow:
    columns, gone, filled = _about_columns(decisions, sides)
    return replace(
        flow,
        columns=tuple((old, new) for _, old, new in columns),
        resolved_old=tuple(name for _, name in gone),
        resolved_new=tuple(name for _, name in filled),
    )


def _about_columns(
    decisions: Sequence[Decision], sides: tuple[Catalog, Catalog]
) -> tuple[
    tuple[tuple[TableName, str, str], ...],
    tuple[tuple[TableName, str], ...],
    tuple[tuple[TableName, str], ...],
]:
    """Returns the pairs of columns, the old columns that are used up, and the new ones that no old column
    fills, each with the old table.
    """
    pairs: list[tuple[TableName, str, str]] = []
    gone: list[tuple[TableName, str]] = []
    filled = list(keys_left_to_new(decisions, *sides))
    for decision in decisions:
        entry, table = decision.resolution, decision.old_table
        names = entry.sources
        if decision.action in (Action.RENAME, Action.TRANSFORM) and entry.new_column is not None:
            pairs += [(table, name, entry.new_column) for name in names[:1]]
        if decision.action in (Action.RENAME, Action.IGNORE):
            gone += [(table, name) for name in names]
        if entry.new_column is not None and (decision.action is Action.DEFAULT or not names):
            filled.append((table, entry.new_column))
    return tuple(pairs), tuple(gone), tuple(filled)
