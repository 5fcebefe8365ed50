"""Counts and cuts the rows of a flow; says which old rows keep it from being counted."""

from __future__ import annotations

import asyncpg
from msgspec.json import decode
from msgspec.structs import replace

from tranship.errors import Refused
from tranship.errors.codes.start import QueryKeyNull, QueryKeyRepeated, RowsRaise
from tranship.execution.context import Job
from tranship.execution.probe.reading import RAISED
from tranship.execution.probe.records import keys_shown
from tranship.model.plan import TablePlan, Unmade
from tranship.model.shape import PLAIN, Query
from tranship.server.cut import Cut
from tranship.server.snapshot import Snapshot
from tranship.sql.new.probe import ANSWER
from tranship.sql.old import cut as sql_cut
from tranship.sql.row_id import parse

_SHOWN = 5
"""Old rows that a refusal names."""


async def cut_flow(
    snapshot: Snapshot, job: Job, plan: TablePlan, batch_rows: int, *, digest: bool
) -> tuple[TablePlan, Cut]:
    """Returns a flow that does not make one row of each old row, with the old rows that cannot be taken
    apart, and its batches.

    Raises:
        Refused: its filter, or its query, raises, and the message names the rows of OLD where it can; or the
            key of a query does not identify its rows.
    """
    try:
        async with snapshot.reading() as old:
            if plan.shape.query is not None:
                await _check_key(old.connection, plan, plan.shape.query)
            return plan, await old.cut(plan, batch_rows, digest=digest)
    except RAISED as error:
        if plan.shape.query is not None:
            raise Refused(RowsRaise(plan.flow, "its SELECT", str(error), "")) from error
        known = await _with_unmade(snapshot, job, plan)
        if known == plan:
            raise Refused(RowsRaise(plan.flow, "its filter", str(error), "")) from error
    async with snapshot.reading() as old:
        return known, await old.cut(known, batch_rows, digest=digest)


async def _check_key(old: asyncpg.Connection, plan: TablePlan, query: Query) -> None:
    """Checks that a query's key identifies its rows.

    Raises:
        Refused: it holds a NULL, or several rows have one key.
    """
    nulls = await old.fetchval(sql_cut.without_key(plan, query))
    if nulls:
        raise Refused(QueryKeyNull(plan.flow, query.key, nulls))
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
