"""The rows of one table that differ, over all runs that filled it, and those that others added since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tranship.errors import TranshipError
from tranship.execution.proof.compare import TableSums, sums_in
from tranship.execution.proof.expected import Row
from tranship.execution.proof.naming import Naming
from tranship.execution.verification.naming import LaterNaming
from tranship.execution.verification.old_now import OldSide
from tranship.execution.verification.recorded import Recorded
from tranship.execution.verification.scene import Found, Scene
from tranship.model.difference import Difference, DifferenceKind
from tranship.model.digest import Sums
from tranship.model.plan import TablePlan
from tranship.server.journal import BatchRow
from tranship.server.snapshot import Mark
from tranship.server.trouble import DATABASE_TROUBLE, spoken


class Compared(NamedTuple):
    """A flow, and what NEW holds of it."""

    flow: Recorded
    plan: TablePlan
    there: TableSums
    wrong: list[BatchRow]
    """Batches whose rows in NEW have other sums."""

    def held(self, batch: BatchRow) -> Sums:
        """Returns the sums over what NEW holds of a batch."""
        return sums_in(batch, self.there)


class Differing:
    """Names the rows of one table that differ, inside a transaction of NEW."""

    def __init__(self, scene: Scene, known: frozenset[int], oldest: int) -> None:
        """``known`` are the transactions of all runs, 32 bits; ``oldest`` is the first one, 64 bits."""
        self._scene, self._known, self._oldest = scene, known, oldest

    async def found(self, compared: Sequence[Compared]) -> list[Found]:
        """Returns what differs of each flow; rows that others added stand with the first one."""
        found: list[Found] = []
        added = Counter[Row]()
        for one in compared:
            old = await self._old(one)
            naming = self._naming(one, old)
            strangers = await naming.strangers()
            before = Counter(strangers)
            found.append(await self._of_flow(one, naming, old, strangers))
            taken = Counter(row.key for row in (before - strangers).elements())
            added = _without(added, taken) if len(found) > 1 else strangers
        found[0].differences += self._naming(compared[0], None).added(added)
        return found

    async def _old(self, one: Compared) -> OldSide | None:
        """Returns OLD as it is now; None: nothing differs that it could name, or it cannot be asked."""
        old = await self._scene.old.side() if one.wrong else None
        return old if old is not None and old.identity == one.flow.run.old_identity else None

    def _naming(self, one: Compared, old: OldSide | None) -> Naming:
        job = self._scene.job(one.flow.run.id, old)
        return Naming(job, one.plan, one.flow.hashing, self._scene.new, self._oldest, self._known)

    async def _of_flow(
        self, one: Compared, naming: Naming, old: OldSide | None, strangers: Counter[Row]
    ) -> Found:
        """Returns the rows of the batches that differ. Rows of ``strangers`` that are theirs are taken
        out.
        """
        if not one.wrong:
            return Found([])
        if old is None:
            why = self._scene.old.trouble or "OLD is another database than the one of its run"
            return Found([_unnamed(one, batch) for batch in one.wrong], why=why)
        run, found = one.flow.run, Found([])
        not_copied = await self._scene.journal.not_copied(self._scene.new, run.id)
        gone = tuple(not_copied.get(one.flow.task.position, ()))
        later = LaterNaming(naming, old.snapshot, Mark.of(run.snapshot), gone)
        for batch in one.wrong:
            try:
                async with self._scene.new.transaction():
                    told = await later.batch(batch, strangers)
            except (*DATABASE_TROUBLE, TranshipError) as error:
                found.differences.append(_unnamed(one, batch))
                found.why = error.message if isinstance(error, TranshipError) else spoken(error)
                continue
            found.differences += told.differences
            found.changed_in_old += told.changed_in_old
        return found


def _without(rows: Counter[Row], taken: Counter[str | None]) -> Counter[Row]:
    """Returns rows without those whose keys another flow has taken for its own."""
    left, kept = Counter(taken), Counter[Row]()
    for row, number in rows.items():
        gone = min(number, left[row.key])
        left[row.key] -= gone
        if number > gone:
            kept[row] = number - gone
    return kept


def _unnamed(one: Compared, batch: BatchRow) -> Difference:
    """Returns that a batch differs, where nobody can say in which row."""
    lacking = batch.written - one.held(batch).rows
    kind = DifferenceKind.MISSING if lacking > 0 else DifferenceKind.CHANGED
    return Difference(str(one.plan.new), kind, rows=max(lacking, 1))
