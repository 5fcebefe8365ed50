"""One table of NEW, compared with what finished runs brought into it."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from msgspec.structs import replace

from tranship.execution.proof.compare import LOW, Subject, differing, table_sums
from tranship.execution.proof.filled import read_filled
from tranship.execution.proof.naming import NAME_ROWS
from tranship.execution.proof.new_rows import Runs
from tranship.execution.time_spent import question
from tranship.execution.verification.differing import Compared, Differing, alike
from tranship.execution.verification.recorded import Place, Recorded
from tranship.execution.verification.repeated import Repeating
from tranship.execution.verification.restored import named
from tranship.execution.verification.scene import Found, Scene
from tranship.execution.verification.verdicts import told
from tranship.model.count import count_of
from tranship.model.difference import Difference, DifferenceKind
from tranship.model.digest import Sums
from tranship.model.plan import TablePlan
from tranship.model.verification import VerifiedTable
from tranship.server.journal import name_text
from tranship.server.trouble import spoken
from tranship.sql.expression import shipped
from tranship.sql.new.counting import NEXT_XID, WRAP


async def check_table(
    scene: Scene, wanted: Sequence[Recorded], flows: Sequence[Recorded]
) -> list[VerifiedTable]:
    """Returns what is known of the rows of the wanted flows; ``flows`` are all that fill the same table of
    NEW.
    """
    table = scene.catalog.table(flows[0].table)
    try:
        found = await _TableCheck(scene, flows).run(wanted) if table is not None else _gone(wanted)
    except asyncpg.PostgresError as error:
        # Of this table alone: a right that is missing, a policy that hides rows, a row that is too large.
        if scene.new.is_closed():
            raise
        found = {flow.place: Found([], why=spoken(error), proven=False) for flow in wanted}
    found |= _without_columns(scene, wanted) if table is not None else {}
    return [told(scene.options, flow, found.get(flow.place)) for flow in wanted]


def _gone(flows: Sequence[Recorded]) -> dict[Place, Found]:
    """Returns that all rows are missing with their table."""
    why, found = "NEW has no such table any more", dict[Place, Found]()
    for flow in flows:
        if not flow.unprovable and flow.rows:
            missing = Difference(str(flow.table), DifferenceKind.MISSING, rows=flow.rows)
            found[flow.place] = Found([missing], why=why)
    return found


def _without_columns(scene: Scene, flows: Sequence[Recorded]) -> dict[Place, Found]:
    """Returns that no row holds what it should in columns that NEW has no more."""
    found = dict[Place, Found]()
    for flow in flows:
        names = _lacking(scene, flow)
        if names and not flow.unprovable and flow.rows:
            of = "column" if len(names) == 1 else "columns"
            changed = Difference(str(flow.table), DifferenceKind.CHANGED, columns=names, rows=flow.rows)
            found[flow.place] = Found([changed], why=f"NEW no longer has the {of} {', '.join(names)}")
    return found


def _lacking(scene: Scene, flow: Recorded) -> tuple[str, ...]:
    """Returns the columns that a flow filled and that NEW has no more."""
    table, plan = scene.catalog.table(flow.table), flow.plan
    names = (plan.columns[n].column for n in shipped(plan)) if plan is not None else ()
    return tuple(name for name in names if table is not None and table.column(name) is None)


class _TableCheck:
    """Compares the rows of flows that fill one table."""

    def __init__(self, scene: Scene, flows: Sequence[Recorded]) -> None:
        self._scene, self._flows = scene, flows
        self._known: frozenset[int] = frozenset()
        self._oldest = 0

    async def run(self, wanted: Sequence[Recorded]) -> dict[Place, Found]:
        """Returns what is found out about each wanted flow whose run recorded enough."""
        new = self._scene.new
        # One snapshot of NEW: rows, and the journal of other runs, which may be at work beside this.
        async with new.transaction(isolation="repeatable_read", readonly=True):
            given = (self._scene.identity, name_text(self._flows[0].table))
            xids = await new.fetchval(self._scene.journal.sql("xids_of_table"), *given)
            self._known = frozenset(xid & LOW for xid in xids)
            why = await self._no_transactions(wanted)
            compared = await (self._sums(self._flows) if why else self._counted_and_summed(wanted))
            found = await (self._whole(compared, why) if why else self._found(compared))
            with question("second opinion"):
                for one in compared:
                    mine = found[one.flow.place]
                    if mine.proven:
                        found[one.flow.place] = await self._repeating(one).with_opinion(mine)
            return found

    async def _whole(self, compared: Sequence[Compared], why: str) -> dict[Place, Found]:
        """Returns what the sums of the whole table say."""
        places = {one.flow.place for one in compared}
        apart = sum(flow.rows for flow in self._flows if flow.place not in places)
        found = await self._named_anyway(compared, _whole(compared, why, apart))
        for one in compared:
            found[one.flow.place].rows_before = self._repeating(one).not_repeated(why)
        return found

    async def _counted_and_summed(self, wanted: Sequence[Recorded]) -> list[Compared]:
        """Returns the wanted flows, and where others wrote rows those of all other runs behind them: somebody
        may have written rows of theirs anew.
        """
        compared = await self._sums(wanted, counted=True)
        if any(one.there.others.rows for one in compared):
            compared += await self._sums([one for one in self._flows if one not in wanted], counted=True)
        return compared

    async def _named_anyway(
        self, compared: Sequence[Compared], whole: dict[Place, Found]
    ) -> dict[Place, Found]:
        """Returns the verdict of the sums of the whole table, with the rows that differ where they can be
        named.
        """
        if all(one.proven and not one.differences for one in whole.values()):
            return whole
        with question(NAME_ROWS):
            rows = await named(self._scene, compared)
        if not any(rows.values()):
            return whole
        found = {
            place: replace(one, differences=list(rows.get(place, ())), proven=True)
            for place, one in whole.items()
        }
        lacking = sum(one.rows for mine in whole.values() for one in mine.differences)
        lacking -= sum(
            one.rows for mine in rows.values() for one in mine if one.kind is DifferenceKind.MISSING
        )
        if lacking > 0:
            first = next(iter(found.values())).differences
            first.append(Difference(str(self._flows[0].table), DifferenceKind.MISSING, rows=lacking))
        return found

    async def _found(self, compared: Sequence[Compared]) -> dict[Place, Found]:
        """Returns what differs, told by transactions."""
        runs = Runs(self._known, self._oldest)
        before = [await self._repeating(one).rows_before(runs) for one in compared]
        hashed = [one for one in compared if not one.flow.counted]
        found = {one.flow.place: Found([], of=one.of) for one in compared}
        if len(hashed) < len(compared):
            found |= _counted(compared)
        elif not _equal_otherwise(compared):
            anew = frozenset(place for one in before for place in one.anew)
            with question(NAME_ROWS):
                found |= await Differing(self._scene, self._flows, runs).found(compared, anew)
        for one, result in zip(compared, before, strict=True):
            mine = found[one.flow.place]
            mine.differences += result.differences
            mine.rows_before = result.said
        return found

    def _repeating(self, one: Compared) -> Repeating:
        flow = one.flow
        later = (xid & LOW for o in self._flows if o.place != flow.place for xid in o.update_xids)
        return Repeating(self._scene, flow, one.of.plan, self._scene.plans[flow.run.id], frozenset(later))

    async def _sums(self, flows: Sequence[Recorded], *, counted: bool = False) -> list[Compared]:
        """Returns the flows whose runs recorded enough with what NEW holds of them; ``counted``: and those
        whose rows can only be counted.
        """
        chosen = [
            flow
            for flow in flows
            if not flow.unprovable and not (flow.partly and not counted) and not _lacking(self._scene, flow)
        ]
        oldest = (flow.oldest for flow in chosen if flow.oldest is not None)
        self._oldest = self._oldest or min(oldest, default=0)
        return [await self._compare(flow, flow.plan) for flow in chosen if flow.plan is not None]

    async def _compare(self, flow: Recorded, plan: TablePlan) -> Compared:
        job, new = self._scene.job(flow.run.id), self._scene.new
        recorded = flow.task.proof.constants if flow.task.proof is not None else None
        subject = Subject(job, plan, flow.hashing, await read_filled(new, job, plan, recorded))
        with question(f"sums of {plan.new}"):
            there = await table_sums(new, subject, self._known, self._oldest)
        return Compared(flow, subject, there, differing(flow.done, there))

    async def _no_transactions(self, wanted: Sequence[Recorded]) -> str:
        """Returns why transaction numbers do not tell whose rows are whose; empty: they do."""
        if not all(flow.native for flow in self._flows):
            return "NEW was restored from another server"
        oldest = min((flow.oldest for flow in wanted if flow.oldest is not None), default=None)
        if oldest is not None and await self._scene.new.fetchval(NEXT_XID) - oldest > WRAP:
            return "too many transactions ran in NEW since"
        return ""


def _counted(compared: Sequence[Compared]) -> dict[Place, Found]:
    """Counts the rows of a table of which a run recorded no sums: how many are missing or were added at
    least. A row that somebody wrote anew carries another transaction.
    """
    first, lacking = compared[0], 0
    for one in compared:
        lacking += sum(batch.written - one.held(batch).rows for batch in one.flow.done)
    more = first.there.others.rows - lacking
    kind = DifferenceKind.ADDED if more > 0 else DifferenceKind.MISSING
    told = Difference(str(first.of.plan.new), kind, rows=abs(more), by_others=more > 0)
    return {first.flow.place: Found([told] if more else [], of=first.of)}


def _equal_otherwise(compared: Sequence[Compared]) -> bool:
    """Returns whether the rows of all batches that differ are, together with those of others, what they
    should be: somebody wrote them anew, or the server did (a rewrite of the table).
    """
    if any(one.unlike for one in compared):
        return False
    if not any(one.wrong or one.there.others.rows for one in compared):
        return True
    if not alike(compared):
        return False
    due = sum((batch.due for one in compared for batch in one.wrong), Sums())
    there = sum((one.held(batch) for one in compared for batch in one.wrong), Sums())
    return due.rows > 0 and due == there + compared[0].there.others


def _whole(compared: Sequence[Compared], why: str, apart: int) -> dict[Place, Found]:
    """Compares the sums of the whole table, where transactions do not tell whose rows are whose; ``apart``:
    rows of runs whose sums are not known.
    """
    if not compared:
        return {}
    how = f"by the sums of the whole table, since {why}"
    due = sum((batch.due for one in compared for batch in one.flow.done), Sums())
    there = sum(compared[0].there.by_transaction.values(), Sums())
    filled = all(not any(one.there.unlike.values()) for one in compared)
    if due == there and filled and not apart and alike(compared):
        return {one.flow.place: Found([], of=one.of, why=how) for one in compared}
    more = there.rows - due.rows - apart
    found = {one.flow.place: Found([], why=f"{how}: {_unlike(more)}", proven=False) for one in compared}
    if more < 0:
        missing = Difference(str(compared[0].of.plan.new), DifferenceKind.MISSING, rows=-more)
        found[compared[0].flow.place] = Found([missing], of=compared[0].of, why=how)
    return found


def _unlike(more: int) -> str:
    return f"NEW holds {count_of(more, 'row')} more than the runs wrote" if more > 0 else "they differ"
