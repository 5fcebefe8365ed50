"""Keys, unique indexes and exclusions: which of NEW's OLD did not promise, and which are gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.catalog import Column, Index, Key, Table
from tranship.model.change import Change
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
    """Keys first, then unique indexes over expressions or with a predicate, then exclusions; each by name."""
    return [*_keys(sides), *_partial(sides, "", "UNIQUE index"), *_partial(sides, "x", "EXCLUDE")]


def _keys(sides: TableSides) -> Iterator[Change]:
    def old_meaning(key: Key) -> object:
        columns = sides.renamed(key.columns)
        return (
            None
            if columns is None
            else (
                frozenset(columns),
                key.nulls_not_distinct,
                key.without_overlaps,
                _loose(sides, key, columns),
            )
        )

    def new_meaning(key: Key) -> object:
        return frozenset(key.columns), key.nulls_not_distinct, key.without_overlaps, _loose(sides, key, None)

    gone, added = leftovers(sides.old.keys, sides.new.keys, old_meaning, new_meaning)
    if _shared(sides):
        added = list(sides.new.keys)
    for key in added:
        yield _added_key(sides, key)
    for key in gone:
        yield sides.note(
            "constraint_removed", f"{_words(key)} {listed(key.columns)} only exists in old DB", _GONE
        )
    old_kept = {old_meaning(key): key for key in sides.old.keys if key not in gone}
    for key in sides.new.keys:
        before = old_kept.get(new_meaning(key))
        if key in added or before is None:
            continue
        ways = _manner(before), _manner(key)
        bodies = _index_body(sides.old, before), _index_body(sides.new, key)
        if ways[0] == ways[1] and sides.expression(bodies[0]) != sides.told(bodies[1]):
            ways = bodies
        if ways[0] != ways[1]:
            yield sides.note(
                "key_differs", f"Key on {listed(key.columns)} differs: old {ways[0]}, new {ways[1]}", STAYS
            )


def _added_key(sides: TableSides, key: Key) -> Change:
    collations = sorted({collation for _, collation in _loose(sides, key, None)})
    text = f"New {_words(key)} {listed(key.columns)}" + (
        f" under collation {', '.join(collations)}" if collations else ""
    )
    if any(_apart(sides.new.column(name), key) for name in key.columns if name not in sides.fed):
        return sides.note("key_added", text, _FILLED)
    if _implied(sides, key):
        return sides.note("key_added", text, _IMPLIED)
    demand = unique_demand(sides, key) if not collations and not _shared(sides) else None
    return sides.note("new_constraint", text, REJECTS, demand=demand)


def _apart(column: Column | None, key: Key) -> bool:
    """NEW gives each row a value of its own there, or a NULL that equals no other."""
    if column is None or column.generated:
        return False
    numbered = bool(column.identity) or column.volatile_default
    return numbered or (column.default is None and not key.nulls_not_distinct)


def _implied(sides: TableSides, key: Key) -> bool:
    """Some key of OLD over a part of its columns makes a collision impossible (while the values convert one to one)."""
    if _shared(sides) or key.without_overlaps:
        return False
    for before in sides.old.keys:
        columns = sides.renamed(before.columns)
        if columns is None or not set(columns) <= set(key.columns) or not _as_strict(sides, before, key):
            continue
        nulls_safe = (
            before.nulls_not_distinct
            or not key.nulls_not_distinct
            or all(_refuses(sides, column) for column in before.columns)
        )
        if nulls_safe:
            return True
    return False


def _shared(sides: TableSides) -> bool:
    """Several old tables fill the new one: a key of each says nothing about all of them."""
    return sides.translation.fillers[sides.new.name] > 1


def _refuses(sides: TableSides, column: str) -> bool:
    found = sides.old.column(column)
    return found is not None and found.not_null


def _loose(sides: TableSides, key: Key, renamed: Sequence[str] | None) -> frozenset[tuple[str, str]]:
    """Columns (in NEW's names) that the key compares under a collation which takes different texts for equal, with that collation.

    *renamed*: the columns of a key of OLD in NEW's names; None for a key of NEW.
    """
    table, loose = (
        (sides.new, sides.translation.loose[1])
        if renamed is None
        else (sides.old, sides.translation.loose[0])
    )
    if not loose:
        return frozenset()
    index = next((i for i in table.indexes if i.name == key.name), None)
    own = dict(zip(index.columns, index.collations, strict=False)) if index is not None else {}
    found = []
    for name, told in zip(key.columns, renamed or key.columns, strict=True):
        column = table.column(name)
        collation = own.get(name) or (None if column is None else column.collation or column.type.collation)
        if collation in loose:
            found.append(
                (
                    told,
                    (canonical(collation) if renamed is None else sides.translation.expression(collation))
                    or "",
                )
            )
    return frozenset(found)


def _as_strict(sides: TableSides, before: Key, key: Key) -> bool:
    """Whatever NEW's key takes for equal, OLD's did, too."""
    columns = sides.renamed(before.columns)
    return columns is not None and {
        pair for pair in _loose(sides, key, None) if pair[0] in columns
    } <= _loose(sides, before, columns)


def _index_body(table: Table, key: Key) -> str:
    """The definition of the index behind a key, from the access method on."""
    index = next((i for i in table.indexes if i.name == key.name), None)
    return "" if index is None else body(index)


def _words(key: Key) -> str:
    return (
        f"{_sort(key)} '{key.name}'"
        + (" NULLS NOT DISTINCT" if key.nulls_not_distinct else "")
        + (" WITHOUT OVERLAPS" if key.without_overlaps else "")
    )


def _sort(key: Key) -> str:
    if key.primary:
        return "PRIMARY KEY"
    return "UNIQUE" if key.constraint else "UNIQUE index"


def _manner(key: Key) -> str:
    """What of a key matters besides its columns; a unique index serves like a constraint."""
    sort = "PRIMARY KEY" if key.primary else "UNIQUE"
    if not key.deferrable:
        return sort
    return f"{sort} DEFERRABLE" + (" INITIALLY DEFERRED" if key.initially_deferred else "")


def _partial(sides: TableSides, kind: str, words: str) -> Iterator[Change]:
    """Exclusions (*kind* x), or unique indexes that are no plain keys."""

    def relevant(index: Index) -> bool:
        if kind:
            return index.constraint_kind == kind
        return (
            index.unique
            and not index.constraint_kind
            and (index.predicate is not None or None in index.columns)
        )

    def old_meaning(index: Index) -> object:
        keys = tuple(sides.expression(key) for key in index.keys)
        return (
            index.method,
            frozenset(zip(keys, index.collations, index.exclusion_operators or keys, strict=True)),
            sides.expression(index.predicate),
            _nulls(index),
        )

    def new_meaning(index: Index) -> object:
        keys = tuple(sides.told(key) for key in index.keys)
        return (
            index.method,
            frozenset(zip(keys, index.collations, index.exclusion_operators or keys, strict=True)),
            sides.told(index.predicate),
            _nulls(index),
        )

    before, after = (
        [i for i in sides.old.indexes if relevant(i)],
        [i for i in sides.new.indexes if relevant(i)],
    )
    gone, added = leftovers(before, after, old_meaning, new_meaning)
    for index in added:
        evidence = (MAY_DIFFER,) if any(index.columns == other.columns for other in gone) else ()
        yield sides.note(
            "new_constraint", f"New {words} '{index.name}' {_shown(index)}", REJECTS, evidence=evidence
        )
    deferred = {old_meaning(index): index.deferrable for index in before if index not in gone}
    for index in after:
        if index not in added and deferred.get(new_meaning(index), index.deferrable) != index.deferrable:
            ways = "DEFERRABLE" if index.deferrable else "NOT DEFERRABLE"
            yield sides.note(
                "key_differs", f"{words} '{index.name}' {_shown(index)} is {ways} in new DB alone", STAYS
            )
    for index in gone:
        yield sides.note(
            "constraint_removed", f"{words} '{index.name}' {_shown(index)} only exists in old DB", _GONE
        )


def _nulls(index: Index) -> bool:
    return index.nulls_not_distinct


def _shown(index: Index) -> str:
    operators = index.exclusion_operators
    keys = (
        [f"{key} WITH {operator}" for key, operator in zip(index.keys, operators, strict=True)]
        if operators
        else index.keys
    )
    return listed(keys) + (f" WHERE {index.predicate}" if index.predicate is not None else "")
