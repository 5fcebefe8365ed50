"""Which rows differ, where only OLD as it is now can be asked.

The sums of a batch say for certain that it differs. They also tell whether OLD still gives what the run
read: the rows of the batch that nobody wrote since, as NEW should hold them, are taken off the recorded sums.
What is left is due to rows that OLD changed since, and has to be what NEW holds beside the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.proof.expected import Expecting, Row
from tranship.execution.proof.naming import Naming, OldBatch
from tranship.execution.proof.strangers import Strangers
from tranship.model.difference import Difference, DifferenceKind
from tranship.model.digest import Sums
from tranship.model.locator import Locator
from tranship.server.journal import BatchRow
from tranship.server.snapshot import Mark, Snapshot
from tranship.sql.old.values_written import seen_by


class Later(NamedTuple):
    """What is found in one batch."""

    differences: list[Difference]
    changed_in_old: int = 0
    """Rows of the batch that OLD changed or deleted since the run."""
    updated: int = 0
    """Rows that a later run gave other values."""


class LaterNaming(Struct, frozen=True):
    """Names the rows of one flow that differ."""

    naming: Naming
    snapshot: Snapshot
    """Of OLD as it is now."""
    then: Mark
    """The snapshot of the run."""
    not_copied: tuple[Locator, ...]
    """The rows of the flow that the run did not add to NEW."""

    async def batch(self, batch: BatchRow, strangers: Strangers, room: int) -> Later:
        """Returns the differences of one batch. Rows of ``strangers`` that are its own are taken out. At most
        ``room`` rows are named, the others are counted.
        """
        naming = self.naming
        async with self.snapshot.reader(naming.plan.zone) as old:
            reading = self._reading(old, batch)
            rows = await reading.rows(naming.keys)
            named = await naming.of_batch(reading, rows, strangers, room)
        due, recorded = sums_of_rows(rows), batch.due
        if due == recorded:
            added = naming.told_each(DifferenceKind.ADDED, named.extra, room)
            return Later([*named.differences, *added], updated=named.updated)
        rest = recorded - due
        if rest == sums_of_rows(named.extra.elements()):
            return Later(named.differences, rest.rows, named.updated)
        untold = self._untold(named.differences, named.extra, rest)
        return Later(untold, max(rest.rows, 0), named.updated)

    def _untold(self, found: Sequence[Difference], extra: Counter[Row], rest: Sums) -> list[Difference]:
        """Returns the differences of a batch whose rows OLD changed since, so that it cannot tell which of
        NEW's are as they were.
        """
        kind = DifferenceKind.CHANGED
        listed = [*found, *self.naming.told_each(kind, extra)]
        gone = rest.rows - sum(extra.values())
        if gone > 0:
            listed.append(Difference(str(self.naming.plan.new), DifferenceKind.MISSING, rows=gone))
        if not listed:
            listed.append(Difference(str(self.naming.plan.new), kind))
        return [replace(one, old_changed=True) for one in listed]

    def _reading(self, old: asyncpg.Connection, batch: BatchRow) -> OldBatch:
        naming = self.naming
        expecting = Expecting(naming.job, naming.plan, naming.hashing, old, naming.new)
        gone = tuple(row for row in self.not_copied if row in batch.batch)
        return OldBatch(expecting, batch, gone, self._unchanged())

    def _unchanged(self) -> tuple[str, ...]:
        """Returns the conditions of old rows that nobody wrote since the run, where they can be told."""
        plan = self.naming.plan
        # A query's rows have no xmin, nor have rows whose references are led elsewhere.
        if plan.shape.query is not None or plan.repointing is not None:
            return ()
        unseen = self.then.unseen_from(self.snapshot.mark)
        return seen_by(*unseen) if unseen is not None else ()


def sums_of_rows(rows: Iterable[Row]) -> Sums:
    """Returns the sums over single rows."""
    found = Sums()
    for row in rows:
        first, second = row.digest.split(" ")
        found += Sums(1, int(first), int(second))
    return found
