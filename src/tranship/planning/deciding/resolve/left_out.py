"""Entries about a table that takes no part in this run, by which rows of another table, which takes part,
would change: they would keep what they refer to, without a word.

Where NEW has the foreign key, it decides about such rows, and parents that a run leaves out are compared. New
values of keys are the exception: a row of NEW may have the old key of another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.errors.codes.shapes import ChildOfLeftOut
from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.change import TablePair
from tranship.model.names import TableName
from tranship.model.references import references
from tranship.model.resolution import Action, Problem, Resolution, ResolutionFile
from tranship.model.shape import Children
from tranship.planning.deciding.resolve.tables import TableEntries, entries_by_key, the_table
from tranship.planning.deciding.resolve.words import action_of, is_open, problem
from tranship.planning.matching.scope import Scope

_SAYS = (Action.TRANSFORM, Action.DEFAULT)


def children_of_left_out(
    file: ResolutionFile,
    sides: tuple[Catalog, Catalog],
    scope: Scope,
    pairs: Sequence[TablePair],
    decided: Sequence[TableEntries],
) -> Iterator[Problem]:
    """Yields a problem for each entry about a table that the configuration leaves out, by which references of
    a table that takes part would change; ``decided`` are the entries about flows that take part.
    """
    old, new = sides
    moved = {pair.old for pair in pairs}
    for key, entries in entries_by_key(file).items():
        above = the_table(old, key)
        if above is None or above.name in moved or scope.includes(above.name):
            continue
        for pair in pairs:
            said = {name for one in decided if one.place == (pair.old, pair.name) for name in _said(one)}
            yield from _of_flow(pair, above.name, entries, (old.table(pair.old), new.table(pair.new)), said)


def _of_flow(
    pair: TablePair,
    above: TableName,
    entries: Sequence[Resolution],
    tables: tuple[Table | None, Table | None],
    said: set[str],
) -> Iterator[Problem]:
    before, after = tables
    if before is None or after is None:
        return
    for key in _leading_to(above, before):
        # A reference of which an entry says what it becomes is not led by others.
        filled = [one.new for one in pair.columns if one.old in key.columns and one.new not in said]
        checked = _is_checked(after, filled)
        changing = [entry for entry in entries if _changes(entry, key, pair.old, checked=checked)]
        if filled and changing:
            yield problem(changing[0], ChildOfLeftOut(pair.flow, filled[0], above))


def _leading_to(above: TableName, before: Table) -> list[ForeignKey]:
    return [key for key in references(before) if key.target == above and key.enforced]


def _is_checked(after: Table, columns: Sequence[str]) -> bool:
    """Returns whether a foreign key of NEW holds one of some columns."""
    return any(held.enforced and not set(columns).isdisjoint(held.columns) for held in references(after))


def _changes(entry: Resolution, key: ForeignKey, child: TableName, *, checked: bool) -> bool:
    """Returns whether an entry about a table changes what the rows of a child refer to by a key of OLD;
    ``checked``: NEW has a foreign key, too.
    """
    match action_of(entry):
        case Action.NEW_KEY if not is_open(entry):
            return entry.column in key.target_columns
        case Action.MERGE | Action.EXISTING if not is_open(entry):
            return bool(entry.repoint_children) and not checked
        case Action.FILTER if not is_open(entry):
            chosen = dict(entry.children)
            named = chosen.get(str(child), chosen.get(child.name, chosen.get("")))
            return named is Children.LEAVE_OUT and not checked
        case _:
            return False


def _said(one: TableEntries) -> Iterator[str]:
    """Yields the columns of NEW about whose values an entry decides."""
    for entry in one.entries:
        if action_of(entry) in _SAYS and entry.new_column is not None:
            yield entry.new_column
