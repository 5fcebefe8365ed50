"""The rows of a batch as single lines with their identity, rows that OLD cannot compute set apart."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.execution.active_run import ActiveRun, Task
from tranship.execution.copying.isolate import Line
from tranship.execution.copying.stream import read_lines
from tranship.execution.resilience.server_errors import is_rows_fault, sqlstate
from tranship.model.locator import Locator, Pages
from tranship.model.progress import Batch
from tranship.model.reasons import OldCannotCompute
from tranship.model.verdict import Reject
from tranship.sql.ctid import next_address, parse
from tranship.sql.old.batch import select_identified
from tranship.sql.old.ids import select_ids


async def identified_lines(
    live: ActiveRun, new: asyncpg.Connection, task: Task, batch: Batch, excluded: Sequence[Locator]
) -> tuple[list[Line], list[Reject]]:
    """The lines of a batch less the excluded rows, in the order they are to be written, and the rows that OLD itself refuses to compute.

    Memory: one batch, which is bounded in rows and bytes.
    """
    try:
        return await _lines(live, new, task, batch, excluded), []
    except asyncpg.PostgresError as error:
        if not is_rows_fault(error):
            raise
        async with live.snapshot.reader() as old:
            select = select_ids(task.plan.sources[batch.source], batch.range)
            rows = [Locator(batch.source, parse(found)) for (found,) in await old.fetch(select)]
        gone = frozenset(excluded)
        lines: list[Line] = []
        rejects: list[Reject] = []
        await _halve(live, new, task, batch, [r for r in rows if r not in gone], gone, lines, rejects)
        return lines, rejects


async def _lines(
    live: ActiveRun, new: asyncpg.Connection, task: Task, batch: Batch, excluded: Sequence[Locator]
) -> list[Line]:
    plan = task.plan
    async with live.snapshot.reader(plan.zone) as old:
        bindings = await live.bindings(old, new, plan, batch)
        before = live.context.job.before(plan)
        select = select_identified(
            plan,
            before,
            batch,
            excluded=excluded,
            bindings=bindings,
            in_key_order=task.findings.ordered_stream,
        )
        found = await read_lines(old, select)
    # Where no column travels the line ends behind the ctid.
    return [
        Line(Locator(batch.source, parse(place.rstrip(b"\n").decode())), text or b"\n")
        for place, _, text in (line.partition(b"\t") for line in found)
    ]


async def _halve(
    live: ActiveRun,
    new: asyncpg.Connection,
    task: Task,
    batch: Batch,
    rows: Sequence[Locator],
    gone: frozenset[Locator],
    lines: list[Line],
    rejects: list[Reject],
) -> None:
    """Reads ever smaller ranges until the refused rows stand alone."""
    if not rows:
        return
    range_ = Pages(batch.source, rows[0].address, next_address(rows[-1].address))
    part = Batch(batch.number, batch.flow, range_, len(rows))
    try:
        lines += await _lines(live, new, task, part, [r for r in gone if r in part])
    except asyncpg.PostgresError as error:
        if not is_rows_fault(error):
            raise
        if len(rows) == 1:
            rejects.append(Reject(rows[0], sqlstate(error), OldCannotCompute(str(error))))
            return
        middle = len(rows) // 2
        await _halve(live, new, task, batch, rows[:middle], gone, lines, rejects)
        await _halve(live, new, task, batch, rows[middle:], gone, lines, rejects)
