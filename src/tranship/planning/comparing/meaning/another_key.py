"""References to a table whose key becomes another one: the old id of a row stored where NEW means its number.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from tranship.model.catalog import Table
from tranship.model.change import ColumnPair
from tranship.model.names import ColumnRef, TableName
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
    meant, old = meant_key(after, pair.new, landscape), before.column(pair.old)
    if not meant or old is None or ColumnRef(before.name, pair.old) in meant:
        return None
    above = next(iter(meant)).table
    declared = [key for key in references(before) if key.columns == (pair.old,)]
    if declared:
        keys = {ColumnRef(above, key.target_columns[0]) for key in declared if key.target == above}
        return _concern(pair, before, after, keys - meant, meant, declared=True)
    return _by_name_and_data(pair, before, after, meant, landscape)


def _by_name_and_data(
    pair: ColumnPair, before: Table, after: Table, meant: frozenset[ColumnRef], landscape: Landscape
) -> Concern | None:
    old, new = before.column(pair.old), after.column(pair.new)
    above = landscape.old.table(next(iter(meant)).table)
    if old is None or new is None or above is None or is_the_primary_key(before, old.name):
        return None
    if not may_be_keys(old) and family(old.type) != family(new.type):
        # What cannot be taken for a value of the new type is a question of its own.
        return None
    named = keys_by_name(before, old, meant, landscape)
    reference = landscape.observed.references.get(ColumnRef(before.name, old.name))
    held = {key for key in reference.keys if key.table == above.name} if reference is not None else set()
    others = (named or held) - meant
    if not others or (held and held <= meant):
        # The name may say too much where the data know the values as the very key that NEW means.
        return None
    if named:
        return _concern(pair, before, after, others, meant)
    alone = not held & meant
    primary = above.primary_key.columns if above.primary_key is not None else ()
    if reference is None or not (alone or meant.isdisjoint(_columns(above.name, primary))):
        # Numbers that are ids, which NEW means, and something else by chance.
        return None
    return _concern(pair, before, after, others, meant, bare=not (alone and reference.distinct >= MANY))


def _columns(table: TableName, names: Iterable[str]) -> set[ColumnRef]:
    return {ColumnRef(table, name) for name in names}


def _concern(
    pair: ColumnPair,
    before: Table,
    after: Table,
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
            f"in OLD {before.name}.{pair.old} {word} {key.table} ({key.column})",
            f"in NEW {after.name}.{pair.new} refers to what OLD's {filled} fills:"
            f" each row would refer to another one, or to none",
        ),
        keys=True,
        bare=bare,
        over=(key, filled.column),
    )
