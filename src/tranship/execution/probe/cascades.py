"""Rejects that follow from rejects by foreign keys inside a group: their transitive closure.

A few rounds ask OLD for the children of the newest rejects. Longer chains, and keys that only NEW can
render, are finished over the family ties in memory (`family_ties`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe import reasons
from tranship.execution.probe.family_ties import Links, RowTexts
from tranship.execution.probe.missing_parents import Fate, Missing
from tranship.execution.probe.parent_flows import parent_flows
from tranship.execution.probe.parents import Parents
from tranship.execution.probe.periods import Periods
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.row_list import RowList
from tranship.execution.probe.row_numbers import RowNumbers
from tranship.model.catalog import ForeignKey
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.verdict import Reject

_ROUNDS = 6
"""Rounds of queries before all ties of the group are read at once: most chains of tables are shorter."""

Gone = Mapping[FlowId, AbstractSet[Locator]]
"""By flow the rows that are nobody's parents, later rejects among them."""
Newest = Mapping[FlowId, RowList]
"""By flow the rows that were rejected last."""


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
    parents: Mapping[FlowId, Links]
    """By flow of the parents."""


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
        newest: Newest = {plan.flow: RowList(self._gone(plan.flow)) for plan in self._plans}
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

    async def _round(self, newest: Newest) -> Newest:
        """Rejects the children of the newest rejects. Returns the rows that it rejected."""
        with self._book.noting() as rejected:
            for tie in self._set_based:
                for parent in self._fillers(tie):
                    if rows := newest.get(parent.flow):
                        found = await self._parents.children(tie.child, tie.key, parent, rows)
                        await self._reject(tie, found)
        return rejected

    async def _reject(self, tie: Tie, rows: RowList) -> None:
        for some in rows.parts():
            await self._parents.judge(tie.child, tie.key, await self._absent(tie, some), rank=2)

    async def _absent(self, tie: Tie, rows: Sequence[Locator]) -> Mapping[Locator, str | None]:
        try:
            return await self._parents.absent(tie.child, tie.key, rows)
        except NotAskable as why:
            self._book.note(tie.child.flow, f"foreign key {tie.key.name}: {why}")
            return {}

    async def _families(self, newest: Newest) -> list[Family]:
        """Returns all ties below the newest rejects, and the whole ties of scanned keys."""
        known = [(tie, await self._parents_of(tie)) for tie in self._set_based]
        families = await self._scanned_families()
        reached = _Reached([*known, *((family.tie, family.parents) for family in families)])
        for flow, rows in newest.items():
            reached.start(flow, rows)
        for family in families:
            reached.start(family.tie.child.flow, family.absent)
        reached.descend()
        for tie, parents in known:
            families.append(Family(tie, await self._absent_of(tie, parents, reached), parents))
        return families

    async def _absent_of(self, tie: Tie, parents: Mapping[FlowId, Links], reached: _Reached) -> RowTexts:
        rows, texts = RowList(), RowTexts()
        for links in parents.values():
            rows.extend(row for row in links.all_children() if reached.has(tie.child.flow, row))
        for some in rows.parts():
            texts.put_all(await self._absent(tie, some))
        return texts

    async def _parents_of(self, tie: Tie) -> dict[FlowId, Links]:
        """Returns the rows of this run to which each child refers by a tie."""
        return {
            parent.flow: await self._parents.families(tie.child, tie.key, parent)
            for parent in self._fillers(tie)
        }

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
        standing = [(one, self._gone_under(one)) for one in families]
        falling = [RowList(row for row in one.absent if _falls(one, gone, row)) for one, gone in standing]
        merged = {plan.flow: self._book.merged(plan.flow) for plan in self._plans}
        while any(falling):
            with self._book.noting() as fallen:
                for family, rows in zip(families, falling, strict=True):
                    child_flow = family.tie.child.flow
                    for row in rows:
                        self._book.add(child_flow, self._missing(family, row, merged))
            falling = [RowList(self._falling(one, gone, fallen)) for one, gone in standing]

    def _gone_under(self, family: Family) -> Gone:
        columns = family.tie.key.target_columns
        return {flow: self._book.absent(flow, columns) for flow in family.parents}

    def _falling(self, family: Family, gone: Gone, fallen: Newest) -> Iterator[Locator]:
        """Yields the rows that lose their last parent with the rows that fell."""
        rejected = self._book.rejected(family.tie.child.flow)
        for flow, links in family.parents.items():
            for parent in fallen.get(flow, ()):
                for child in links.children(parent):
                    if child in family.absent and child not in rejected and _falls(family, gone, child):
                        yield child

    def _missing(self, family: Family, row: Locator, merged: Mapping[FlowId, AbstractSet[Locator]]) -> Reject:
        """Returns the reject of a row none of whose parents arrives under its own key."""
        into_others = [
            parent in merged.get(flow, ())
            for flow, links in family.parents.items()
            for parent in links.parents(row)
        ]
        fate = Fate.NONE
        if into_others:
            fate = Fate.MERGED if all(into_others) else Fate.REJECTED
        tie = family.tie
        missing = Missing(tie.key, self._job.after(tie.child), 2, fate, taken=False)
        return missing.reject(row, reasons.key_shown(family.absent[row]))

    def _fillers(self, tie: Tie) -> list[TablePlan]:
        flows = parent_flows(self._job, tie.child, tie.key).flows
        return [plan for plan in self._plans if plan in flows]


def _falls(family: Family, gone: Gone, row: Locator) -> bool:
    """Returns whether none of the parents of a row, to which NEW cannot give one now, is to arrive."""
    return all(
        parent in gone[flow] for flow, links in family.parents.items() for parent in links.parents(row)
    )


class _Reached:
    """Rows and their descendants."""

    def __init__(self, ties: Sequence[tuple[Tie, Mapping[FlowId, Links]]]) -> None:
        self._ties = ties
        self._rows: dict[FlowId, RowNumbers] = {}
        self._newest: dict[FlowId, RowList] = {}

    def start(self, flow: FlowId, rows: Iterable[Locator]) -> None:
        """Adds rows."""
        known, newest = self._rows.setdefault(flow, RowNumbers()), self._newest.setdefault(flow, RowList())
        for row in rows:
            if known.get(row) is None:
                known.put(row, 0)
                newest.add(row)

    def has(self, flow: FlowId, row: Locator) -> bool:
        """Returns whether a row is among them."""
        return flow in self._rows and self._rows[flow].get(row) is not None

    def descend(self) -> None:
        """Adds the descendants of all rows."""
        while any(self._newest.values()):
            newest, self._newest = self._newest, {}
            for tie, parents in self._ties:
                for flow, links in parents.items():
                    for row in newest.get(flow, ()):
                        self.start(tie.child.flow, links.children(row))
