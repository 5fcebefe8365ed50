"""References to a table whose key becomes another one: the old id of a row stored where NEW means its number.
Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.change import ColumnPair
from tranship.model.names import ColumnRef, TableName
from tranship.model.references import references
from tranship.planning.comparing.meaning.context import Concern, Landscape
from tranship.planning.comparing.meaning.key_questions import (
    is_the_primary_key,
    keys_by_name,
    may_be_keys,
    reference_of,
)
from tranship.planning.names.families import family

MANY = 20
"""Distinct values from which on keys of one table alone are no coincidence."""


class _Asked(Struct, frozen=True):
    """A reference of which it is asked what its values are."""

    old: ColumnRef
    new: ColumnRef
    meant: frozenset[ColumnRef]
    """What fills the key to which NEW's foreign key leads."""
    constraint: str

    @property
    def above(self) -> TableName:
        """The old table of the parents."""
        return next(iter(self.meant)).table


def another_key_meant(pair: ColumnPair, before: Table, after: Table, landscape: Landscape) -> Concern | None:
    """Returns why the values of a reference, which are one key of their parents in OLD, would be taken for
    another one in NEW; None where NEW means the same key, or where nothing speaks for another.

    OLD's foreign key says which key they are, else the column's name and the data.
    """
    found = reference_of(after, pair.new, landscape)
    left, right = ColumnRef(before.name, pair.old), ColumnRef(after.name, pair.new)
    if found is None or left in found[1]:
        return None
    asked = _Asked(left, right, found[1], found[0].name)
    declared = [key for key in references(before) if key.columns == (pair.old,)]
    if declared:
        return _by_declared(asked, declared)
    old, new = before.column(pair.old), after.column(pair.new)
    if old is None or new is None or is_the_primary_key(before, old.name) or not _may_be_taken(old, new):
        return None
    return _by_name_and_data(asked, keys_by_name(before, old, asked.meant, landscape), landscape)


def _by_declared(asked: _Asked, declared: Sequence[ForeignKey]) -> Concern | None:
    own = (key for key in declared if key.target == asked.above)
    keys = {ColumnRef(key.target, key.target_columns[0]) for key in own}
    # A column may refer to two keys of one table, and one of them is the one that NEW means.
    return None if keys & asked.meant else _concern(asked, keys, declared=True)


def _may_be_taken(old: Column, new: Column) -> bool:
    """Returns whether values may be taken for those of the new type; else the type is a question."""
    return may_be_keys(old) or family(old.type) == family(new.type)


def _by_name_and_data(asked: _Asked, named: set[ColumnRef], landscape: Landscape) -> Concern | None:
    reference = landscape.observed.references.get(asked.old)
    held = {key for key in reference.keys if key.table == asked.above} if reference is not None else set()
    if held and held <= asked.meant:
        # The name may say too much where the data know the values as the very key that NEW means.
        return None
    if named or reference is None:
        return _concern(asked, named)
    alone = not held & asked.meant
    if not alone and _is_primary(landscape.old.table(asked.above), asked.meant):
        # Numbers that are ids, which NEW means, and something else by chance.
        return None
    return _concern(asked, held, bare=not (alone and reference.distinct >= MANY))


def _is_primary(table: Table | None, meant: frozenset[ColumnRef]) -> bool:
    return table is not None and any(is_the_primary_key(table, key.column) for key in meant)


def _concern(
    asked: _Asked, keys: set[ColumnRef], *, declared: bool = False, bare: bool = False
) -> Concern | None:
    others = keys - asked.meant
    if not others:
        return None
    key, filled = min(others), min(asked.meant)
    word = "is a foreign key to" if declared else "looks like a key of"
    return Concern(
        (
            f"in OLD {asked.old} {word} {key.table} ({key.column})",
            f"in NEW {asked.new} refers to what OLD's {filled} fills:"
            f" each row would refer to another one, or to none",
            f"if NEW's rows under these values are meant: action 'adopt' of constraint {asked.constraint}",
        ),
        keys=True,
        bare=bare,
        over=(key, filled.column),
    )
