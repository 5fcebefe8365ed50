"""What became of the rows of a batch, and the row-count invariant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tranship.execution.copying.updates import Updated
from tranship.execution.resilience.server_errors import StreamBroken
from tranship.model.digest import Sums
from tranship.model.progress import Batch
from tranship.model.verdict import HeldAs
from tranship.server.journal import BatchRow, Predicted


class Copied(NamedTuple):
    """What a transaction has done when it is about to be committed."""

    written: int
    bytes: int
    rejected: int
    xids: Sequence[int] = ()
    """Transaction ids of the savepoints that hold rows."""
    updated: Updated = Updated()
    sums: Sums | None = None
    """Over the added rows as NEW should hold them."""


def accounted(position: int, batch: Batch, predicted: Predicted, copied: Copied, seconds: float) -> BatchRow:
    """Returns a batch as the journal will have it, without the transaction's own id.

    Raises:
        StreamBroken: its rows do not add up.
    """
    row = BatchRow(
        position,
        batch,
        True,
        batch.rows,
        copied.written,
        copied.rejected,
        copied.bytes,
        seconds,
        tuple(copied.xids),
        copied.sums,
        kept=predicted.count(HeldAs.KEPT),
        updated=copied.updated.rows,
        update_xids=copied.updated.xids,
        merged=predicted.count(HeldAs.MERGED),
    )
    there = predicted.count(HeldAs.ALREADY_THERE)
    if row.already_there != there:
        raise StreamBroken(
            f"{batch.flow} batch {batch.number}: {row.read} rows, {row.written} written,"
            f" {row.rejected} rejected, {there} already there, {row.kept} kept, {row.updated} updated,"
            f" {row.merged} merged"
        )
    return row
