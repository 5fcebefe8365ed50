"""Whether a row of a table can be too large for a page, by its columns alone."""

from __future__ import annotations

from tranship.model.catalog import Table
from tranship.model.expression import Rule, Take
from tranship.model.plan import TablePlan
from tranship.model.row_size import HEADER, KEPT, LARGEST, fixed_size, never_moved

_PADDING = 10
"""Bytes before a value of any length, and anew before the value of fixed length behind it."""


def may_outgrow_page(plan: TablePlan, before: Table, after: Table) -> bool:
    """Returns whether a row of a plan may be too large for a page of NEW although OLD holds it."""
    return not _is_as_before(plan, before, after) and _bound(after) > LARGEST


def _bound(table: Table) -> int:
    varying = [column for column in table.columns if fixed_size(column) is None]
    if any(never_moved(column) for column in varying):
        return LARGEST + 1
    return _fixed_part(table) + sum(KEPT + _PADDING for _ in varying)


def _fixed_part(table: Table) -> int:
    """Returns the bytes that the header and the columns of fixed length take at most."""
    size, aligned = HEADER + (len(table.columns) + 7) // 8 + 8, 8
    for column in table.columns:
        length, alignment = fixed_size(column) or (0, 1)
        size += length + max(0, alignment - aligned)
        aligned = alignment
    return size


def _is_as_before(plan: TablePlan, before: Table, after: Table) -> bool:
    """Returns whether NEW has the columns of OLD, of the same types and in the same order: then a row takes
    the same room.
    """
    if plan.shape.query is not None or len(before.columns) != len(after.columns):
        return False
    taken = {m.column: m.expression for m in plan.columns}
    return all(
        isinstance(expression := taken.get(new.name), Take)
        and expression.column == old.name
        and expression.conversion.rule is Rule.SAME
        and old.type.leaf.base == new.type.leaf.base
        for old, new in zip(before.columns, after.columns, strict=True)
    )
