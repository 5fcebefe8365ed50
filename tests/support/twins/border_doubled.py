"""Ranges include both borders: the row on a border belongs to two batches."""

from __future__ import annotations

from tranship.model.progress import RowId
from tranship.sql.old import batch as copy


def break_it() -> None:
    """In this process."""
    real = copy.in_range

    def closed(lo: RowId | None, hi: RowId | None) -> tuple[str, ...]:
        return tuple(condition.replace("old.ctid < ", "old.ctid <= ") for condition in real(lo, hi))

    copy.in_range = closed
