"""By which columns the terminal names a row of OLD."""

from __future__ import annotations

import msgspec

from tranship.model.catalog import Table
from tranship.model.expression import Take
from tranship.model.plan import TablePlan


def shown_key(plan: TablePlan, after: Table, key: bytes | None, row: bytes) -> str:
    """Returns a row's key as a JSON object: that of OLD, else what becomes a key of NEW; else nothing.

    Args:
        key: OLD's key as JSON; None: it has none.
        row: the whole old row as JSON.
    """
    if key is not None:
        return key.decode()
    taken = {m.column: m.expression.column for m in plan.columns if isinstance(m.expression, Take)}
    values: dict[str, msgspec.Raw] = {}
    for columns in _keys(after):
        names = [taken.get(column) for column in columns]
        if not values:
            values = msgspec.json.decode(row, type=dict[str, msgspec.Raw])
        held = {name: values[name] for name in names if name is not None and name in values}
        # A key with a NULL tells no row from another.
        if len(held) == len(columns) and all(bytes(value) != b"null" for value in held.values()):
            return msgspec.json.encode(held).decode()
    return ""


def _keys(after: Table) -> list[tuple[str, ...]]:
    """Returns the columns of the keys of a table of NEW that hold for all rows, the primary key first."""
    primary = after.primary_key.columns if after.primary_key is not None else ()
    whole = [index for index in after.indexes if index.unique and index.valid and index.predicate is None]
    named = [tuple(name for name in index.columns if name is not None) for index in whole]
    keys = [names for names, index in zip(named, whole, strict=True) if len(names) == len(index.columns)]
    return sorted(keys, key=lambda names: names != primary)
