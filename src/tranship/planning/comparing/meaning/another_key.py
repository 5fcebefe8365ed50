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
from tranship.planning.comparing.meaning.key_questions import means_another_key, named_after
from tranship.planning.names.tokens import stems

MANY = 20
"""Distinct values from which on keys of one table alone are no coincidence."""


def another_key_meant(pair: ColumnPair, before: Table, after: Table, landscape: Landscape) -> Concern | None:
    """Returns why the values of a reference, which are one key of their parents in OLD, would be taken for
    another one in NEW; None where NEW means the same key, or where nothing speaks for another.

    OLD's foreign key says which key they are, else the column's name and the data.
    """
    meant = means_another_key(after, pair.new, landscape)
    old = before.column(pair.old)
    if meant is None or old is None:
        return None
    above = next(iter(meant)).table
    declared = [key for key in references(before) if key.columns == (pair.old,)]
    if declared:
        keys = {key.target_columns[0] for key in declared if key.target == above}
        return _concern(pair, before, after, _columns(above, keys) - meant, meant, declared=True)
    return _by_name_and_data(pair, before, after, meant, landscape)


def _by_name_and_data(
    pair: ColumnPair, before: Table, after: Table, meant: frozenset[ColumnRef], landscape: Landscape
) -> Concern | None:
    old, above = before.column(pair.old), landscape.old.table(next(iter(meant)).table)
    if old is None or above is None or above.primary_key is None:
        return None
    is_named = above.name in named_after(before, old, landscape)
    named = _columns(above.name, above.primary_key.columns if is_named else ())
    reference = landscape.observed.references.get(ColumnRef(before.name, old.name))
    held = {key for key in reference.keys if key.table == above.name} if reference is not None else set()
    if is_named:
        # Only where the data know the values as the very key that NEW means does the name say too much.
        return None if held and held <= meant else _concern(pair, before, after, named, meant)
    others = held - meant
    if reference is None or not others or (others < held and _says(old.name, meant)):
        return None
    certain = others == held and reference.distinct >= MANY
    return _concern(pair, before, after, others, meant, bare=not certain)


def _columns(table: TableName, names: Iterable[str]) -> set[ColumnRef]:
    return {ColumnRef(table, name) for name in names}


def _says(name: str, meant: frozenset[ColumnRef]) -> bool:
    """Returns whether a column is called after the key that NEW means: ``customer_code`` and ``code``."""
    return any(stems(name)[-1:] == stems(key.column)[-1:] for key in meant)


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
