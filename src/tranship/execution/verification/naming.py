"""Which rows differ, where only OLD as it is now can be asked.

The sums of a batch say for certain that it differs. They also tell whether OLD still gives what the run
read: the rows of the batch that nobody wrote since, as NEW should hold them, are taken off the recorded sums.
What is left is due to rows that OLD changed since, and has to be what NEW holds beside the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.execution.proof.expected import Expecting
from tranship.execution.proof.naming import NAMED, Naming
from tranship.execution.proof.old_batch import OldBatch
from tranship.execution.proof.row_store import RowStore
from tranship.execution.proof.rows import sums_of_rows
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

    async def batch(
        self, batch: BatchRow, not_copied: Sequence[Locator], strangers: Strangers, room: int
    ) -> Later:
        """Returns the differences of one batch; ``not_copied`` are those of its rows that the run did not add
        to NEW. Rows of ``strangers`` that are its own are taken out. At most ``room`` rows are named, the
        others are counted.
        """
        naming = self.naming
        async with self.snapshot.reader(naming.of.plan.zone) as old:
            named = await naming.of_batch(self._reading(old, batch, not_copied), strangers, room)
        rest = batch.due - named.due
        if rest == Sums():
            added = naming.told_left(DifferenceKind.ADDED, named.extra, room)
            return Later([*named.differences, *added], updated=named.updated)
        if rest == sums_of_rows(named.extra.rows()):
            return Later(named.differences, rest.rows, named.updated)
        untold = self._untold(named.differences, named.extra, rest)
        return Later(untold, max(rest.rows, 0), named.updated)

    async def counted(
        self, batch: BatchRow, not_copied: Sequence[Locator], strangers: Strangers, lacking: int
    ) -> Later | None:
        """Returns the rows of a batch without sums that NEW lacks, of ``lacking`` that do not carry its
        transactions any more; None where OLD, which changed since, does not name just so many.
        """
        naming, before = self.naming, strangers.number_taken
        async with self.snapshot.reader(naming.of.plan.zone) as old:
            named = await naming.of_batch(self._reading(old, batch, not_copied), strangers, NAMED)
        anew = strangers.number_taken - before
        changed = sum(one.rows for one in named.differences if one.kind is DifferenceKind.CHANGED)
        # A changed row was taken out of those of others, too.
        gone = sum(one.rows for one in named.differences) - changed
        return Later(named.differences, updated=named.updated) if gone + anew == lacking else None

    async def certain(
        self, batch: BatchRow, not_copied: Sequence[Locator], strangers: Strangers, room: int
    ) -> list[Difference]:
        """Returns the rows of a batch that NEW lacks or holds with other values, looked for among rows of
        which it is not known who wrote them; none where OLD no longer gives what the run read of the batch.
        """
        naming = self.naming
        unknown = replace(batch, xids=())
        async with self.snapshot.reader(naming.of.plan.zone) as old:
            named = await naming.of_batch(self._reading(old, unknown, not_copied), strangers, room)
        return named.differences if named.due == batch.due else []

    def _untold(self, found: Sequence[Difference], extra: RowStore, rest: Sums) -> list[Difference]:
        """Returns the differences of a batch whose rows OLD changed since, so that it cannot tell which of
        NEW's are as they were.
        """
        kind, table = DifferenceKind.CHANGED, str(self.naming.of.plan.new)
        listed = [*found, *self.naming.told_left(kind, extra)]
        gone = rest.rows - extra.left
        if gone > 0:
            listed.append(Difference(table, DifferenceKind.MISSING, rows=gone))
        if not listed:
            listed.append(Difference(table, kind))
        return [replace(one, old_changed=True) for one in listed]

    def _reading(self, old: asyncpg.Connection, batch: BatchRow, not_copied: Sequence[Locator]) -> OldBatch:
        rows, of = self.naming.rows, self.naming.of
        expecting = Expecting(of.job, of.plan, of.hashing, old, rows.new)
        return OldBatch(expecting, batch, tuple(not_copied), rows.keys, self._unchanged())

    def _unchanged(self) -> tuple[str, ...]:
        """Returns the conditions of old rows that nobody wrote since the run, where they can be told."""
        plan = self.naming.of.plan
        # A query's rows have no xmin, nor have rows whose references are led elsewhere.
        if plan.shape.query is not None or plan.repointing is not None:
            return ()
        unseen = self.then.unseen_from(self.snapshot.mark)
        return seen_by(*unseen) if unseen is not None else ()
