"""What became of the parents of rows that find none in NEW, and the rejects of such rows."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from tranship.execution.probe import reasons
from tranship.model.catalog import ForeignKey, Table
from tranship.model.locator import Locator
from tranship.model.verdict import Reject


class Fate(Enum):
    """What became of the row of OLD that is the parent."""

    NONE = "none"
    """OLD has no parent."""
    REJECTED = "rejected"
    MERGED = "merged"
    """It is one row with another one in NEW, which has another key."""
    ELSEWHERE = "elsewhere"
    """NEW held its row before the run, under another key."""
    LEFT_OUT = "left out"
    """A filter leaves it out."""


class Missing(Struct, frozen=True):
    """What is known of a row whose parent does not arrive."""

    key: ForeignKey
    table: Table
    rank: int
    fate: Fate
    taken: bool
    """NEW has, or will have, a row under the key, which is not the parent."""

    def reject(self, row: Locator, shown: str | None) -> Reject:
        """Returns the reject of the row with a key."""
        if self.fate is Fate.MERGED:
            return reasons.parent_merged(row, self.key, self.table, shown, rank=self.rank)
        if self.fate is Fate.ELSEWHERE:
            return reasons.parent_elsewhere(row, self.key, self.table, shown, rank=self.rank)
        gone, left_out = self.fate is Fate.REJECTED, self.fate is Fate.LEFT_OUT
        if not self.taken:
            missing = reasons.parent(row, self.key, self.table, shown, gone=gone, rank=self.rank)
            return reasons.parent_left_out(missing) if left_out else missing
        if gone:
            return reasons.another_parent(row, self.key, self.table, shown, rank=self.rank)
        return reasons.no_parent_in_old(row, self.key, self.table, shown, rank=self.rank, left_out=left_out)
