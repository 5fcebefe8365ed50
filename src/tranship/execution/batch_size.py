"""The adaptive batch size: as many rows as NEW takes in a few seconds, by the batches before.

A long transaction holds locks and keeps dead rows, delays an orderly stop, and is lost as a whole when
something breaks.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

WANTED = 10.0
"""Seconds that a batch should take at most."""
LATEST = 0.3
"""Weight of the latest batch in the exponential moving average: about the last five batches count."""
SLOWER, FASTER = 0.8, 1.2
"""Bounds of the change by one batch, so that one that waited for a lock does not shrink all that follow."""
TOLERANCE = 1.5
"""A batch up to this many times larger than wanted is copied as a whole: dividing it costs a transaction."""


class AdaptiveBatchSize(Struct, frozen=True):
    """The batch size of one table. It never exceeds ``--batch-size``."""

    largest: int
    """Most rows of a batch, and least."""
    smallest: int
    wanted: float
    """Rows of the next batch."""
    row_seconds: float | None = None
    """Moving average of the seconds that a row takes."""

    @staticmethod
    def begin(largest: int, smallest: int, done: Iterable[tuple[int, float]] = ()) -> AdaptiveBatchSize:
        """Returns the size for a table whose finished batches had these rows and took these seconds."""
        size = AdaptiveBatchSize(largest, min(smallest, largest), float(largest))
        for rows, seconds in done:
            size = size.after(rows, seconds)
        return size

    def after(self, rows: int, seconds: float) -> AdaptiveBatchSize:
        """Returns the size after one more batch.

        A batch much smaller than wanted changes nothing: the fixed cost of its transaction outweighs its
        rows.
        """
        if rows <= 0 or rows < self.wanted / 2:
            return self
        latest = seconds / rows
        average = latest if self.row_seconds is None else LATEST * latest + (1 - LATEST) * self.row_seconds
        fitting = WANTED / average if average > 0 else float(self.largest)
        changed = self.wanted * min(max(fitting / self.wanted, SLOWER), FASTER)
        return replace(self, wanted=min(max(changed, self.smallest), self.largest), row_seconds=average)

    def piece(self, rows: int) -> int:
        """Returns how many rows of a batch are copied in one transaction."""
        return int(self.wanted) if rows > self.wanted * TOLERANCE else rows


UNBOUNDED = AdaptiveBatchSize.begin(2**62, 1)
"""No batch is too large."""
