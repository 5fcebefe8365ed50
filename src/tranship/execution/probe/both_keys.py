"""Children and their parents by OLD's key and by NEW's at once.

OLD joins them. It compares what both get in NEW where it can compute that; otherwise NEW renders the keys of
some pairs at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import asyncpg

from tranship.execution.context import Job
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.own_parents import by_declared, without_constants
from tranship.execution.probe.parent_flows import ParentFlows, as_taken
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reading import RAISED
from tranship.execution.probe.references import faithful
from tranship.model.catalog import ForeignKey
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.server.deadline import each_row
from tranship.sql.canonical import both_written
from tranship.sql.new.probe import ROLL_BACK, SAVEPOINT
from tranship.sql.old.rows import End, families, orphans
from tranship.sql.row_id import locate

_AT_ONCE = 5_000
"""Rows that are fetched, and whose keys are rendered, together: some megabytes of text."""

Changes = Callable[[TablePlan], bool]
"""Whether a flow of parents gets other keys than OLD's."""
_Ends = tuple[tuple[str, ...], End]
"""A child's expressions and its parent's end."""


class BothKeys:
    """Compares the keys that children and parents have in OLD, and those that they get in NEW."""

    def __init__(self, job: Job, derived: Derived) -> None:
        self._job, self._derived = job, derived

    async def apart(
        self,
        plan: TablePlan,
        key: ForeignKey,
        of: ParentFlows,
        changes: Changes = lambda _: True,
        *,
        orphans_too: bool = True,
    ) -> list[Locator]:
        """Returns the rows, in their order, none of whose parents in OLD gets the key that they get in NEW.
        A row that refers to nothing in NEW is none of them, nor one without a parent in OLD unless
        ``orphans_too``.

        Raises:
            NotAskable: neither OLD nor NEW can compare the keys.
        """
        if of.declared is None or not of.all_rows:
            return []
        plain, old = without_constants(as_taken(plan, key), key), self._derived.reader(plan).old
        computed = on_old(self._job, plan, key, of, changes)
        apart = await self._computed_apart(plain, old, computed) if computed is not None else None
        if apart is None:
            apart = await self._rendered_apart(plain, key, of, old)
        by_old = None if orphans_too else on_old(self._job, plan, key, of, lambda _: False)
        lone = set(await self._without(plain, old, by_old)) if by_old is not None else set()
        return [row for row in apart if row not in lone]

    async def _computed_apart(
        self, plan: TablePlan, old: asyncpg.Connection, ends: Sequence[_Ends]
    ) -> list[Locator] | None:
        """Returns what OLD finds; None: a key cannot be computed for some row, for which NEW may have an
        answer all the same.
        """
        await old.execute(SAVEPOINT)
        try:
            return await self._without(plan, old, ends)
        except RAISED:
            return None
        finally:
            await old.execute(ROLL_BACK)

    async def _without(
        self, plan: TablePlan, old: asyncpg.Connection, ends: Sequence[_Ends]
    ) -> list[Locator]:
        """Returns the rows that have none of these parents."""
        query = orphans(End(plan, ends[0][0]), [(compared, end, ()) for compared, end in ends])
        return sorted({locate(source, id_) async for source, id_ in each_row(old, query, at_once=_AT_ONCE)})

    async def _rendered_apart(
        self, plan: TablePlan, key: ForeignKey, of: ParentFlows, old: asyncpg.Connection
    ) -> list[Locator]:
        ends = on_old(self._job, plan, key, of, lambda _: False)
        if ends is None or not on_new(self._job, plan, key):
            raise NotAskable("neither database compares the keys of children and parents")
        apart, together = set(await self._without(plan, old, ends)), set[Locator]()
        for compared, end in ends:
            async for some in self._pairs(plan, old, (compared, end)):
                children = await self._derived.keys_of(plan, key.columns, [child for child, _ in some])
                above = sorted({parent for _, parent in some})
                parents = await self._derived.keys_of(end.plan, key.target_columns, above)
                led = {c for c, p in some if c in children and children[c] == parents.get(p)}
                apart |= children.keys() - led
                if len(ends) > 1:
                    together |= led
        return sorted(apart - together)

    async def _pairs(
        self, plan: TablePlan, old: asyncpg.Connection, ends: _Ends
    ) -> AsyncIterator[list[tuple[Locator, Locator]]]:
        """Yields children with their parents in OLD, some at a time."""
        some: list[tuple[Locator, Locator]] = []
        query = families(End(plan, ends[0]), *ends)
        async for source, child, other, parent in each_row(old, query, at_once=_AT_ONCE):
            some.append((locate(source, child), locate(other, parent)))
            if len(some) == _AT_ONCE:
                yield some
                some = []
        if some:
            yield some


def on_old(
    job: Job, plan: TablePlan, key: ForeignKey, of: ParentFlows, changes: Changes
) -> list[_Ends] | None:
    """Returns, for each flow of parents, how OLD compares children with it: by its own key, and where the
    flow ``changes`` also by what both get in NEW; None where it cannot, or has no key.
    """
    if of.declared is None:
        return None
    plain, found = without_constants(as_taken(plan, key), key), list[_Ends]()
    for parent in of.all_rows:
        pairs = list(by_declared(job, plain, key, parent, of.declared))
        if changes(parent):
            before, above = job.before(plan), job.before(parent)
            pairs += [
                both_written((plain, name, before), (parent, target, above))
                for name, target in zip(key.columns, key.target_columns, strict=True)
            ]
        known = [pair for pair in pairs if pair is not None]
        if len(known) < len(pairs):
            return None
        child, values, operators = zip(*known, strict=True)
        found.append((child, End(parent, values, operators)))
    return found


def on_new(job: Job, plan: TablePlan, key: ForeignKey) -> bool:
    """Returns whether NEW renders keys so that equal texts are equal keys."""
    return faithful(job.after(plan), key)
