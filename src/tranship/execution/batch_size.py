"""How many rows a batch may have where NEW is slow: as many as it takes in a few seconds, going by the batches before.

A long transaction holds locks and old rows, delays an orderly stop and is lost as a whole when something breaks.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

WANTED = 10.0
"""Seconds that a batch may take."""
LATEST = 0.3
"""Weight of the latest batch in the moving average."""
SLOWER, FASTER = 0.8, 1.2
"""Bounds of what one batch changes."""
TOLERANCE = 1.5
"""A batch this many times larger than wanted still goes as a whole."""


class AdaptiveBatchSize(Struct, frozen=True):
    """One table's. What a person chose as ``--batch-size`` is never exceeded."""

    largest: int
    """Rows."""
    smallest: int
    wanted: float
    """Rows of the next batch."""
    row_seconds: float | None = None
    """Moving average of the seconds that a row takes."""

    @staticmethod
    def begin(largest: int, smallest: int, done: Iterable[tuple[int, float]] = ()) -> AdaptiveBatchSize:
        """Of a table whose finished batches had so many rows and took so many seconds."""
        size = AdaptiveBatchSize(largest, min(smallest, largest), float(largest))
        for rows, seconds in done:
            size = size.after(rows, seconds)
        return size

    def after(self, rows: int, seconds: float) -> AdaptiveBatchSize:
        """One batch later. Batches much smaller than wanted say little: what every transaction costs outweighs their rows."""
        if rows <= 0 or rows < self.wanted / 2:
            return self
        latest = seconds / rows
        average = latest if self.row_seconds is None else LATEST * latest + (1 - LATEST) * self.row_seconds
        fitting = WANTED / average if average > 0 else float(self.largest)
        changed = self.wanted * min(max(fitting / self.wanted, SLOWER), FASTER)
        return replace(self, wanted=min(max(changed, self.smallest), self.largest), row_seconds=average)

    def piece(self, rows: int) -> int:
        """Rows of a batch that are moved in one transaction."""
        return int(self.wanted) if rows > self.wanted * TOLERANCE else rows


UNBOUNDED = AdaptiveBatchSize.begin(2**62, 1)
"""No batch is too large."""
