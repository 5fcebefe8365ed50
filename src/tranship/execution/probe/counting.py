"""Counts and cuts the rows of a flow; says which old rows keep it from being counted."""

from __future__ import annotations

import asyncpg
from msgspec import Struct
from msgspec.json import decode
from msgspec.structs import replace

from tranship.errors import Refused
from tranship.errors.codes.start import QueryKeyNull, QueryKeyRepeated, RowsRaise
from tranship.execution.context import Job
from tranship.execution.probe.reading import RAISED
from tranship.execution.probe.records import keys_shown
from tranship.execution.probe.side_by_side import side_by_side
from tranship.model.plan import TablePlan, Unmade
from tranship.model.shape import PLAIN, Query
from tranship.server.cut import Cut
from tranship.server.pages import Counting
from tranship.server.snapshot import Snapshot
from tranship.sql.new.probe import ANSWER
from tranship.sql.old import cut as sql_cut
from tranship.sql.row_id import parse

_SHOWN = 5
"""Old rows that a refusal names."""


class CutFlow(Struct, frozen=True):
    """Cuts flows that do not make one row of each old row."""

    snapshot: Snapshot
    batch_rows: int
    streams: int
    """Connections that count ranges of pages."""
    digest: bool

    async def cut(self, job: Job, plan: TablePlan) -> tuple[TablePlan, Cut]:
        """Returns a flow with the old rows that cannot be taken apart, and its batches.

        Raises:
            Refused: its filter, or its query, raises, and the message names the rows of OLD where it can; or
                the key of a query does not identify its rows.
        """
        try:
            if plan.shape.query is not None:
                async with self.snapshot.reader() as old:
                    await _check_key(old, plan, plan.shape.query)
            return plan, await self._cut(plan)
        except RAISED as error:
            if plan.shape.query is not None:
                raise Refused(RowsRaise(plan.flow, "its SELECT", str(error), "")) from error
            known = await _with_unmade(self.snapshot, job, plan)
            if known == plan:
                raise Refused(RowsRaise(plan.flow, "its filter", str(error), "")) from error
        return known, await self._cut(known)

    async def _cut(self, plan: TablePlan) -> Cut:
        async with self.snapshot.reading() as old:
            ask = side_by_side(old.connection, self.snapshot, self.streams)
            return await old.cut(plan, self.batch_rows, digest=self.digest, counting=Counting(ask))


async def _check_key(old: asyncpg.Connection, plan: TablePlan, query: Query) -> None:
    """Checks that a query's key identifies its rows.

    Raises:
        Refused: it holds a NULL, or several rows have one key.
    """
    nulls = await old.fetchval(sql_cut.without_key(plan, query))
    if nulls:
        raise Refused(QueryKeyNull(plan.flow, query.never_null, nulls))
    repeated = await old.fetch(sql_cut.repeated_keys(plan, query, _SHOWN))
    if repeated:
        shown = tuple(", ".join(str(part) for part in key) for (key,) in repeated)
        raise Refused(QueryKeyRepeated(plan.flow, query.key, shown))


async def _with_unmade(snapshot: Snapshot, job: Job, plan: TablePlan) -> TablePlan:
    """Returns the flow with the old rows for which what makes its items raises.

    Raises:
        Refused: its filter raises, so that nobody can say which rows are taken.
    """
    sources = []
    for number, source in enumerate(plan.sources):
        async with snapshot.reader() as old:
            await old.execute(sql_cut.raising_old_rows(plan, number))
            answers = decode(await old.fetchval(ANSWER), type=list[tuple[str, bool | None, str, str]])
            untaken = [(parse(number, place), said) for place, taken, _, said in answers if not taken]
            if untaken:
                rows = [row for row, _ in untaken[:_SHOWN]]
                keys = await keys_shown(old, job, replace(plan, shape=PLAIN), rows)
                where = f" (old rows {'; '.join(keys[row] for row in rows)})"
                raise Refused(RowsRaise(plan.flow, "its filter", untaken[0][1], where))
        unmade = (Unmade(parse(number, place).address, state, said) for place, _, state, said in answers)
        sources.append(replace(source, unmade=tuple(sorted(unmade, key=lambda one: one.address))))
    return replace(plan, sources=tuple(sources))
