"""One table of NEW, compared with what finished runs brought into it."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.execution.proof.compare import LOW, differing, table_sums
from tranship.execution.verification.differing import Compared, Differing
from tranship.execution.verification.recorded import Recorded
from tranship.execution.verification.scene import Found, Scene
from tranship.execution.verification.verdicts import told
from tranship.model.catalog import Table
from tranship.model.difference import Difference, DifferenceKind
from tranship.model.digest import Sums
from tranship.model.plan import TablePlan
from tranship.model.verification import VerifiedTable
from tranship.server.journal import name_text
from tranship.sql.new.counting import NEXT_XID, WRAP


async def check_table(scene: Scene, flows: Sequence[Recorded]) -> list[VerifiedTable]:
    """Returns what is known of the rows of these flows, which fill one table of NEW."""
    provable = [(flow, flow.plan) for flow in flows if not flow.unprovable and flow.plan is not None]
    table = scene.catalog.table(flows[0].table)
    if table is None:
        found = [_gone(flow) for flow, _ in provable]
    else:
        found = await _TableCheck(scene, table, provable).run() if provable else []
    by_place = {flow.place: one for (flow, _), one in zip(provable, found, strict=True)}
    return [told(scene, flow, by_place.get(flow.place)) for flow in flows]


def _gone(flow: Recorded) -> Found:
    missing = Difference(str(flow.table), DifferenceKind.MISSING, rows=flow.rows)
    return Found([missing] if flow.rows else [], why="NEW has no such table any more")


class _TableCheck:
    """Compares the rows of flows that fill one table."""

    def __init__(self, scene: Scene, table: Table, flows: Sequence[tuple[Recorded, TablePlan]]) -> None:
        self._scene, self._table, self._flows = scene, table, flows
        self._oldest = min((flow.oldest for flow, _ in flows if flow.oldest is not None), default=0)

    async def run(self) -> list[Found]:
        """Returns what is found out about each flow."""
        new = self._scene.new
        # One snapshot of NEW: rows, and the journal of other runs, which may be at work beside this.
        async with new.transaction(isolation="repeatable_read", readonly=True):
            given = (self._scene.identity, name_text(self._table.name))
            xids = await new.fetchval(self._scene.journal.sql("xids_of_table"), *given)
            known = frozenset(xid & LOW for xid in xids)
            compared = [await self._compare(flow, plan, known) for flow, plan in self._flows]
            why = await self._no_transactions()
            if why:
                return _whole(compared, why)
            if _equal_otherwise(compared):
                return [Found([]) for _ in compared]
            return await Differing(self._scene, known, self._oldest).found(compared)

    async def _compare(self, flow: Recorded, plan: TablePlan, known: frozenset[int]) -> Compared:
        job = self._scene.job(flow.run.id)
        there = await table_sums(self._scene.new, job, plan, flow.hashing, known, self._oldest)
        return Compared(flow, plan, there, differing(flow.done, there))

    async def _no_transactions(self) -> str:
        """Returns why transaction numbers do not tell whose rows are whose; empty: they do."""
        if not all(flow.native for flow, _ in self._flows):
            return "NEW was restored from another server"
        if self._oldest and await self._scene.new.fetchval(NEXT_XID) - self._oldest > WRAP:
            return "too many transactions ran in NEW since"
        return ""


def _equal_otherwise(compared: Sequence[Compared]) -> bool:
    """Returns whether the rows of all batches that differ are, together with those of others, what they
    should be: somebody wrote them anew, or the server did (a rewrite of the table).
    """
    if not any(one.wrong or one.there.others.rows for one in compared):
        return True
    if not _alike(compared):
        return False
    due = sum((batch.due for one in compared for batch in one.wrong), Sums())
    there = sum((one.held(batch) for one in compared for batch in one.wrong), Sums())
    return due.rows > 0 and due == there + compared[0].there.others


def _whole(compared: Sequence[Compared], why: str) -> list[Found]:
    """Compares the sums of the whole table, where transactions do not tell whose rows are whose."""
    how = f"by the sums of the whole table, since {why}"
    due = sum((batch.due for one in compared for batch in one.flow.done), Sums())
    there = sum(compared[0].there.by_transaction.values(), Sums())
    if due == there and _alike(compared):
        return [Found([], why=how) for _ in compared]
    if there.rows < due.rows:
        name = str(compared[0].plan.new)
        missing = Difference(name, DifferenceKind.MISSING, rows=due.rows - there.rows)
        return [Found([missing], why=how), *(Found([], why=how, proven=False) for _ in compared[1:])]
    more = there.rows - due.rows
    said = f"{how}: NEW holds {more} rows more than the runs wrote" if more else f"{how}, which differ"
    return [Found([], why=said, proven=False) for _ in compared]


def _alike(compared: Sequence[Compared]) -> bool:
    """Returns whether all flows fill the same columns and hash alike, so that their sums add up."""
    return len({(one.flow.hashing, tuple(m.column for m in one.plan.columns)) for one in compared}) <= 1
