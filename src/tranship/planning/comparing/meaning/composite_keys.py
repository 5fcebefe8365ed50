"""Which key of its parents a column is beside the other columns of its foreign key: in each tenant, the id of
a store or its code. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tranship.model.catalog import Column, Table
from tranship.model.names import ColumnRef, TableName
from tranship.planning.comparing.meaning.context import Landscape
from tranship.planning.comparing.meaning.key_questions import Meant
from tranship.planning.comparing.meaning.number_names import kinship
from tranship.planning.names.tokens import stems

_KEY_WORDS = ("id",)


def columns_beside(meant: Meant, before: Table, after: Table, landscape: Landscape) -> dict[str, str]:
    """Returns, by old column of the parents, the old column of the referring table that NEW compares with it,
    for the columns of the foreign key beside the one that is asked about; without those that several columns
    fill, or none.
    """
    found: dict[str, str] = {}
    for place, (name, target) in enumerate(zip(meant.key.columns, meant.key.target_columns, strict=True)):
        held = _only(before.name, ColumnRef(after.name, name), landscape)
        above = _only(meant.above, ColumnRef(meant.key.target, target), landscape)
        if place != meant.place and held is not None and above is not None:
            found[above] = held
    return found


def _only(table: TableName, new: ColumnRef, landscape: Landscape) -> str | None:
    filling = [old.column for old in landscape.fillers.get(new, frozenset()) if old.table == table]
    return filling[0] if len(filling) == 1 else None


def keys_beside(above: Table, beside: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Returns the unique keys of the parents that have one column more than some of those ``beside``, by that
    column, the primary key first.
    """
    known = set(beside)
    found: dict[str, tuple[str, ...]] = {}
    for key in sorted(above.keys, key=lambda one: one != above.primary_key):
        more = [name for name in key.columns if name not in known]
        if len(more) == 1:
            found.setdefault(more[0], key.columns)
    return found


def key_named(
    column: Column, owner: TableName, above: Table, keys: Mapping[str, tuple[str, ...]]
) -> set[str]:
    """Returns those of the parents' ``keys``, by their column, that a column is by its name: ``code`` for
    ``code``, ``store_code`` and ``shop_code``, and the primary key of ``stores`` for ``store_id``.
    """
    words, table = stems(column.name), stems(above.name.name)
    alike = {name for name in keys if words in (stems(name), (*table, *stems(name)))}
    if alike:
        return alike
    primary = above.primary_key.columns if above.primary_key is not None else ()
    if words == (*table, *_KEY_WORDS):
        return {name for name, columns in keys.items() if columns == primary}
    if not kinship(column.name, owner, above.name):
        return set()
    return {name for name in keys if stems(name)[-1:] == words[-1:]}
