"""By which columns a row of OLD finds one of NEW's own rows, and which of them the run may change."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from tranship.model.catalog import Catalog, Table
from tranship.model.expression import NewDefault
from tranship.model.plan import TablePlan
from tranship.model.shape import Existing, ExistingRows


class FoundBy(Struct, frozen=True):
    """The columns of NEW's table, each in one of several parts."""

    key: tuple[str, ...]
    own: tuple[str, ...]
    """Columns outside of the key by which other tables refer to a row, and those of the primary key."""
    compared: tuple[str, ...]
    """Columns in which both rows are compared, the key among them."""
    settable: tuple[str, ...]
    """Those of them that an update may change."""
    constraint: str | None
    """NEW's unique constraint or index over just the key."""


def found_by(existing: Existing, plan: TablePlan, new: Catalog) -> FoundBy:
    """Returns the columns for a flow whose shape says ``existing``.

    With ``repoint_children`` a row of NEW keeps the columns by which others refer to it, so they are not
    compared: the children are led there.
    """
    after = new.table(plan.new)
    if after is None:
        raise ValueError(f"{plan.new} is not in the catalog")
    filled = filled_columns(plan)
    key, referred = key_columns(existing, after), referred_columns(after, new)
    primary = after.primary_key.columns if after.primary_key is not None else ()
    names = {*primary, *referred} - {*key}
    compared = [name for name in filled if name not in names or not existing.repoint_children]
    numbered = {column.name for column in after.columns if column.identity}
    fixed = {*key, *primary, *referred, *numbered}
    return FoundBy(
        key,
        own=tuple(name for name in filled if name in names),
        compared=tuple(compared),
        settable=tuple(name for name in compared if name not in fixed),
        constraint=_constraint(after, key),
    )


def filled_columns(plan: TablePlan) -> tuple[str, ...]:
    """Returns the columns of NEW that a flow fills; NEW fills the others."""
    return tuple(m.column for m in plan.columns if not isinstance(m.expression, NewDefault))


def updates(plan: TablePlan) -> bool:
    """Returns whether a flow may give rows of NEW's own other values."""
    return plan.shape.existing is not None and plan.shape.existing.rows is ExistingRows.UPDATE


def key_columns(existing: Existing, after: Table) -> tuple[str, ...]:
    """Returns the key that a person named, else the primary key; empty where there is neither."""
    primary = after.primary_key
    return existing.key or (primary.columns if primary is not None else ())


def referred_columns(after: Table, new: Catalog) -> frozenset[str]:
    """Returns the columns of a table to which foreign keys of NEW lead."""
    keys = (key for table in new.tables for key in table.every_foreign_key if key.target == after.name)
    return frozenset(name for key in keys for name in key.target_columns)


def _constraint(after: Table, key: Iterable[str]) -> str | None:
    for index in after.indexes:
        if index.unique and index.predicate is None and set(index.columns) == set(key):
            return index.constraint or index.name
    return None
