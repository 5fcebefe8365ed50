"""How many rows a batch may have: a number that a person wants, and a bound of bytes."""

from __future__ import annotations

BATCH_BYTES = 64 * 1024 * 1024
"""Most bytes of a batch on OLD's disk, so that a batch of wide rows is not one long transaction."""
SMALLEST_BATCH = 100


def most_rows(batch_rows: int, rows: int, size: int) -> int:
    """Returns the rows of a batch of a source with so many rows and bytes."""
    if rows and size > BATCH_BYTES and batch_rows > SMALLEST_BATCH:
        return max(SMALLEST_BATCH, min(batch_rows, rows * BATCH_BYTES // size))
    return batch_rows
