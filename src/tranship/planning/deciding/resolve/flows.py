"""First stage, keys that name a flow: ``"members -> profiles"`` speaks of one flow, and makes it where the
comparison found none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from tranship.errors.codes.entries import (
    NameTheFlow,
    NoTarget,
    QueryNeedsFlow,
    TableActionOfFlow,
    TablesLeaveItOut,
    TargetOutOfScope,
)
from tranship.model.catalog import Catalog, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import Matching, TablePair
from tranship.model.names import TableName
from tranship.model.resolution import Action, Problem, Resolution, ResolutionFile
from tranship.planning.deciding.resolve.tables import (
    TableEntries,
    entries_by_key,
    table_key,
    the_table,
    unknown_table,
    unknown_target,
    unmovable,
)
from tranship.planning.deciding.resolve.words import TABLE_ACTIONS, action_of, problem
from tranship.planning.matching.match import NamedFlow
from tranship.planning.matching.scope import HOLDS_ROWS, KIND_WORDS, Scope

_ARROW = re.compile(r"\s*(?:->|→)\s*")
ARROW = " -> "
"""How the name of a flow is written."""


def entries_by_flow(
    file: ResolutionFile, old: Catalog, new: Catalog, scope: Scope
) -> tuple[tuple[TableEntries, ...], tuple[Problem, ...]]:
    """Returns the entries by flow, in the catalog's order of the old tables, and a problem for each key that
    names no table of the run.
    """
    found: dict[tuple[TableName, str], TableEntries] = {}
    problems: list[Problem] = []
    said = entries_by_key(file)
    bare = {one.table: [one] for one in file.bare_keys if is_flow(one.table)}
    for key, entries in (said | bare).items():
        if the_table(old, key) is None and is_flow(key):
            wrong, one = _named(key, entries, (old, new), scope)
        else:
            wrong, one = _plain(key, entries, (old, new), scope)
        problems += wrong
        if one is not None:
            # A key without an entry makes a flow, and says nothing about it.
            one = one if key in said else replace(one, entries=())
            earlier = found.get(one.place)
            found[one.place] = earlier.with_more(one.entries) if earlier is not None else one
    line = {table.name: n for n, table in enumerate(old.tables)}
    # The output of a SELECT is no table of the catalog, and comes last.
    places = sorted(found, key=lambda place: (line.get(place[0], len(line)), place[1]))
    return tuple(found[place] for place in places), tuple(problems)


def named_flows(entries: Sequence[TableEntries]) -> tuple[NamedFlow, ...]:
    """Returns the flows that keys name, without what their entries say about columns."""
    return tuple(NamedFlow(one.old.name, one.new, one.flow) for one in entries if one.new is not None)


def assigned(
    entries: Sequence[TableEntries], matching: Matching, scope: Scope
) -> tuple[list[tuple[TableEntries, TablePair | None]], list[Problem]]:
    """Returns the entries with the pair of tables that each speaks of; None: the comparison found none.

    A key that names the pair that was found speaks of that one; an old table's key speaks of the pair that
    was found, and where there is none of the only flow that a person named.
    """
    by_table: dict[TableName, dict[str, TablePair]] = {}
    for pair in matching.pairs:
        by_table.setdefault(pair.old, {})[pair.name] = pair
    found: dict[tuple[TableName, str], tuple[TableEntries, TablePair | None]] = {}
    problems: list[Problem] = []
    for one in entries:
        pairs = by_table.get(one.old.name, {})
        # The pair that an old table's key speaks of may take no part: the others are not meant then.
        outside = not one.flow and "" not in pairs and not scope.includes(one.old.name)
        meant, trouble = (None, []) if outside else _meant_pair(one, pairs)
        problems += trouble
        spoken = replace(one, flow=meant.name if meant is not None else one.flow)
        earlier = found.get(spoken.place)
        found[spoken.place] = (earlier[0].with_more(one.entries) if earlier is not None else spoken, meant)
    return list(found.values()), problems


def _meant_pair(one: TableEntries, pairs: Mapping[str, TablePair]) -> tuple[TablePair | None, list[Problem]]:
    """Returns the pair of which entries speak, among those of their old table by name."""
    pair = pairs.get(one.flow, pairs.get(""))
    if pair is not None or len(pairs) == 1:
        return pair or next(iter(pairs.values())), []
    about_one = [entry for entry in one.entries if entry.action != Action.IGNORE] if pairs else []
    return None, [problem(entry, NameTheFlow(tuple(pairs))) for entry in about_one]


def place_of(key: str, old: Catalog, new: Catalog) -> tuple[TableName, str] | None:
    """Returns the old table of a key and the name of the flow that it names, if any; None where it names no
    table.
    """
    table = the_table(old, key)
    if table is not None or not is_flow(key):
        return (table.name, "") if table is not None else None
    left, right = _meant(key, old, new)
    target = the_table(new, right)
    if target is None:
        return None
    query = old.table(query_table_name(flow_name(left, target, new)))
    if query is not None:
        return query.name, flow_name(left, target, new)
    driving = the_table(old, left)
    return (driving.name, flow_name(table_key(driving.name, old), target, new)) if driving else None


def is_flow(key: str) -> bool:
    """Returns whether a key of the file is written as the name of a flow."""
    return _ARROW.search(key) is not None


def queries(file: ResolutionFile, new: Catalog) -> Iterator[tuple[TableName, Resolution]]:
    """Yields the ``query`` of each flow that has one, with the name under which its output stands for an old
    table.
    """
    for key, entries in entries_by_key(file).items():
        query = next((entry for entry in entries if action_of(entry) is Action.QUERY), None)
        target = next((found for _, right in _splits(key) if (found := the_table(new, right))), None)
        if query is not None and target is not None:
            yield query_table_name(flow_name(_left_of(key, target, new), target, new)), query


def with_queries(file: ResolutionFile, old: Catalog, new: Catalog) -> Catalog:
    """Returns OLD's catalog with a table for each ``query`` whose output columns nobody has asked for yet."""
    missing = [name for name, _ in queries(file, new) if old.table(name) is None]
    if not missing:
        return old
    blank = tuple(Table(name, RelationKind.QUERY) for name in dict.fromkeys(missing))
    return replace(old, outside=(*old.outside, *blank))


def flow_name(left: str, new: Table, catalog: Catalog) -> str:
    """Returns the name of a flow, in the one form that it has whatever a key of the file looks like."""
    return f"{left}{ARROW}{table_key(new.name, catalog)}"


def query_table_name(flow: str) -> TableName:
    """Returns the name under which the output of a flow's SELECT stands for an old table.

    No schema of a server has an empty name.
    """
    return TableName("", flow)


def _splits(key: str) -> Iterator[tuple[str, str]]:
    """Yields what may stand on both sides of the arrow: the name of a table may hold one, too."""
    for arrow in _ARROW.finditer(key):
        yield key[: arrow.start()], key[arrow.end() :]


def _left_of(key: str, target: Table, new: Catalog) -> str:
    return next(left for left, right in _splits(key) if the_table(new, right) is target)


def _plain(
    key: str, entries: Sequence[Resolution], sides: tuple[Catalog, Catalog], scope: Scope
) -> tuple[list[Problem], TableEntries | None]:
    """Returns the entries of a key that names an old table, or what is wrong with the key."""
    old, new = sides
    wrong = [problem(e, QueryNeedsFlow(e.table)) for e in entries if action_of(e) is Action.QUERY]
    table = the_table(old, key)
    if table is None:
        return [*wrong, unknown_table(entries[0], old, new)], None
    unfit = unmovable(entries[0], table, old, scope)
    if unfit is not None:
        return [*wrong, unfit], None
    return wrong, TableEntries(table, tuple(entries))


def _named(
    key: str, entries: Sequence[Resolution], sides: tuple[Catalog, Catalog], scope: Scope
) -> tuple[list[Problem], TableEntries | None]:
    """Returns the entries of a key that names a flow, or what is wrong with the key."""
    old, new = sides
    left, right = _meant(key, old, new)
    target, first = the_table(new, right), entries[0]
    wrong = [problem(e, TableActionOfFlow(e.action, left)) for e in entries if action_of(e) in TABLE_ACTIONS]
    wrong += [unknown_target(first, right, new)] if target is None else _no_target(first, target, new)
    selects = any(action_of(entry) is Action.QUERY for entry in entries)
    if not selects:
        wrong += _no_driver(first, left, sides, scope)
    if target is None or wrong:
        return wrong, None
    table, name = _query_table(left, target, sides) if selects else _driving_table(left, target, sides)
    source = TableName("", left) if selects else table.name
    if not scope.includes_flow(source, target.name):
        return [problem(first, TablesLeaveItOut())], None
    return [], TableEntries(table, tuple(entries), name, target.name)


def _query_table(left: str, target: Table, sides: tuple[Catalog, Catalog]) -> tuple[Table, str]:
    """Returns what stands for the output of a flow's SELECT, and the flow's name."""
    name = flow_name(left, target, sides[1])
    table = sides[0].table(query_table_name(name))
    if table is None:
        raise ValueError(f"{name} is not in the catalog")
    return table, name


def _driving_table(left: str, target: Table, sides: tuple[Catalog, Catalog]) -> tuple[Table, str]:
    """Returns the old table that drives a flow, and the flow's name."""
    table = the_table(sides[0], left)
    if table is None:
        raise ValueError(f"{left} is not in the catalog")
    return table, flow_name(table_key(table.name, sides[0]), target, sides[1])


def _no_driver(
    entry: Resolution, written: str, sides: tuple[Catalog, Catalog], scope: Scope
) -> list[Problem]:
    """Returns why a name means no table of OLD that can drive a flow; empty where it does."""
    table = the_table(sides[0], written)
    if table is None:
        return [unknown_table(replace(entry, table=written), *sides)]
    unfit = unmovable(entry, table, sides[0], replace(scope, tables=None))
    return [unfit] if unfit is not None else []


def _meant(key: str, old: Catalog, new: Catalog) -> tuple[str, str]:
    """Returns both sides of the arrow; of several arrows the one between two tables counts."""
    splits = list(_splits(key))
    both = [one for one in splits if the_table(old, one[0]) and the_table(new, one[1])]
    return (both or [one for one in splits if the_table(new, one[1])] or splits)[0]


def _no_target(entry: Resolution, table: Table, new: Catalog) -> list[Problem]:
    """Returns why the rows of a flow cannot go to a table of NEW; empty where they can."""
    if table.extension is not None:
        return [problem(entry, NoTarget(table.name, f"part of the extension {table.extension}"))]
    if table.kind not in HOLDS_ROWS:
        return [problem(entry, NoTarget(table.name, KIND_WORDS.get(table.kind, "no table")))]
    if table.name.schema not in new.schemas:
        return [problem(entry, TargetOutOfScope(table.name))]
    return []
