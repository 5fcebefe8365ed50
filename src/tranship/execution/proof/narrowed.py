"""Narrows a batch that differs to the parts of it that do, so that few rows have to be read one by one."""

from __future__ import annotations

from typing import NamedTuple

from tranship.execution.proof.new_rows import NewRows
from tranship.execution.proof.old_batch import OldBatch
from tranship.execution.proof.rows import AT_ONCE
from tranship.model.digest import Sums
from tranship.sql.digest import Parts

PARTS = 64
SMALL = 1000
"""Rows of a batch, or of a part, that are read one by one."""


class Narrowed(NamedTuple):
    """What of a batch has to be read row by row."""

    parts: Parts | None = None
    """None: all of it."""
    due: Sums | None = None
    """The sums over what NEW should hold of the whole batch, where they are known."""


async def narrowed(reading: OldBatch, there: NewRows) -> Narrowed:
    """Returns the parts of a batch whose sums over what NEW should hold are not those of what it holds.

    A batch of more than 64 000 rows is divided into 64 times 64 parts at once: another level would read it
    again.
    """
    batch = reading.batch
    if batch.written <= SMALL:
        return Narrowed()
    number = PARTS if batch.written <= PARTS * SMALL else PARTS**2
    extent = await there.extents.of(batch.xids)
    lacking = batch.written - (extent.rows if extent is not None else 0)
    if batch.written <= AT_ONCE and lacking > 3 * number:
        # Of 3 rows for each part, one part of twenty lacks none: the sums would be computed for nothing.
        return Narrowed()
    due = await reading.part_sums(number)
    if due is None:
        return Narrowed()
    held = await there.part_sums(batch.xids, number)
    differing = sorted(part for part in due.keys() | held.keys() if due.get(part) != held.get(part))
    return Narrowed(Parts(number, tuple(differing)), sum(due.values(), Sums()))
