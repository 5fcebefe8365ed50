"""Keys, unique indexes and exclusions: those that NEW demands and OLD did not promise, and those that are
gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tranship.model.catalog import Column, Index, Key, Table
from tranship.model.change import Change
from tranship.model.change_kind import ChangeKind
from tranship.planning.comparing.structure.demands import unique_demand
from tranship.planning.comparing.structure.sides import (
    MAY_DIFFER,
    REJECTS,
    STAYS,
    TableSides,
    body,
    leftovers,
    listed,
)
from tranship.planning.printed.tokens import canonical

_FILLED = "NEW fills its columns itself"
_IMPLIED = "Nothing to do: a key of OLD implies it"
_GONE = "Nothing to do: NEW asks less of its rows"


def uniqueness_notes(sides: TableSides) -> list[Change]:
    """Returns notes about keys first, then about unique indexes that are no keys, then about exclusions; each
    by name.
    """
    return [
        *_keys(sides),
        *_special_indexes(sides, _is_partial, "UNIQUE index"),
        *_special_indexes(sides, _is_exclusion, "EXCLUDE"),
    ]


def _keys(sides: TableSides) -> Iterator[Change]:
    gone, added = leftovers(
        sides.old.keys, sides.new.keys, partial(_old_key_meaning, sides), partial(_new_key_meaning, sides)
    )
    if _has_several_fillers(sides):
        added = list(sides.new.keys)
    for key in added:
        yield _added_key(sides, key)
    for key in gone:
        text = f"{_words(key)} {listed(key.columns)} only exists in old DB"
        yield sides.note(ChangeKind.CONSTRAINT_REMOVED, text, _GONE)
    old_kept = {_old_key_meaning(sides, key): key for key in sides.old.keys if key not in gone}
    for key in sides.new.keys:
        before = old_kept.get(_new_key_meaning(sides, key))
        if key not in added and before is not None:
            yield from _key_differs(sides, before, key)


def _old_key_meaning(sides: TableSides, key: Key) -> object:
    """Returns what a key of OLD promises, in NEW's names; None when a column of it has no counterpart."""
    columns = sides.renamed(key.columns)
    if columns is None:
        return None
    loose = _loose_columns_of_old(sides, key, columns)
    return frozenset(columns), key.nulls_not_distinct, key.without_overlaps, loose


def _new_key_meaning(sides: TableSides, key: Key) -> object:
    return frozenset(key.columns), key.nulls_not_distinct, key.without_overlaps, _loose_columns(sides, key)


def _key_differs(sides: TableSides, before: Key, key: Key) -> Iterator[Change]:
    ways = _manner(before), _manner(key)
    bodies = _index_body(sides.old, before), _index_body(sides.new, key)
    if ways[0] == ways[1] and sides.old_expression(bodies[0]) != sides.new_expression(bodies[1]):
        ways = bodies
    if ways[0] != ways[1]:
        text = f"Key on {listed(key.columns)} differs: old {ways[0]}, new {ways[1]}"
        yield sides.note(ChangeKind.KEY_DIFFERS, text, STAYS)


def _added_key(sides: TableSides, key: Key) -> Change:
    collations = sorted({collation for _, collation in _loose_columns(sides, key)})
    under = f" under collation {', '.join(collations)}" if collations else ""
    text = f"New {_words(key)} {listed(key.columns)}{under}"
    if any(_is_distinct(sides.new.column(name), key) for name in key.columns if name not in sides.fed):
        return sides.note(ChangeKind.KEY_ADDED, text, _FILLED)
    if _implied(sides, key):
        return sides.note(ChangeKind.KEY_ADDED, text, _IMPLIED)
    demand = unique_demand(sides, key) if not collations and not _has_several_fillers(sides) else None
    return sides.note(ChangeKind.NEW_CONSTRAINT, text, REJECTS, demand=demand)


def _is_distinct(column: Column | None, key: Key) -> bool:
    """Returns whether NEW gives each row a value of its own there, or a NULL that equals no other."""
    if column is None or column.generated:
        return False
    numbered = bool(column.identity) or column.volatile_default
    empty = column.default is None and not column.refuses_null
    return numbered or (empty and not key.nulls_not_distinct)


def _implied(sides: TableSides, key: Key) -> bool:
    """Returns whether a key of OLD over a part of its columns makes a collision impossible.

    That holds while the values convert one to one; the dry run asks about the others.
    """
    if _has_several_fillers(sides) or key.without_overlaps:
        return False
    return any(_implies(sides, before, key) for before in sides.old.keys)


def _implies(sides: TableSides, before: Key, key: Key) -> bool:
    columns = sides.renamed(before.columns)
    if columns is None or not set(columns) <= set(key.columns) or not _is_as_strict(sides, before, key):
        return False
    # Two NULLs are distinct in OLD's key, unless it says otherwise, and equal in NEW's.
    without_null = all(_refuses_null(sides, column) for column in before.columns)
    return before.nulls_not_distinct or not key.nulls_not_distinct or without_null


def _has_several_fillers(sides: TableSides) -> bool:
    """Returns whether several old tables fill the new one: a key of each says nothing about all of them."""
    return sides.translation.fillers[sides.new.name] > 1


def _refuses_null(sides: TableSides, column: str) -> bool:
    found = sides.old.column(column)
    return found is not None and found.not_null


def _loose_columns(sides: TableSides, key: Key) -> frozenset[tuple[str, str]]:
    """Returns the columns of a key of NEW that it compares under a loose collation, with that collation.

    A loose collation takes different texts for equal.
    """
    loose = sides.translation.loose[1]
    found = _collations(sides.new, key) if loose else ()
    return frozenset(
        (column, canonical(collation) or "") for column, collation in found if collation in loose
    )


def _loose_columns_of_old(sides: TableSides, key: Key, renamed: Sequence[str]) -> frozenset[tuple[str, str]]:
    """Returns the same for a key of OLD in NEW's names; ``renamed`` are its columns there."""
    loose = sides.translation.loose[0]
    found = _collations(sides.old, key) if loose else ()
    return frozenset(
        (name, sides.translation.expression(collation) or "")
        for name, (_, collation) in zip(renamed, found, strict=False)
        if collation in loose
    )


def _collations(table: Table, key: Key) -> Iterator[tuple[str, str | None]]:
    """Yields each column of a key with the collation that its index compares it under."""
    index = _index_of(table, key)
    own = dict(zip(index.columns, index.collations, strict=False)) if index is not None else {}
    for name in key.columns:
        column = table.column(name)
        declared = None if column is None else column.collation or column.type.collation
        yield name, own.get(name) or declared


def _is_as_strict(sides: TableSides, before: Key, key: Key) -> bool:
    """Returns whether OLD's key took for equal whatever NEW's key does."""
    columns = sides.renamed(before.columns)
    if columns is None:
        return False
    loose = {pair for pair in _loose_columns(sides, key) if pair[0] in columns}
    return loose <= _loose_columns_of_old(sides, before, columns)


def _index_of(table: Table, key: Key) -> Index | None:
    return next((index for index in table.indexes if index.name == key.name), None)


def _index_body(table: Table, key: Key) -> str:
    """Returns the definition of the index behind a key, from the access method on; empty without an index."""
    index = _index_of(table, key)
    return "" if index is None else body(index)


def _words(key: Key) -> str:
    nulls = " NULLS NOT DISTINCT" if key.nulls_not_distinct else ""
    overlaps = " WITHOUT OVERLAPS" if key.without_overlaps else ""
    return f"{_sort(key)} '{key.name}'{nulls}{overlaps}"


def _sort(key: Key) -> str:
    if key.primary:
        return "PRIMARY KEY"
    return "UNIQUE" if key.constraint else "UNIQUE index"


def _manner(key: Key) -> str:
    """Returns what of a key matters besides its columns; a unique index serves like a constraint."""
    sort = "PRIMARY KEY" if key.primary else "UNIQUE"
    if not key.deferrable:
        return sort
    return f"{sort} DEFERRABLE" + (" INITIALLY DEFERRED" if key.initially_deferred else "")


def _is_exclusion(index: Index) -> bool:
    return index.constraint_kind == "x"


def _is_partial(index: Index) -> bool:
    """Returns whether a unique index is no key: it has a predicate, or an expression among its columns."""
    no_key = index.predicate is not None or None in index.columns
    return index.unique and not index.constraint_kind and no_key


def _special_indexes(sides: TableSides, relevant: Callable[[Index], bool], words: str) -> Iterator[Change]:
    """Yields notes about exclusions or unique indexes that are no keys: added, different, gone."""
    before, after = list(filter(relevant, sides.old.indexes)), list(filter(relevant, sides.new.indexes))
    old_meaning = partial(_index_meaning, sides.old_expression)
    new_meaning = partial(_index_meaning, sides.new_expression)
    gone, added = leftovers(before, after, old_meaning, new_meaning)
    gone_columns = {index.columns for index in gone}
    for index in added:
        # Over the same columns as one that is gone: perhaps it is the same, printed in another way.
        evidence = (MAY_DIFFER,) if index.columns in gone_columns else ()
        text = f"New {words} '{index.name}' {_shown(index)}"
        yield sides.note(ChangeKind.NEW_CONSTRAINT, text, REJECTS, evidence=evidence)
    deferrable = {old_meaning(index): index.deferrable for index in before if index not in gone}
    for index in after:
        other = deferrable.get(new_meaning(index))
        if index not in added and other is not None and other != index.deferrable:
            way = "DEFERRABLE" if index.deferrable else "NOT DEFERRABLE"
            text = f"{words} '{index.name}' {_shown(index)} is {way} in new DB alone"
            yield sides.note(ChangeKind.KEY_DIFFERS, text, STAYS)
    for index in gone:
        text = f"{words} '{index.name}' {_shown(index)} only exists in old DB"
        yield sides.note(ChangeKind.CONSTRAINT_REMOVED, text, _GONE)


def _index_meaning(expression: Callable[[str | None], str | None], index: Index) -> object:
    """Returns what an index demands of rows; the order of its keys does not matter for that."""
    keys = tuple(expression(key) for key in index.keys)
    parts = frozenset(zip(keys, index.collations, index.exclusion_operators or keys, strict=True))
    return index.method, parts, expression(index.predicate), index.nulls_not_distinct


def _shown(index: Index) -> str:
    operators = index.exclusion_operators
    keys = list(index.keys)
    if operators:
        keys = [f"{key} WITH {operator}" for key, operator in zip(keys, operators, strict=True)]
    return listed(keys) + (f" WHERE {index.predicate}" if index.predicate is not None else "")
