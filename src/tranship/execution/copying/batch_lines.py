"""The rows of a batch as single lines with their identity, and the rows that OLD cannot compute."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial

import asyncpg

from tranship.execution.active_run import FlowTask, WorkerContext
from tranship.execution.copying.isolate import Line
from tranship.execution.copying.stream import read_lines
from tranship.execution.resilience.server_errors import is_rows_fault, sqlstate
from tranship.model.locator import Locator, Pages
from tranship.model.progress import Batch
from tranship.model.reasons import OldCannotCompute
from tranship.model.verdict import Reject
from tranship.server.old_reader import Portion
from tranship.sql.ctid import next_address
from tranship.sql.row_id import parse

Read = Callable[[Batch, Sequence[Locator]], Awaitable[list[Line]]]
"""Reads the lines of a batch less some rows."""


async def identified_lines(
    run: WorkerContext, new: asyncpg.Connection, task: FlowTask, batch: Batch, excluded: Sequence[Locator]
) -> tuple[list[Line], list[Reject]]:
    """Returns the lines of a batch without the excluded rows, and the rows for which OLD raises an error.

    The lines are in the order in which they have to be written. Memory: one batch, which is bounded in rows
    and bytes.
    """
    try:
        return await _lines(run, new, task, batch, excluded), []
    except asyncpg.PostgresError as error:
        if not is_rows_fault(error):
            raise
        async with run.snapshot.reading() as old:
            rows = await old.rows_of(task.plan, batch)
        left = set(excluded)
        search = _Search(
            partial(_lines, run, new, task), batch, left, [row for row in rows if row not in left]
        )
        await search.halve(search.rows)
        return search.lines, search.rejects


async def _lines(
    run: WorkerContext, new: asyncpg.Connection, task: FlowTask, batch: Batch, excluded: Sequence[Locator]
) -> list[Line]:
    plan = task.plan
    async with run.snapshot.reading(plan.zone) as old:
        portion = Portion(
            plan,
            run.context.job.before(plan),
            batch,
            excluded=excluded,
            bindings=await run.bindings(old.connection, new, plan, batch, excluded),
            in_key_order=task.ordered_stream,
        )
        found = await read_lines(old, portion)
    # Without copied columns a line ends behind the id, and COPY takes an empty line as a row of no column.
    return [
        Line(parse(batch.source, place.rstrip(b"\n").decode()), text or b"\n")
        for place, _, text in (line.partition(b"\t") for line in found)
    ]


class _Search:
    """Reads ever fewer rows of a batch until the rows that OLD refuses to compute stand alone."""

    def __init__(
        self, read: Read, batch: Batch, excluded: AbstractSet[Locator], rows: Sequence[Locator]
    ) -> None:
        self._read = read
        self._batch = batch
        self._excluded = excluded
        self.rows = rows
        self.lines: list[Line] = []
        self.rejects: list[Reject] = []

    async def halve(self, rows: Sequence[Locator]) -> None:
        """Reads these rows, and both halves of them when that fails."""
        if not rows:
            return
        part, others = self._part(rows)
        try:
            self.lines += await self._read(part, others)
        except asyncpg.PostgresError as error:
            if not is_rows_fault(error):
                raise
            if len(rows) == 1:
                self.rejects.append(Reject(rows[0], sqlstate(error), OldCannotCompute(str(error))))
                return
            middle = len(rows) // 2
            await self.halve(rows[:middle])
            await self.halve(rows[middle:])

    def _part(self, rows: Sequence[Locator]) -> tuple[Batch, list[Locator]]:
        """Returns the least range that holds these rows, and which of its rows are not read."""
        number, flow = self._batch.number, self._batch.flow
        if isinstance(rows[0].address[0], str):
            chosen = set(rows)
            return self._batch, [*self._excluded, *(row for row in self.rows if row not in chosen)]
        range_ = Pages(self._batch.source, rows[0].address, next_address(rows[-1].address))
        part = Batch(number, flow, range_, len(rows))
        others = [row for row in self._excluded if row in part]
        if rows[0].item:
            # Items of one old row have one place, and may be in different halves.
            chosen = set(rows)
            others += [row for row in self.rows if row in part and row not in chosen]
        return part, others
