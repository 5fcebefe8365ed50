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
from tranship.model.plan import TablePlan
from tranship.model.shape import PLAIN, Query
from tranship.server.cut import Cut
from tranship.server.snapshot import Snapshot
from tranship.sql.new.probe import ANSWER
from tranship.sql.old import cut as sql_cut
from tranship.sql.row_id import parse

_SHOWN = 5
"""Old rows that a refusal names."""


async def cut_flow(snapshot: Snapshot, job: Job, plan: TablePlan, batch_rows: int, *, digest: bool) -> Cut:
    """Returns the batches of a flow that does not make one row of each old row.

    Raises:
        Refused: its filter, or what makes its items, raises for rows of OLD, and the message names them;
            or the key of a query does not identify its rows.
    """
    try:
        async with snapshot.reading() as old:
            if plan.shape.query is not None:
                await _check_key(old.connection, plan, plan.shape.query)
            return await old.cut(plan, batch_rows, digest=digest)
    except RAISED as error:
        raise Refused(await _raising(snapshot, job, plan, error)) from error


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


async def _raising(snapshot: Snapshot, job: Job, plan: TablePlan, error: asyncpg.PostgresError) -> RowsRaise:
    if not plan.shape.in_a_heap:
        return RowsRaise(plan.flow, "its SELECT", str(error), "")
    for number in range(len(plan.sources)):
        async with snapshot.reader() as old:
            await old.execute(sql_cut.raising_old_rows(plan, number, _SHOWN))
            answers = decode(await old.fetchval(ANSWER), type=list[tuple[str, str, str]])
            if answers:
                rows = [parse(number, place) for place, _, _ in answers]
                keys = await keys_shown(old, job, replace(plan, shape=PLAIN), rows)
                where = f" (old rows {'; '.join(keys[row] for row in rows)})"
                return RowsRaise(plan.flow, _what(plan), answers[0][2], where)
    return RowsRaise(plan.flow, _what(plan), str(error), "")


def _what(plan: TablePlan) -> str:
    if plan.shape.items is None:
        return "its filter"
    return "what makes its items" if plan.shape.filter is None else "its filter, or what makes its items,"
