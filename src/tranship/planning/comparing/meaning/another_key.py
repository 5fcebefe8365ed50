"""References to a table whose key becomes another one: the old id of a row stored where NEW means its number.
Pure.
"""

from __future__ import annotations

from tranship.model.catalog import Column, Table
from tranship.model.change import ColumnPair
from tranship.model.names import ColumnRef
from tranship.model.references import references
from tranship.planning.comparing.meaning.context import Concern, Landscape
from tranship.planning.comparing.meaning.key_questions import (
    is_the_primary_key,
    keys_by_name,
    may_be_keys,
    meant_key,
)
from tranship.planning.names.families import family

MANY = 20
"""Distinct values from which on keys of one table alone are no coincidence."""


def another_key_meant(pair: ColumnPair, before: Table, after: Table, landscape: Landscape) -> Concern | None:
    """Returns why the values of a reference, which are one key of their parents in OLD, would be taken for
    another one in NEW; None where NEW means the same key, or where nothing speaks for another.

    OLD's foreign key says which key they are, else the column's name and the data.
    """
    meant = meant_key(after, pair.new, landscape)
    ends = ColumnRef(before.name, pair.old), ColumnRef(after.name, pair.new)
    if not meant or ends[0] in meant:
        return None
    above = next(iter(meant)).table
    declared = [key for key in references(before) if key.columns == (pair.old,)]
    if declared:
        keys = {ColumnRef(above, key.target_columns[0]) for key in declared if key.target == above}
        return _concern(ends, keys - meant, meant, declared=True)
    old, new = before.column(pair.old), after.column(pair.new)
    if old is None or new is None or is_the_primary_key(before, old.name) or not _may_be_taken(old, new):
        return None
    return _by_name_and_data(ends, keys_by_name(before, old, meant, landscape), meant, landscape)


def _may_be_taken(old: Column, new: Column) -> bool:
    """Returns whether values may be taken for those of the new type; else the type is a question."""
    return may_be_keys(old) or family(old.type) == family(new.type)


def _by_name_and_data(
    ends: tuple[ColumnRef, ColumnRef],
    named: set[ColumnRef],
    meant: frozenset[ColumnRef],
    landscape: Landscape,
) -> Concern | None:
    reference = landscape.observed.references.get(ends[0])
    above = next(iter(meant)).table
    held = {key for key in reference.keys if key.table == above} if reference is not None else set()
    if held and held <= meant:
        # The name may say too much where the data know the values as the very key that NEW means.
        return None
    if named or reference is None:
        return _concern(ends, named - meant, meant)
    alone = not held & meant
    if not alone and _is_primary(landscape.old.table(above), meant):
        # Numbers that are ids, which NEW means, and something else by chance.
        return None
    return _concern(ends, held - meant, meant, bare=not (alone and reference.distinct >= MANY))


def _is_primary(table: Table | None, meant: frozenset[ColumnRef]) -> bool:
    return table is not None and any(is_the_primary_key(table, key.column) for key in meant)


def _concern(
    ends: tuple[ColumnRef, ColumnRef],
    keys: set[ColumnRef],
    meant: frozenset[ColumnRef],
    *,
    declared: bool = False,
    bare: bool = False,
) -> Concern | None:
    if not keys:
        return None
    key, filled = min(keys), min(meant)
    word = "is a foreign key to" if declared else "looks like a key of"
    return Concern(
        (
            f"in OLD {ends[0]} {word} {key.table} ({key.column})",
            f"in NEW {ends[1]} refers to what OLD's {filled} fills:"
            f" each row would refer to another one, or to none",
        ),
        keys=True,
        bare=bare,
        over=(key, filled.column),
    )
