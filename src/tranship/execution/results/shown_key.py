"""By which columns the terminal names a row of OLD."""

from __future__ import annotations

from collections.abc import Sequence

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
    keys = [tuple(taken[name] for name in key) for key in _keys(after) if taken.keys() >= {*key}]
    return _first_of(keys, row) if keys else ""


def _first_of(keys: Sequence[tuple[str, ...]], row: bytes) -> str:
    """Returns the first key of which a row has all values; a key with a NULL tells no row from another."""
    values = msgspec.json.decode(row, type=dict[str, msgspec.Raw])
    given = {name: value for name, value in values.items() if bytes(value) != b"null"}
    key = next((names for names in keys if given.keys() >= {*names}), ())
    return msgspec.json.encode({name: given[name] for name in key}).decode() if key else ""


def _keys(after: Table) -> list[tuple[str, ...]]:
    """Returns the columns of the keys of a table of NEW that hold for all rows, the primary key first."""
    primary = after.primary_key.columns if after.primary_key is not None else ()
    whole = [index for index in after.indexes if index.unique and index.valid and index.predicate is None]
    named = [tuple(name for name in index.columns if name is not None) for index in whole]
    keys = [names for names, index in zip(named, whole, strict=True) if len(names) == len(index.columns)]
    return sorted(keys, key=lambda names: names != primary)
