"""References to a table whose key becomes another one: the old id of a row stored where NEW means its number.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.change import ColumnPair
from tranship.model.names import ColumnRef
from tranship.model.references import references
from tranship.planning.comparing.meaning.composite_keys import columns_beside, key_named, keys_beside
from tranship.planning.comparing.meaning.context import Concern, KeyOfParents, Landscape
from tranship.planning.comparing.meaning.key_questions import (
    Meant,
    is_the_primary_key,
    keys_by_name,
    may_be_keys,
    meant_by,
)
from tranship.planning.names.families import family

MANY = 20
"""Distinct values from which on keys of one table alone are no coincidence."""

_Keys = Mapping[ColumnRef, KeyOfParents]
"""The keys that values may be, by the column of the parents that they are."""


class _Asked(Struct, frozen=True):
    """A reference of which it is asked what its values are."""

    old: ColumnRef
    new: ColumnRef
    meant: Meant

    @property
    def filled(self) -> str:
        """The old column of the parents that fills the one to which NEW's foreign key leads."""
        return min(self.meant.sources).column

    def alone(self, keys: Iterable[ColumnRef]) -> _Keys:
        """Returns keys of one column."""
        held = (self.old.column,)
        return {key: KeyOfParents(key.table, (key.column,), held, self.filled) for key in keys}


def another_key_meant(pair: ColumnPair, before: Table, after: Table, landscape: Landscape) -> Concern | None:
    """Returns why the values of a reference, which are one key of their parents in OLD, would be taken for
    another one in NEW; None where NEW means the same key, or where nothing speaks for another.

    OLD's foreign key says which key they are, else the column's name and the data.
    """
    left, right = ColumnRef(before.name, pair.old), ColumnRef(after.name, pair.new)
    asked = (_Asked(left, right, meant) for meant in meant_by(after, pair.new, landscape))
    concerns = (
        _taken_for_another(one, before, after, landscape) for one in asked if left not in one.meant.sources
    )
    return next((concern for concern in concerns if concern is not None), None)


def _taken_for_another(asked: _Asked, before: Table, after: Table, landscape: Landscape) -> Concern | None:
    declared = [key for key in references(before) if asked.old.column in key.columns]
    own = [key for key in declared if key.target == asked.meant.above]
    if own or any(len(key.columns) == 1 for key in declared):
        return _by_declared(asked, own)
    old, new = before.column(asked.old.column), after.column(asked.new.column)
    if old is None or new is None or not _may_be_taken(before, old, new):
        return None
    if len(asked.meant.key.columns) > 1:
        beside = columns_beside(asked.meant, before, after, landscape)
        return _by_name_beside(asked, old, landscape.old.table(asked.meant.above), beside)
    return _by_name_and_data(asked, keys_by_name(before, old, asked.meant.sources, landscape), landscape)


def _by_declared(asked: _Asked, declared: Sequence[ForeignKey]) -> Concern | None:
    keys: dict[ColumnRef, KeyOfParents] = {}
    for key in declared:
        column = key.target_columns[key.columns.index(asked.old.column)]
        whole = KeyOfParents(key.target, key.target_columns, key.columns, asked.filled)
        keys.setdefault(ColumnRef(key.target, column), whole)
    # A column may refer to two keys of one table, and one of them is the one that NEW means.
    return None if keys.keys() & asked.meant.sources else _concern(asked, keys, word="is a foreign key to")


def _may_be_taken(before: Table, old: Column, new: Column) -> bool:
    """Returns whether values may be taken for those of the new type, else the type is a question; never a
    row's own identifiers.
    """
    alike = may_be_keys(old) or family(old.type) == family(new.type)
    return alike and not is_the_primary_key(before, old.name)


def _by_name_beside(
    asked: _Asked, old: Column, above: Table | None, beside: Mapping[str, str]
) -> Concern | None:
    """Only single columns are compared with keys in the data, so that what the name does not say is asked."""
    if above is None:
        return None
    found = keys_beside(above, beside)
    meant = {source.column: () for source in asked.meant.sources}
    named = key_named(old, asked.old.table, above, {**meant, **found})
    if named & meant.keys():
        return None
    primary = above.primary_key.columns if above.primary_key is not None else ()
    likely = named or {name for name, columns in found.items() if columns == primary}
    keys = {}
    for name in likely:
        held = tuple(old.name if one == name else beside[one] for one in found[name])
        keys[ColumnRef(above.name, name)] = KeyOfParents(above.name, found[name], held, asked.filled)
    word = "looks like a key of" if named else "may be a key of"
    return _concern(asked, keys, bare=not named, word=word)


def _by_name_and_data(asked: _Asked, named: set[ColumnRef], landscape: Landscape) -> Concern | None:
    reference, meant = landscape.observed.references.get(asked.old), asked.meant
    held = {key for key in reference.keys if key.table == meant.above} if reference is not None else set()
    if held and held <= meant.sources:
        # The name may say too much where the data know the values as the very key that NEW means.
        return None
    if named or reference is None:
        return _concern(asked, asked.alone(named))
    alone = not held & meant.sources
    if not alone and _is_primary(landscape.old.table(meant.above), meant.sources):
        # Numbers that are ids, which NEW means, and something else by chance.
        return None
    return _concern(asked, asked.alone(held), bare=not (alone and reference.distinct >= MANY))


def _is_primary(table: Table | None, meant: frozenset[ColumnRef]) -> bool:
    return table is not None and any(is_the_primary_key(table, key.column) for key in meant)


def _concern(
    asked: _Asked, keys: _Keys, *, bare: bool = False, word: str = "looks like a key of"
) -> Concern | None:
    others = keys.keys() - asked.meant.sources
    if not others:
        return None
    key, constraint = min(others), asked.meant.key.name
    return Concern(
        (
            f"in OLD {asked.old} {word} {key.table} ({key.column})",
            f"in NEW {asked.new} refers to what OLD's {min(asked.meant.sources)} fills:"
            f" each row would refer to another one, or to none",
            f"if NEW's rows under these values are meant: action 'adopt' of constraint {constraint}",
        ),
        keys=True,
        bare=bare,
        over=keys[key],
    )
