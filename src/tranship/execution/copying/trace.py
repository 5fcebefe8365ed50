"""From rows of NEW back to the old rows that they were made of."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.execution.active_run import ActiveRun
from tranship.model.expression import Take
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.sql.ctid import parse
from tranship.sql.new import orphans as sql_orphans
from tranship.sql.old.rows import rows_with


async def trace(
    live: ActiveRun,
    new: asyncpg.Connection,
    plan: TablePlan,
    batch: Batch,
    records: Sequence[asyncpg.Record],
) -> list[Locator]:
    """Returns the old rows behind rows that a batch wrote; fewer than there are rows where some cannot be told.

    They are found by OLD's key where it is copied as it is, else by every column that is. Rows with equal values are
    interchangeable; rejected rows were never written.

    Args:
        records: ``relation`` and ``id`` (ctid) of rows of NEW.
    """
    chosen = _telling(plan)
    if not chosen:
        return []
    names = [plan.columns[n].column for n in chosen]
    places = [(record["relation"], record["id"]) for record in records]
    values = [tuple(row) for row in await new.fetch(sql_orphans.values_of(plan.new, names, places))]
    async with live.snapshot.reader(plan.zone) as old:
        query = rows_with(plan, live.context.job.before(plan), batch, chosen, values)
        rows = await old.fetch(query)
    known = live.book.not_written(plan.flow)
    found: dict[tuple[str | None, ...], list[Locator]] = {}
    for place, *held in rows:
        row = Locator(batch.source, parse(place))
        if row not in known:
            found.setdefault(tuple(held), []).append(row)
    return [found[value].pop() for value in values if found.get(value)]


def _telling(plan: TablePlan) -> list[int]:
    """The mappings by which a row of NEW tells its old row: values that are copied, those of OLD's whole key where it is among them."""
    taken = [(n, m.expression) for n, m in enumerate(plan.columns) if isinstance(m.expression, Take)]
    keyed = [n for n, take in taken if take.column in plan.key]
    return keyed if plan.key and len(keyed) >= len(plan.key) else [n for n, _ in taken]
