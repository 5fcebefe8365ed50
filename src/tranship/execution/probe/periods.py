"""Foreign keys with PERIOD (PostgreSQL 18): a row needs parents whose periods together cover its own.

Parents are rows, not values, here, too: the rows of OLD that arrive count, and OLD computes them. That NEW
has a row for the period as well only decides what the reason says.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.execution.context import Job
from tranship.execution.probe import reasons
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.missing_parents import Fate, Missing
from tranship.execution.probe.parent_flows import parent_flows, parents_absent
from tranship.execution.probe.parents import Parents
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reject_book import Book
from tranship.model.catalog import ForeignKey
from tranship.model.expression import Followed, Lookup, NewDefault
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.sql.canonical import taken_on_old
from tranship.sql.expression import compile_text, type_name
from tranship.sql.new.probe import ROLL_BACK, SAVEPOINT
from tranship.sql.old.periods import has_range_agg, uncovered
from tranship.sql.row_id import locate


class Periods:
    """Finds the rows of one group that violate a foreign key with PERIOD."""

    def __init__(self, job: Job, derived: Derived, parents: Parents, book: Book) -> None:
        self._job, self._derived, self._parents, self._book = job, derived, parents, book

    def counts(self, plan: TablePlan, key: ForeignKey) -> bool:
        """Returns whether rows of this run are the parents under a key, and it has a period."""
        return key.period and bool(parent_flows(self._job, plan, key).flows)

    async def reject(self, plan: TablePlan, key: ForeignKey, *, rank: int) -> int:
        """Rejects the rows whose period the arriving rows of OLD do not cover. Returns their number."""
        try:
            rows = await self._uncovered(plan, key, whoever=False)
            orphans = set(await self._uncovered(plan, key, whoever=True)) if rows else set()
            lacking = await self._parents.absent(plan, key, rows)
            texts = await self._parents.keys_shown(plan, key, rows)
        except NotAskable as why:
            self._book.note(plan.flow, f"foreign key {key.name}: {why}")
            return 0
        after = self._job.after(plan)
        because = [
            (row, Missing(key, after, rank, fate, taken=row not in lacking))
            for row in rows
            for fate in (Fate.NONE if row in orphans else Fate.REJECTED,)
        ]
        shown = {**{row: reasons.key_shown(text) for row, text in lacking.items()}, **texts}
        return self._book.add_all(plan.flow, (one.reject(row, shown.get(row)) for row, one in because))

    async def _uncovered(self, plan: TablePlan, key: ForeignKey, *, whoever: bool) -> list[Locator]:
        """Returns the rows whose period is not covered; ``whoever``: rejected rows are parents, too.

        Raises:
            NotAskable: OLD cannot compute the key, or a decision says which rows of NEW are meant.
        """
        of = parent_flows(self._job, plan, key)
        if of.by_decision or of.moved or not has_range_agg(self._job.old.server_version):
            raise NotAskable(
                "a key with PERIOD whose parents are not only rows of this run is checked by NEW alone"
            )
        parents = [
            (
                p,
                self._expressions(p, key.target_columns),
                () if whoever else sorted(parents_absent(self._book, plan, key, p.flow)),
            )
            for p in of.flows
        ]
        query = uncovered(plan, self._expressions(plan, key.columns), parents)
        old, gone = self._derived.reader(plan).old, self._book.not_written(plan.flow)
        found = {locate(source, id_) for source, id_ in await _fetch(old, query)}
        return sorted(row for row in found if row not in gone)

    def _expressions(self, plan: TablePlan, columns: Sequence[str]) -> list[str]:
        return [self._as_in_new(plan, column) for column in columns]

    def _as_in_new(self, plan: TablePlan, name: str) -> str:
        """Returns SQL over ``old`` for the value that a column of NEW will hold, in its own type.

        Raises:
            NotAskable: OLD does not have the type, or NEW makes the value.
        """
        before = self._job.before(plan)
        position = next((n for n, m in enumerate(plan.columns) if m.column == name), None)
        mapping = plan.columns[position] if position is not None else None
        if (
            position is None
            or mapping is None
            or isinstance(mapping.expression, NewDefault | Lookup | Followed)
        ):
            raise NotAskable(f"{name} is filled by NEW's server")
        leaf = mapping.type.leaf
        if leaf.name is not None and leaf.name.schema != "pg_catalog":
            raise NotAskable(f"{name} is of a type that only NEW has")
        taken = taken_on_old(plan, name, before)
        value = taken.value if taken is not None else compile_text(plan, position, before)
        return f"CAST({value} AS {type_name(leaf)})"


async def _fetch(old: asyncpg.Connection, query: str) -> list[asyncpg.Record]:
    """Raises NotAskable where OLD cannot compute the keys of all rows."""
    await old.execute(SAVEPOINT)
    try:
        return list(await old.fetch(query))
    except (asyncpg.DataError, asyncpg.SyntaxOrAccessError) as refused:
        raise NotAskable(f"OLD cannot compute its columns ({refused.sqlstate})") from refused
    finally:
        if not old.is_closed():
            await old.execute(ROLL_BACK)
