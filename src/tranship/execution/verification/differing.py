"""The rows of one table that differ, over all runs that filled it, and those that others added since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from tranship.errors import TranshipError
from tranship.execution.proof.claims import Claims
from tranship.execution.proof.compare import Subject, TableSums, sums_in
from tranship.execution.proof.naming import NAMED, Listing, Naming
from tranship.execution.proof.new_rows import Extents, NewRows, Runs
from tranship.execution.proof.strangers import Strangers
from tranship.execution.proof.unlike import with_unlike
from tranship.execution.verification.naming import Later, LaterNaming
from tranship.execution.verification.old_now import OldSide
from tranship.execution.verification.recorded import Place, Recorded
from tranship.execution.verification.scene import Found, Scene
from tranship.model.difference import Difference, DifferenceKind
from tranship.model.digest import Sums
from tranship.server.journal import BatchRow
from tranship.server.snapshot import Mark
from tranship.server.trouble import DATABASE_TROUBLE, spoken


class Compared(NamedTuple):
    """A flow, and what NEW holds of it."""

    flow: Recorded
    of: Subject
    there: TableSums
    wrong: list[BatchRow]
    """Batches whose rows in NEW have other sums."""

    @property
    def unlike(self) -> int:
        """Rows that do not hold what NEW should have filled in."""
        return self.there.unlike_in(self.flow.done, others=bool(self.wrong))

    def held(self, batch: BatchRow) -> Sums:
        """Returns the sums over what NEW holds of a batch."""
        return sums_in(batch, self.there)


class Differing:
    """Names the rows of one table that differ, inside a transaction of NEW."""

    def __init__(self, scene: Scene, flows: Sequence[Recorded], runs: Runs) -> None:
        """``flows`` are all that fill the table, ``runs`` their transactions."""
        self._scene, self._flows, self._runs = scene, flows, runs
        self._wrong: list[int] = []
        """The transactions of batches that differ."""
        self._extents: Extents | None = None
        self._claims = Claims()
        self._unnamed: list[tuple[Compared, BatchRow]] = []
        """Batches of which nobody can say which rows differ."""

    async def found(self, compared: Sequence[Compared], before: Collection[str]) -> dict[Place, Found]:
        """Returns what differs of each flow; rows that others added stand with the first one. ``before`` are
        the places of rows that NEW held before the runs and that others wrote anew.
        """
        found = {one.flow.place: Found([], of=one.of) for one in compared}
        self._wrong = [xid for one in compared for batch in one.wrong for xid in batch.xids]
        strangers = await self._named(compared, found)
        # What a flow has taken of the rows of others is its own, before it leaves out what others took.
        for one in compared:
            mine = found[one.flow.place]
            unlike = self._claims.unlike(strangers[one.flow.place], one.flow.done, one.wrong, one.there)
            if unlike is not None:
                mine.differences = await with_unlike(self._naming(one, None), unlike, mine.differences)
        first = found[compared[0].flow.place]
        await self._claims.close(before)
        lost = sum((batch.due - one.held(batch) for one, batch in self._unnamed), Sums())
        if alike(compared) and await self._claims.are_left(lost):
            return found
        for one, batch in self._unnamed:
            found[one.flow.place].differences.append(_unnamed(one, batch))
        room, lacking = NAMED - len(first.differences), max(lost.rows, 0)
        first.differences += await self._claims.added(self._naming(compared[0], None), room, lacking)
        return found

    async def _named(self, compared: Sequence[Compared], found: dict[Place, Found]) -> dict[Place, Strangers]:
        """Enters the rows of differing batches that differ. Returns the rows of others, of which each flow
        has taken its own.
        """
        strangers: dict[Place, Strangers] = {}
        for one in compared:
            old = await self._old(one)
            naming = self._naming(one, old)
            strangers[one.flow.place] = mine = self._claims.of(naming)
            found[one.flow.place] = replace(await self._of_flow(one, naming, old, mine), of=one.of)
        return strangers

    async def _old(self, one: Compared) -> OldSide | None:
        """Returns OLD as it is now; None: nothing differs that it could name, or it cannot be asked."""
        old = await self._scene.old.side() if one.wrong else None
        return old if old is not None and old.identity == one.flow.run.old_identity else None

    def _naming(self, one: Compared, old: OldSide | None) -> Naming:
        of = replace(one.of, job=self._scene.job(one.flow.run.id, old))
        updated_by = [xid for flow in self._flows if flow.place != one.flow.place for xid in flow.update_xids]
        others = one.there.others.rows
        if self._extents is None:
            self._extents = Extents(self._scene.new, of.job.after(of.plan), self._runs, self._wrong)
        rows = NewRows(of, self._scene.new, self._runs, self._extents)
        return Naming(rows, others, tuple(updated_by))

    async def _of_flow(
        self, one: Compared, naming: Naming, old: OldSide | None, strangers: Strangers
    ) -> Found:
        """Returns the rows of the batches that differ. Rows of ``strangers`` that are theirs are taken
        out.
        """
        if not one.wrong:
            return Found([])
        if old is None:
            self._unnamed += [(one, batch) for batch in one.wrong if batch.sums is not None]
            why = self._scene.old.trouble or "OLD is another database than the one of its run"
            return Found(_at_least(one, one.wrong, strangers), why=why)
        found, listing, left = Found([]), Listing(), list[BatchRow]()
        later = LaterNaming(naming, old.snapshot, Mark.of(one.flow.run.snapshot))
        for batch in one.wrong:
            try:
                told = await self._of_batch(one, batch, later, (strangers, listing.room))
            except (*DATABASE_TROUBLE, TranshipError) as error:
                told, found.why = None, error.message if isinstance(error, TranshipError) else spoken(error)
                self._unnamed += [(one, batch)] if batch.sums is not None else []
            if told is None:
                left.append(batch)
                continue
            listing.add(told.differences)
            found.changed_in_old += told.changed_in_old
            found.updated_later += told.updated
        listing.add(_at_least(one, left, strangers))
        return replace(found, differences=listing.all)

    async def _of_batch(
        self, one: Compared, batch: BatchRow, later: LaterNaming, beside: tuple[Strangers, int]
    ) -> Later | None:
        """Returns what differs in one batch; None: it has no sums, and nobody can say which rows they are."""
        run, (strangers, room) = one.flow.run, beside
        async with self._scene.new.transaction():
            gone = await self._scene.journal.not_copied(self._scene.new, run.id, batch)
            if batch.sums is None:
                return await later.counted(batch, gone, strangers, _lacking(one, batch))
            return await later.batch(batch, gone, strangers, room)


def _at_least(one: Compared, batches: Sequence[BatchRow], strangers: Strangers) -> list[Difference]:
    """Returns how many rows of batches without sums are missing at least, where nobody can say which: others
    may have written as many of those that are lacking anew as there are rows of theirs.
    """
    lacking = sum(_lacking(one, batch) for batch in batches if batch.sums is None)
    gone = lacking - (one.there.others.rows - strangers.number_taken)
    return [Difference(str(one.of.plan.new), DifferenceKind.MISSING, rows=gone)] if gone > 0 else []


def _lacking(one: Compared, batch: BatchRow) -> int:
    """Returns how many rows that a batch wrote do not carry its transactions any more."""
    return batch.written - one.held(batch).rows


def alike(compared: Sequence[Compared]) -> bool:
    """Returns whether all flows fill the same columns and hash alike, so that their sums add up."""
    return len({(one.flow.hashing, tuple(m.column for m in one.of.plan.columns)) for one in compared}) <= 1


def _unnamed(one: Compared, batch: BatchRow) -> Difference:
    """Returns that a batch differs, where nobody can say in which row.

    A row that others changed carries the batch's transactions no more, as one that they deleted: where NEW
    holds rows of others, the one cannot be told from the other.
    """
    lacking = _lacking(one, batch)
    gone = DifferenceKind.MISSING_OR_CHANGED if one.there.others.rows else DifferenceKind.MISSING
    kind = gone if lacking > 0 else DifferenceKind.CHANGED
    return Difference(str(one.of.plan.new), kind, rows=max(lacking, 1))
