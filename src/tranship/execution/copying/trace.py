"""From rows of NEW back to the old rows that they were made of."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.execution.active_run import ActiveRun
from tranship.execution.probe.questions import Answer
from tranship.execution.probe.reading import Chunk, Reader
from tranship.execution.probe.typed_rows import ask, json_rows, typed
from tranship.execution.probe.within import lookups_of
from tranship.model.expression import NewDefault
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.sql.new.given_rows import rows_query
from tranship.sql.new.orphans import placed_part


async def trace(
    live: ActiveRun,
    new: asyncpg.Connection,
    plan: TablePlan,
    batch: Batch,
    records: Sequence[asyncpg.Record],
) -> list[Locator]:
    """Returns the old rows behind rows that a batch wrote; fewer than there are rows where some cannot be
    told.

    NEW makes the batch's values once more and compares them with what it holds, column by column, because the
    text that OLD shipped need not be NEW's text of the value. Rows with equal values are interchangeable;
    rejected rows were never written.

    Args:
        records: ``relation`` and ``id`` (ctid) of rows of NEW.
    """
    filled = [m.column for m in plan.columns if not isinstance(m.expression, NewDefault)]
    if not filled:
        return []
    job, gone = live.context.job, live.book.not_copied(plan.flow)
    question = typed(job, plan, filled, written=True)
    places = [(record["relation"], record["id"]) for record in records]
    query = rows_query(question.rows, [placed_part(question.rows, filled, places)])
    found: dict[str, list[Locator]] = {}
    async with live.snapshot.reader(plan.zone) as old, new.transaction():
        reader = Reader(job, plan, old, new, lookups_of(job), {})
        async for chunk in reader.chunks([batch], question.positions):
            written = [n for n, row in enumerate(chunk.rows) if row not in gone]
            answers = await ask(reader, query, json_rows(chunk, question.positions, written))
            _enter(found, chunk, answers)
    return [row for rows in found.values() for row in rows]


def _enter(found: dict[str, list[Locator]], chunk: Chunk, answers: Sequence[Answer]) -> None:
    """Adds the rows of a chunk that NEW found, at most as many of each value as NEW holds."""
    for answer in answers:
        rows = found.setdefault(str(answer.detail), [])
        if answer.kind == "placed" and len(rows) < int(answer.which):
            rows.append(chunk.rows[answer.row])
