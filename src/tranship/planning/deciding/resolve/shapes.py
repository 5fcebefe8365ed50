"""Second and third stage, what a flow does with its rows: the fields of such entries against the tables, and
the entries against each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from tranship.errors.codes.decisions import ItemsWithoutName
from tranship.errors.codes.entries import UnknownColumn, UnknownTable, UnknownValue
from tranship.errors.codes.shapes import (
    ActionTwice,
    BesideQuery,
    ExistingKeyUnfilled,
    FoundByNewKey,
    KeyNotOfQuery,
    NewKeyDecided,
    NewKeyNoKey,
    NewKeyOfItems,
    NewKeyOfType,
    NewKeyTwice,
    NewKeyUnused,
    NoExistingKey,
)
from tranship.model.catalog import Column, Table
from tranship.model.change import TablePair
from tranship.model.names import Side
from tranship.model.resolution import Action, Problem, Resolution
from tranship.model.shape import ExistingRows, KeyKind, NewKey
from tranship.planning.deciding.resolve.columns import Pair, is_unasked
from tranship.planning.deciding.resolve.item_name import is_named_item, named_item
from tranship.planning.deciding.resolve.tables import the_table
from tranship.planning.deciding.resolve.words import action_of, did_you_mean, problem
from tranship.planning.names.families import family

_ONCE = (Action.FILTER, Action.ROWS, Action.MERGE, Action.EXISTING, Action.QUERY)
_BESIDE_QUERY = (Action.QUERY, Action.MERGE, Action.EXISTING)
"""What is about rows whatever they are made of."""
_FITTING = {
    KeyKind.UUID: ("uuid", "text"),
    KeyKind.OFFSET: ("integer", "decimal"),
    KeyKind.NUMBER: ("integer", "decimal"),
}
"""By kind of the new values the families of types that hold them."""


def check_shape(
    entries: Sequence[Resolution], columns: Sequence[Resolution], pair: TablePair, tables: Pair
) -> Iterator[Problem]:
    """Yields what is wrong with the entries of one flow that are about its rows.

    ``columns`` are its decided entries about columns.
    """
    yield from _repeated(entries)
    for entry in entries:
        match action_of(entry):
            case Action.FILTER:
                yield from _check_filter(entry, tables)
            case Action.ROWS if entry.items is not None and not is_named_item(entry.items):
                corrected = named_item(entry.items)
                yield problem(entry, ItemsWithoutName(entry.items, field="from", corrected=corrected))
            case Action.EXISTING:
                yield from _check_existing(entry, columns, pair, tables)
            case Action.QUERY:
                yield from _check_query(entry, tables)
            case _:
                pass
    yield from _check_new_keys(entries, columns, pair, tables)


def _check_new_keys(
    entries: Sequence[Resolution], columns: Sequence[Resolution], pair: TablePair, tables: Pair
) -> Iterator[Problem]:
    """Yields what is wrong with new values of keys, also where rows of NEW would be found by them."""
    found_by = {name: entry for entry in entries for name in _found_by(entry, tables.new)}
    items = next((entry for entry in entries if action_of(entry) is Action.ROWS), None)
    for entry in entries:
        if entry.new_values is None:
            continue
        yield from _check_new_key(entry, entry.new_values, columns, pair, tables)
        fed = _fed(entry.new_values.column, columns, pair)
        for name in sorted(fed & found_by.keys()):
            yield problem(found_by[name], FoundByNewKey(name, entry.path), column=name)
        if items is not None:
            for name in sorted(fed - _of_wider_keys(tables.new)):
                yield problem(entry, NewKeyOfItems(name, items.path), column=name)


def _of_wider_keys(new: Table) -> set[str]:
    """Returns the columns that are part of a key over several columns: another one tells the items of one old
    row apart.
    """
    return {name for key in new.keys if len(key.columns) > 1 for name in key.columns}


def _found_by(entry: Resolution, new: Table) -> tuple[str, ...]:
    """Returns the columns by which ``existing`` finds rows; none for other entries."""
    if entry.action != Action.EXISTING:
        return ()
    return entry.key or (new.primary_key.columns if new.primary_key is not None else ())


def _repeated(entries: Sequence[Resolution]) -> Iterator[Problem]:
    """Yields the entries that say a second time what becomes of the rows, or that do not go together."""
    first: dict[str, Resolution] = {}
    for entry in entries:
        key = entry.action if action_of(entry) in _ONCE else f"{entry.action} {entry.column}"
        earlier = first.setdefault(key, entry)
        if earlier is not entry and entry.action == Action.NEW_KEY:
            yield problem(entry, NewKeyTwice(entry.column or "", earlier.path))
        elif earlier is not entry:
            yield problem(entry, ActionTwice(entry.action, earlier.path))
    query = first.get(Action.QUERY)
    if query is not None:
        for entry in entries:
            if action_of(entry) not in _BESIDE_QUERY:
                yield problem(entry, BesideQuery(entry.action, query.path))


def _check_filter(entry: Resolution, tables: Pair) -> Iterator[Problem]:
    for name, _ in entry.children:
        if name and the_table(tables.old_catalog, name) is None:
            hint = did_you_mean(name, (table.name.name for table in tables.old_catalog.tables))
            yield problem(entry, UnknownTable(name, tables.old.name.schema, hint))


def _check_existing(
    entry: Resolution, columns: Sequence[Resolution], pair: TablePair, tables: Pair
) -> Iterator[Problem]:
    known = [word.value for word in ExistingRows]
    if entry.rows is not None and entry.rows not in known:
        yield problem(entry, UnknownValue(entry.rows, did_you_mean(entry.rows, known)))
    primary = tables.new.primary_key
    if not entry.key and primary is None:
        yield problem(entry, NoExistingKey(tables.new.name))
    names = _found_by(entry, tables.new)
    filled = {one.new for one in pair.columns} | {one.new_column for one in columns}
    if is_unasked(tables.old):
        # Which columns a SELECT fills is known once the server was asked about it.
        filled |= set(names)
    yield from (told for name in names for told in _check_existing_key(entry, name, filled, tables.new))


def _check_existing_key(
    entry: Resolution, name: str, filled: Set[str | None], new: Table
) -> Iterator[Problem]:
    if new.column(name) is None:
        hint = did_you_mean(name, (column.name for column in new.columns))
        yield problem(entry, UnknownColumn(Side.NEW, new.name, name, hint), column=name)
    elif name not in filled:
        yield problem(entry, ExistingKeyUnfilled(name), column=name)


def _check_query(entry: Resolution, tables: Pair) -> Iterator[Problem]:
    if is_unasked(tables.old):
        return
    wanted = [("key", name) for name in entry.key] + [("cut_by", name) for name in (entry.cut_by,) if name]
    for field, name in wanted:
        if tables.old.column(name) is None:
            hint = did_you_mean(name, (column.name for column in tables.old.columns))
            yield problem(entry, KeyNotOfQuery(field, name, hint), column=name)


def _check_new_key(
    entry: Resolution, new_key: NewKey, columns: Sequence[Resolution], pair: TablePair, tables: Pair
) -> Iterator[Problem]:
    name = new_key.column
    source = tables.old.column(name)
    if source is None:
        hint = did_you_mean(name, (column.name for column in tables.old.columns))
        told = f"'column' is OLD's name of the key; {hint}"
        yield problem(entry, UnknownColumn(Side.OLD, tables.old.name, name, told), column=name)
        return
    if not _is_key(tables, name):
        yield problem(entry, NewKeyNoKey(name, tables.old.name), column=name)
    fed = _fed(name, columns, pair)
    if not fed:
        other = next((one for one in columns if name in one.sources and one.new_column is not None), None)
        yield problem(entry, NewKeyDecided(name, other.path) if other is not None else NewKeyUnused(name))
    yield from _check_new_key_types(entry, new_key, source, [tables.new.column(one) for one in sorted(fed)])


def _check_new_key_types(
    entry: Resolution, new_key: NewKey, source: Column, targets: Sequence[Column | None]
) -> Iterator[Problem]:
    numbered = [source] if new_key.kind is KeyKind.OFFSET else []
    for column in (*targets, *numbered):
        if column is not None and family(column.type) not in _FITTING[new_key.kind]:
            yield problem(entry, NewKeyOfType(new_key.kind.value, column.name, column.type.text))


def _fed(name: str, columns: Sequence[Resolution], pair: TablePair) -> set[str]:
    """Returns the new columns that an old one fills as it is; one that an entry converts is none of them."""
    decided = {one.new_column for one in columns}
    fed = {one.new for one in pair.columns if one.old == name and one.new not in decided}
    renamed = (one for one in columns if one.action == Action.RENAME and one.old_column == name)
    return fed | {one.new_column for one in renamed if one.new_column is not None}


def _is_key(tables: Pair, name: str) -> bool:
    """Returns whether a column identifies the rows of the old table by itself."""
    return any(key.columns == (name,) for key in tables.old.keys) or any(
        index.unique and index.columns == (name,) and index.predicate is None for index in tables.old.indexes
    )
