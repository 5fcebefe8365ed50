"""Ranges include both borders: the row on a border belongs to two batches."""

from __future__ import annotations

from tranship.model.locator import Range
from tranship.model.plan import TablePlan
from tranship.sql.old import batch as copy


def break_it() -> None:
    """In this process."""
    real = copy.in_range

    def closed(range_: Range, plan: TablePlan) -> tuple[str, ...]:
        return tuple(condition.replace("old.ctid < ", "old.ctid <= ") for condition in real(range_, plan))

    copy.in_range = closed
