"""Batches, and the events of a run; an outcome is a fold over events."""

from __future__ import annotations

from msgspec import Struct

from tranship.model.names import TableName


class RowId(Struct, frozen=True, order=True):
    """A row version of OLD inside the run's snapshot: the source's position in ``TablePlan.sources``, page and line pointer.

    A ctid is stable for as long as the snapshot is held (PostgreSQL documentation, "System Columns"): the visible version is not moved.
    """

    source: int
    page: int
    offset: int

    @property
    def ctid(self) -> str:
        """As PostgreSQL writes a tid: ``(12,3)``."""
        return f"({self.page},{self.offset})"


class Batch(Struct, frozen=True):
    """One committed unit: rows of one source with ``lo <= ctid < hi`` (half-open; None is open)."""

    number: int
    """Counts through one table of the plan, from 0."""
    table: TableName
    """The old table (root)."""
    source: int
    lo: RowId | None
    hi: RowId | None
    rows: int
    """Rows the snapshot holds in the range, counted when it was cut; the batch must read exactly these."""

    def __contains__(self, row: RowId) -> bool:
        return (
            row.source == self.source
            and (self.lo is None or row >= self.lo)
            and (self.hi is None or row < self.hi)
        )


class PlannedTable(Struct, frozen=True):
    """One table of a run, for the person who watches."""

    table: TableName
    new_table: TableName
    old_columns: int
    """Columns that OLD has and that NEW has, mapped or not."""
    new_columns: int


class RunStarted(Struct, frozen=True, tag=True):
    """The plan stands and the run begins: the first event. Tables in plan order."""

    tables: tuple[PlannedTable, ...]


class TableStarted(Struct, frozen=True, tag=True):
    """A table's rows are counted and its batches cut."""

    table: TableName
    new_table: TableName
    rows: int
    batches: int


class BatchDone(Struct, frozen=True, tag=True):
    """A batch is committed in NEW (or was simulated)."""

    table: TableName
    number: int
    read: int
    written: int
    rejected: int
    bytes: int


class RowRejected(Struct, frozen=True, tag=True):
    """One of the first rejects of a table, for the terminal."""

    table: TableName
    key: str
    column: str | None
    reason: str
    """Without row values, unless the run was asked to show them."""


class TableDone(Struct, frozen=True, tag=True):
    """A table is complete and its equation holds."""

    table: TableName
    read: int
    written: int
    rejected: int
    already_migrated: bool = False
    """An earlier finished run moved it: nothing was done now."""


class Noted(Struct, frozen=True, tag=True):
    """Something a person watching should read: a retry, a wait, a warning."""

    message: str


Event = RunStarted | TableStarted | BatchDone | RowRejected | TableDone | Noted
