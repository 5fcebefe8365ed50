"""Where rows of OLD are found again inside a run's snapshot: single rows, and the ranges that batches are cut
into.
"""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct

Address = tuple[int | str, ...]
"""Where a source keeps one row. Addresses of one source are ordered; what the parts mean only the rooms know
that read it.
"""


class Locator(Struct, frozen=True, order=True, gc=False):
    """One row that a flow makes: the driving old row, and which of the rows made from it.

    There may be millions, and it is in no cycle: the garbage collector need not look at it.
    """

    source: int
    """The position in ``TablePlan.sources``."""
    address: Address
    item: int = 0
    """Counts from 1 the rows that a flow makes of one old row; 0 where an old row makes one new row."""


class Pages(Struct, frozen=True, tag=True):
    """The rows of one source with ``start <= address < end``; None is open. All rows made of one old row lie
    in one range, and so do the rows of a query with one value of the column by which it is cut.
    """

    source: int
    start: Address | None
    end: Address | None


class Whole(Struct, frozen=True, tag=True):
    """All rows of one source: it is small, cannot be ranged over, or its rows have to come as one stream."""

    source: int

    @property
    def start(self) -> None:
        """Returns None: the range is open below."""

    @property
    def end(self) -> None:
        """Returns None: the range is open above."""


Range = Pages | Whole


def contains(range_: Range, row: Locator) -> bool:
    """Returns whether a row lies in a range."""
    match range_:
        case Whole(source=source):
            return row.source == source
        case Pages(source=source, start=start, end=end):
            above = start is None or row.address >= start
            return row.source == source and above and (end is None or row.address < end)
        case _:
            assert_never(range_)


def divided(range_: Range, at: Address) -> tuple[Pages, Pages]:
    """Returns the two parts of a range; the second one begins with ``at``."""
    return Pages(range_.source, range_.start, at), Pages(range_.source, at, range_.end)
