"""Batches as rows of the journal."""

from __future__ import annotations

import asyncpg

from tranship.model.digest import Sums
from tranship.model.flow import FlowId
from tranship.model.locator import Pages, Range, Whole
from tranship.model.progress import Batch, OldRows
from tranship.server.journal.nouns import BatchRow
from tranship.sql.row_id import parse_address


def batch_row(row: asyncpg.Record, flow: FlowId) -> BatchRow:
    """Returns a batch of the flow as the journal has it."""
    range_ = _range(row["source"], row["lo"], row["hi"])
    return BatchRow(
        row["position"],
        Batch(row["number"], flow, range_, row["row_count"], _old(row)),
        row["state"] == "done",
        row["read"] or 0,
        row["written"] or 0,
        row["rejected"] or 0,
        row["bytes"] or 0,
        row["seconds"] or 0.0,
        tuple(row["xids"]),
        _sums(row),
        row["state"] not in ("todo", "done", "uncounted"),
        row.get("kept") or 0,
        row.get("updated") or 0,
        tuple(row.get("update_xids") or ()),
        row.get("merged") or 0,
        row.get("committed"),
        row["state"] == "uncounted",
    )


def _range(source: int, lo: str | None, hi: str | None) -> Range:
    if lo is None and hi is None:
        return Whole(source)
    start, end = (parse_address(text) if text is not None else None for text in (lo, hi))
    return Pages(source, start, end)


def _old(row: asyncpg.Record) -> OldRows | None:
    read = row.get("old_rows")
    if read is None:
        return None
    return OldRows(read, row["left_out"], row["no_items"], row["with_parent"])


def _sums(row: asyncpg.Record) -> Sums | None:
    if row["hash0"] is None:
        return None
    return Sums(row["written"] or 0, int(row["hash0"]), int(row["hash1"]))
