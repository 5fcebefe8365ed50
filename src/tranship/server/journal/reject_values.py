"""Rejects as rows of the journal, written and read."""

from __future__ import annotations

import asyncpg

from tranship.model.verdict import Reject
from tranship.server.journal.nouns import BatchReject, RejectRow
from tranship.server.journal.row_places import item_and_key, message, page_and_line, place, reject_in

AT_ONCE = 5_000
"""Rejects without their old rows that are fetched together."""
_GROUNDS = 1000
"""Grounds of rejects that are remembered, because further rows may be rejected for the same one."""


REJECT_TYPES = (
    *("text", "int4", "int4"),
    *("int4", "int8", "int4"),
    *("bytea", "bytea"),
    *("text", "text", "text", "bytea"),
    *("int4", "text"),
)
"""The types of the columns of ``reject``: run, position, batch; the row's place; its key and the row; why;
and which item or key it is.
"""


def reject_values(run: str, position: int, batch: int, row: RejectRow) -> tuple[object, ...]:
    """Returns a rejected row in the order of the columns of ``reject``."""
    reject = row.reject
    why = reject.sqlstate, reject.constraint, reject.column, message(reject)
    at = reject.row.source, *page_and_line(reject.row)
    return (run, position, batch, *at, row.key, row.row, *why, *item_and_key(reject.row))


def reject_row(row: asyncpg.Record) -> RejectRow:
    """Returns a rejected row out of a row of the journal."""
    return RejectRow(row["position"], row["batch"], reject_in(row), row["old_key"], row["old_row"])


def batch_reject(row: asyncpg.Record, reader: RejectReader) -> BatchReject:
    """Returns a reject out of a row of the journal that lacks the old row."""
    return BatchReject(row["position"], row["batch"], reader.reject(row))


class RejectReader:
    """Makes rejects of rows of the journal; those for one ground share it."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Reject] = {}

    def reject(self, row: asyncpg.Record) -> Reject:
        """Returns the reject that a row tells."""
        ground = row["message"], row["sqlstate"], row["column_name"], row["constraint_name"], row.get("rank")
        known = self._known.get(ground)
        if known is None:
            if len(self._known) >= _GROUNDS:
                self._known.clear()
            known = self._known[ground] = reject_in(row)
        return Reject(place(row), known.sqlstate, known.reason, known.column, known.constraint, known.rank)
