"""Rejects that follow from rejects by foreign keys inside a group: their transitive closure.

A few rounds ask OLD for the children of the newest rejects. Longer chains, and keys that only NEW can
render, are finished over the family ties in memory (about 300 bytes per child).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe import reasons
from tranship.execution.probe.missing_parents import Fate, Missing
from tranship.execution.probe.parent_flows import parent_flows
from tranship.execution.probe.parents import Parents
from tranship.execution.probe.periods import Periods
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reject_book import Book
from tranship.model.catalog import ForeignKey
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.verdict import Reject

_ROUNDS = 6
"""Rounds of queries before all ties of the group are read at once: most chains of tables are shorter."""

Member = tuple[FlowId, Locator]
"""A row of an old table."""


class Tie(Struct, frozen=True):
    """One foreign key inside the group, as one plan fills it."""

    child: TablePlan
    key: ForeignKey
    doubted: bool
    """Whether OLD may have orphans of its own, which are looked for."""


class Family(Struct, frozen=True):
    """The rows of one tie that NEW's rows do not satisfy, with the rows of this run that could."""

    tie: Tie
    absent: Mapping[Locator, str | None]
    parents: Mapping[Locator, Sequence[Member]]


class Within(Struct, frozen=True):
    """One group: its flows, the keys inside it, and what a scan has found of these."""

    plans: tuple[TablePlan, ...]
    ties: tuple[Tie, ...]
    absent: Mapping[tuple[FlowId, str], Mapping[Locator, str | None]]
    """Rows whose parent NEW does not hold, for ties that only a scan could tell, by flow and key name."""


class Cascades:
    """Rejects the transitive closure of one group's rejects."""

    def __init__(self, job: Job, within: Within, parents: Parents, periods: Periods, book: Book) -> None:
        self._job, self._parents, self._periods, self._book = job, parents, periods, book
        self._plans, ties, absent = within.plans, within.ties, within.absent
        self._scanned = [
            (t, absent[t.child.flow, t.key.name]) for t in ties if (t.child.flow, t.key.name) in absent
        ]
        self._periodic = [t for t in ties if t.key.period]
        self._set_based = [
            t for t in ties if (t.child.flow, t.key.name) not in absent and parents.set_based(t.child, t.key)
        ]

    async def resolve(self) -> None:
        """Rejects rows until nothing changes.

        Children that NEW itself would leave without a parent go first. What is left of a rejected row's
        children would find another row of NEW; whoever refers to those is looked for in a further round.
        """
        await self._reject_absent()
        if await self._reject_unrelated():
            await self._reject_absent()
        while await self._reject_children_of_rejected():
            await self._reject_absent()

    async def _reject_unrelated(self) -> int:
        ties = [*self._set_based, *(tie for tie, _ in self._scanned)]
        return sum([await self._parents.reject_unrelated(tie.child, tie.key, rank=2) for tie in ties])

    async def _reject_children_of_rejected(self) -> int:
        ties = [*self._set_based, *(tie for tie, _ in self._scanned)]
        found = [await self._parents.reject_children_of_rejected(tie.child, tie.key, rank=2) for tie in ties]
        found += [await self._periods.reject(tie.child, tie.key, rank=2) for tie in self._periodic]
        return sum(found)

    async def _reject_absent(self) -> None:
        for tie in self._set_based:
            if tie.doubted:
                await self._reject(tie, await self._parents.orphans(tie.child, tie.key))
        newest = {plan.flow: sorted(self._gone(plan.flow)) for plan in self._plans}
        # A tie that needed a scan is resolved over the family ties, so rounds would find nothing more.
        rounds = 0 if self._scanned else _ROUNDS
        while any(newest.values()) and rounds > 0:
            newest = await self._round(newest)
            rounds -= 1
        if any(newest.values()) or self._scanned:
            self._fall(await self._families(newest))

    def _gone(self, flow: FlowId) -> AbstractSet[Locator]:
        """Returns the rows of a flow that are nobody's parents under one of the ties."""
        keys = (tie.key for tie in self._set_based if tie.key.target == flow.new)
        return self._book.absent(flow, sorted({name for key in keys for name in key.target_columns}))

    async def _round(self, newest: Mapping[FlowId, Sequence[Locator]]) -> dict[FlowId, list[Locator]]:
        """Rejects the children of the newest rejects. Returns the rows that it rejected."""
        before = {plan.flow: set(self._book.rejected(plan.flow)) for plan in self._plans}
        for tie in self._set_based:
            for parent in self._fillers(tie):
                if newest[parent.flow]:
                    rows = await self._parents.children(tie.child, tie.key, parent, newest[parent.flow])
                    await self._reject(tie, rows)
        return {flow: sorted(self._book.rejected(flow).keys() - known) for flow, known in before.items()}

    async def _reject(self, tie: Tie, rows: Sequence[Locator]) -> None:
        await self._parents.judge(tie.child, tie.key, await self._absent(tie, rows), rank=2)

    async def _absent(self, tie: Tie, rows: Sequence[Locator]) -> Mapping[Locator, str | None]:
        try:
            return await self._parents.absent(tie.child, tie.key, rows)
        except NotAskable as why:
            self._book.note(tie.child.flow, f"foreign key {tie.key.name}: {why}")
            return {}

    async def _families(self, newest: Mapping[FlowId, Sequence[Locator]]) -> list[Family]:
        """Returns all ties below the newest rejects, and the whole ties of scanned keys."""
        known = [(tie, await self._parents_of(tie)) for tie in self._set_based]
        families = await self._scanned_families()
        ties = known + [(family.tie, dict(family.parents)) for family in families]
        start = [(table, row) for table, rows in newest.items() for row in rows]
        start += [(family.tie.child.flow, row) for family in families for row in family.absent]
        reached = _reached(start, ties)
        for tie, parents in known:
            rows = sorted(row for row in parents if (tie.child.flow, row) in reached)
            families.append(Family(tie, await self._absent(tie, rows), parents))
        return families

    async def _parents_of(self, tie: Tie) -> dict[Locator, list[Member]]:
        """Returns the rows of this run to which each child refers by a tie."""
        parents: dict[Locator, list[Member]] = {}
        for parent in self._fillers(tie):
            for child, above in await self._parents.families(tie.child, tie.key, parent):
                parents.setdefault(child, []).append((parent.flow, above))
        return parents

    async def _scanned_families(self) -> list[Family]:
        """Returns the families of ties that only a scan could tell."""
        families = []
        for tie, absent in self._scanned:
            try:
                families.append(Family(tie, absent, await self._parents.held(tie.child, tie.key, absent)))
            except NotAskable as why:
                self._book.note(tie.child.flow, f"foreign key {tie.key.name}: {why}")
        return families

    def _fall(self, families: Sequence[Family]) -> None:
        """Rejects every row without a surviving parent, and then its children."""
        standing: dict[tuple[int, Locator], int] = {}
        below: dict[Member, list[tuple[int, Locator]]] = {}
        falling: deque[tuple[int, Locator]] = deque()
        merged = {plan.flow: self._book.merged(plan.flow) for plan in self._plans}
        for n, family in enumerate(families):
            for row, alive in self._alive(family):
                standing[n, row] = len(alive)
                for member in alive:
                    below.setdefault(member, []).append((n, row))
                if not alive:
                    falling.append((n, row))
        while falling:
            n, row = falling.popleft()
            child_flow = families[n].tie.child.flow
            if not self._book.add(child_flow, self._missing(families[n], row, merged)):
                continue
            for child in below.get((child_flow, row), ()):
                standing[child] -= 1
                if standing[child] == 0:
                    falling.append(child)

    def _alive(self, family: Family) -> Iterator[tuple[Locator, list[Member]]]:
        """Yields the rows that NEW cannot give a parent now, with those parents that are to arrive."""
        columns = family.tie.key.target_columns
        absent = {plan.flow: self._book.absent(plan.flow, columns) for plan in self._plans}
        for row in sorted(family.absent):
            yield row, [m for m in family.parents.get(row, ()) if m[1] not in absent[m[0]]]

    def _missing(self, family: Family, row: Locator, merged: Mapping[FlowId, AbstractSet[Locator]]) -> Reject:
        """Returns the reject of a row none of whose parents arrives under its own key."""
        parents, fate = family.parents.get(row, ()), Fate.NONE
        if parents:
            into_others = all(parent in merged.get(flow, ()) for flow, parent in parents)
            fate = Fate.MERGED if into_others else Fate.REJECTED
        tie = family.tie
        missing = Missing(tie.key, self._job.after(tie.child), 2, fate, taken=False)
        return missing.reject(row, reasons.key_shown(family.absent[row]))

    def _fillers(self, tie: Tie) -> list[TablePlan]:
        flows = parent_flows(self._job, tie.child, tie.key).flows
        return [plan for plan in self._plans if plan in flows]


def _reached(
    start: Sequence[Member], ties: Sequence[tuple[Tie, Mapping[Locator, Sequence[Member]]]]
) -> set[Member]:
    """Returns the descendants of some rows, and these rows."""
    below: dict[Member, list[Member]] = {}
    for tie, parents in ties:
        for child, above in parents.items():
            for member in above:
                below.setdefault(member, []).append((tie.child.flow, child))
    reached = set(start)
    work = list(start)
    while work:
        for member in below.get(work.pop(), ()):
            if member not in reached:
                reached.add(member)
                work.append(member)
    return reached
