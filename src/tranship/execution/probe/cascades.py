"""Foreign keys inside a group: orphans, then children of whoever was rejected, until nobody is left to reject.

A few rounds ask OLD for the children of the newest rejects; what goes on longer, or what only NEW's rendering can tell, is finished
over the family ties themselves (about 300 bytes per child in memory).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe import reasons
from tranship.execution.probe.parents import Parents
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reject_book import Book
from tranship.model.catalog import ForeignKey
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan

_ROUNDS = 6

Member = tuple[FlowId, Locator]
"""A row of an old table."""


class Tie(Struct, frozen=True):
    """One foreign key inside the group, as one plan fills it."""

    child: TablePlan
    key: ForeignKey
    doubted: bool
    """OLD may have orphans of its own: they are looked for."""


class Family(Struct, frozen=True):
    """The rows of one tie that NEW's rows do not satisfy, with the rows of this run that could."""

    tie: Tie
    absent: Mapping[Locator, str | None]
    parents: Mapping[Locator, Sequence[Member]]


class Cascades:
    """Brings one group to its fixed point.

    Args:
        absent: rows whose parent NEW does not hold, for ties that only a scan could tell, by (old table, key name).
    """

    def __init__(
        self,
        job: Job,
        plans: Sequence[TablePlan],
        ties: Sequence[Tie],
        parents: Parents,
        book: Book,
        absent: Mapping[tuple[FlowId, str], Mapping[Locator, str | None]],
    ) -> None:
        self._job, self._plans, self._parents, self._book = job, plans, parents, book
        self._scanned = [
            (t, absent[t.child.flow, t.key.name]) for t in ties if (t.child.flow, t.key.name) in absent
        ]
        self._told = [
            t for t in ties if (t.child.flow, t.key.name) not in absent and parents.set_based(t.child, t.key)
        ]

    async def resolve(self) -> None:
        """Rejects until nothing changes.

        Children that NEW itself would leave without a parent go first. What is left of a rejected row's children
        would find another row of NEW; whoever refers to those is looked for in a further round.
        """
        await self._reject_absent()
        while await self._reject_children_of_rejected():
            await self._reject_absent()

    async def _reject_children_of_rejected(self) -> int:
        ties = [*self._told, *(tie for tie, _ in self._scanned)]
        found = [await self._parents.reject_children_of_rejected(tie.child, tie.key, rank=2) for tie in ties]
        return sum(found)

    async def _reject_absent(self) -> None:
        for tie in self._told:
            if tie.doubted:
                await self._reject(tie, await self._parents.orphans(tie.child, tie.key))
        frontier = {plan.flow: sorted(self._book.rejected(plan.flow)) for plan in self._plans}
        rounds = 0
        while any(frontier.values()) and rounds < _ROUNDS and not self._scanned:
            before = {plan.flow: set(self._book.rejected(plan.flow)) for plan in self._plans}
            for tie in self._told:
                for parent in self._fillers(tie):
                    if frontier[parent.flow]:
                        await self._reject(
                            tie,
                            await self._parents.children(tie.child, tie.key, parent, frontier[parent.flow]),
                        )
            frontier = {
                plan.flow: sorted(self._book.rejected(plan.flow).keys() - before[plan.flow])
                for plan in self._plans
            }
            rounds += 1
        if any(frontier.values()) or self._scanned:
            self._fall(await self._families(frontier))

    async def _reject(self, tie: Tie, rows: Sequence[Locator]) -> None:
        await self._parents.judge(tie.child, tie.key, await self._absent(tie, rows), rank=2)

    async def _absent(self, tie: Tie, rows: Sequence[Locator]) -> Mapping[Locator, str | None]:
        try:
            return await self._parents.absent(tie.child, tie.key, rows)
        except NotAskable as why:
            self._book.note(tie.child.flow, f"foreign key {tie.key.name}: {why}")
            return {}

    async def _families(self, frontier: Mapping[FlowId, Sequence[Locator]]) -> list[Family]:
        """All ties below the frontier, and those of scanned keys as wholes."""
        known: list[tuple[Tie, dict[Locator, list[Member]]]] = []
        for tie in self._told:
            parents: dict[Locator, list[Member]] = {}
            for parent in self._fillers(tie):
                for child, above in await self._parents.families(tie.child, tie.key, parent):
                    parents.setdefault(child, []).append((parent.flow, above))
            known.append((tie, parents))
        families = []
        for tie, absent in self._scanned:
            try:
                families.append(Family(tie, absent, await self._parents.held(tie.key, absent)))
            except NotAskable as why:
                self._book.note(tie.child.flow, f"foreign key {tie.key.name}: {why}")
        ties = known + [(family.tie, dict(family.parents)) for family in families]
        start = [(table, row) for table, rows in frontier.items() for row in rows]
        start += [(f.tie.child.flow, row) for f in families for row in f.absent]
        reached = _reached(start, ties)
        for tie, parents in known:
            rows = sorted(row for row in parents if (tie.child.flow, row) in reached)
            families.append(Family(tie, await self._absent(tie, rows), parents))
        return families

    def _fall(self, families: Sequence[Family]) -> None:
        """Whoever has no surviving parent is rejected, and so on down."""
        standing: dict[tuple[int, Locator], int] = {}
        below: dict[Member, list[tuple[int, Locator]]] = {}
        falling: deque[tuple[int, Locator]] = deque()
        for n, family in enumerate(families):
            for row in sorted(family.absent):
                above = family.parents.get(row, ())
                alive = [m for m in above if m[1] not in self._book.rejected(m[0])]
                standing[n, row] = len(alive)
                for member in alive:
                    below.setdefault(member, []).append((n, row))
                if not alive:
                    falling.append((n, row))
        while falling:
            n, row = falling.popleft()
            tie, text = families[n].tie, families[n].absent[row]
            gone = bool(families[n].parents.get(row))
            reject = reasons.parent(
                row, tie.key, self._job.after(tie.child), reasons.key_shown(text), gone=gone, rank=2
            )
            if not self._book.add(tie.child.flow, reject):
                continue
            for child in below.get((tie.child.flow, row), ()):
                standing[child] -= 1
                if standing[child] == 0:
                    falling.append(child)

    def _fillers(self, tie: Tie) -> list[TablePlan]:
        return [plan for plan in self._plans if plan.new == tie.key.target]


def _reached(
    start: Sequence[Member], ties: Sequence[tuple[Tie, Mapping[Locator, Sequence[Member]]]]
) -> set[Member]:
    """Descendants of some rows, themselves included."""
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
