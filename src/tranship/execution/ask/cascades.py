"""Foreign keys inside a group: orphans, then children of whoever was rejected, until nobody is left to reject.

The first rounds ask OLD for the children of the newest rejects; a chain that goes on is finished over all family ties at once
(two row identifiers a child in memory, about 300 bytes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tranship.execution.ask.book import Book
from tranship.execution.ask.parents import Parents
from tranship.execution.ask.questions import NotAskable
from tranship.model.catalog import ForeignKey
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.progress import RowId

_ROUNDS = 6


class Tie(Struct, frozen=True):
    """One foreign key inside the group, as one plan fills it."""

    child: TablePlan
    key: ForeignKey
    new: bool
    """OLD does not hold the key: it may have orphans of its own."""


class Cascades:
    """Brings one group to its fixed point.

    Args:
        absent: rows whose parent NEW does not hold, for ties that only a scan could tell, by (old table, key name).
    """

    def __init__(
        self,
        plans: Sequence[TablePlan],
        ties: Sequence[Tie],
        parents: Parents,
        book: Book,
        absent: Mapping[tuple[TableName, str], Mapping[RowId, str | None]],
    ) -> None:
        self._plans, self._parents, self._book = plans, parents, book
        self._told = [t for t in ties if parents.set_based(t.child, t.key)]
        self._scanned = [(t, absent[t.child.old, t.key.name]) for t in ties if (t.child.old, t.key.name) in absent]

    async def settle(self) -> None:
        """Reject until nothing changes."""
        for tie in self._told:
            if tie.new:
                await self._reject(tie, await self._parents.orphans(tie.child, tie.key))
        frontier = {plan.old: sorted(self._book.rejected(plan.old)) for plan in self._plans}
        rounds = 0
        while any(frontier.values()):
            before = {plan.old: set(self._book.rejected(plan.old)) for plan in self._plans}
            if rounds < _ROUNDS:
                for tie in self._told:
                    await self._reject_children(tie, frontier)
            else:
                await self._finish(frontier)
            for tie, absent in self._scanned:
                gone = self._book.rejected(tie.child.old)
                await self._parents.judge(tie.child, tie.key, {r: k for r, k in absent.items() if r not in gone}, rank=2)
            frontier = {plan.old: sorted(self._book.rejected(plan.old).keys() - before[plan.old]) for plan in self._plans}
            rounds += 1

    async def _reject_children(self, tie: Tie, frontier: Mapping[TableName, Sequence[RowId]]) -> None:
        for parent in self._fillers(tie):
            if frontier[parent.old]:
                await self._reject(tie, await self._parents.children(tie.child, tie.key, parent, frontier[parent.old]))

    async def _reject(self, tie: Tie, rows: Sequence[RowId]) -> list[RowId]:
        try:
            absent = await self._parents.absent(tie.child, tie.key, rows)
        except NotAskable as why:
            self._book.note(tie.child.old, f"foreign key {tie.key.name}: {why}")
            return []
        return await self._parents.judge(tie.child, tie.key, absent, rank=2)

    async def _finish(self, frontier: Mapping[TableName, Sequence[RowId]]) -> None:
        """Everybody below the frontier at once, generation by generation, each judged when its parents are."""
        ties: list[tuple[Tie, TablePlan, dict[RowId, list[RowId]]]] = []
        for tie in self._told:
            for parent in self._fillers(tie):
                below: dict[RowId, list[RowId]] = {}
                for child, above in await self._parents.families(tie.child, tie.key, parent):
                    below.setdefault(above, []).append(child)
                ties.append((tie, parent, below))
        reached = _reached(frontier, ties)
        candidates: dict[tuple[TableName, str], dict[RowId, str | None]] = {}
        for tie in self._told:
            rows = reached.get(tie.child.old, set())
            candidates[tie.child.old, tie.key.name] = await self._absent(tie, sorted(rows))
        waiting = {plan.old: list(frontier[plan.old]) for plan in self._plans}
        while any(waiting.values()):
            following: dict[TableName, list[RowId]] = {plan.old: [] for plan in self._plans}
            for tie, parent, below in ties:
                known = candidates[tie.child.old, tie.key.name]
                gone = self._book.rejected(tie.child.old)
                grown = (row for above in waiting[parent.old] for row in below.get(above, ()))
                absent = {row: known[row] for row in grown if row in known and row not in gone}
                if absent:
                    following[tie.child.old] += await self._parents.judge(tie.child, tie.key, absent, rank=2)
            waiting = following

    async def _absent(self, tie: Tie, rows: Sequence[RowId]) -> dict[RowId, str | None]:
        try:
            return await self._parents.absent(tie.child, tie.key, rows)
        except NotAskable as why:
            self._book.note(tie.child.old, f"foreign key {tie.key.name}: {why}")
            return {}

    def _fillers(self, tie: Tie) -> list[TablePlan]:
        return [plan for plan in self._plans if plan.new == tie.key.target]


def _reached(
    frontier: Mapping[TableName, Sequence[RowId]], ties: Sequence[tuple[Tie, TablePlan, Mapping[RowId, Sequence[RowId]]]]
) -> dict[TableName, set[RowId]]:
    """Descendants of the frontier."""
    reached: dict[TableName, set[RowId]] = {}
    work = [(table, row) for table, rows in frontier.items() for row in rows]
    while work:
        table, row = work.pop()
        for tie, parent, below in ties:
            if parent.old != table:
                continue
            seen = reached.setdefault(tie.child.old, set())
            for child in below.get(row, ()):
                if child not in seen:
                    seen.add(child)
                    work.append((tie.child.old, child))
    return reached
