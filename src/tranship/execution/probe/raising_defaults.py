"""Defaults of NEW that raise for every row: one that calls a function of a user, or that reads a setting
which the session lacks. They are asked once, not for each row, since they read nothing of it.

A dry run takes every row that such a default fills for rejected. A live run leaves them to COPY, which asks
the default itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from tranship.execution.context import Job
from tranship.execution.probe import reasons
from tranship.execution.probe.questions import Failure
from tranship.execution.probe.reading import Reader
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.typed_rows import default_of
from tranship.model.catalog import Column
from tranship.model.expression import NewDefault
from tranship.model.flow import FlowId
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.server.trouble import is_lost, spoken
from tranship.sql.new.probe import value_of

_ONLY_WRITING_TELLS = "25006"
"""``read_only_sql_transaction``: the default writes, as ``nextval`` does."""


def with_rows(plans: Sequence[TablePlan], batches: Mapping[FlowId, tuple[Batch, ...]]) -> list[TablePlan]:
    """Returns the plans that have batches: no default of the others is ever computed."""
    return [plan for plan in plans if batches.get(plan.flow)]


async def raising_defaults(
    job: Job, plans: Sequence[TablePlan], new: asyncpg.Connection, book: Book, *, predicted: bool
) -> dict[FlowId, Failure]:
    """Notes which defaults of the plans raise now, and returns what the first of each flow raises: nothing
    where rejects are not ``predicted`` but left to COPY. ``new`` is in a READ ONLY transaction.

    Raises:
        asyncpg.PostgresError: the connection has ended.
    """
    failures = dict[FlowId, Failure]()
    for plan in plans:
        for column in _defaulted(job, plan):
            error = await _raised(new, default_of(column))
            if error is not None and error.sqlstate is not None and error.sqlstate != _ONLY_WRITING_TELLS:
                if not predicted:
                    what = f"{column.name}: its default raises now ({spoken(error)})"
                    book.note(plan.flow, f"{what}: for which rows it does shows when they are written")
                    continue
                book.raises(plan.flow, f"{column.name}: {spoken(error)}")
                failures.setdefault(plan.flow, Failure(error.sqlstate, _message(error)))
    return failures


async def reject_undefaulted(reader: Reader, book: Book, batches: Sequence[Batch], failure: Failure) -> None:
    """Enters every row of the batches that the flow would add to NEW: the default fails for each of them."""
    flow = reader.plan.flow
    async for chunk in reader.chunks(batches, ()):
        added = chunk.without(book.not_copied(flow)).rows
        book.add_all(flow, [reasons.refused(row, None, None, failure) for row in added])


def _message(error: asyncpg.PostgresError) -> str:
    """Returns what a reject of the live run would say."""
    detail = getattr(error, "detail", None)
    return f"{error.args[0] if error.args else error}" + (f" ({detail})" if detail else "")


async def _raised(new: asyncpg.Connection, expression: str) -> asyncpg.PostgresError | None:
    try:
        async with new.transaction():
            await new.execute(value_of(expression))
    except asyncpg.PostgresError as error:
        if is_lost(error):
            raise
        return error
    return None


def _defaulted(job: Job, plan: TablePlan) -> list[Column]:
    """Returns the columns that a default fills and that is more than a constant."""
    after = job.after(plan)
    names = [m.column for m in plan.columns if isinstance(m.expression, NewDefault)]
    columns = [column for name in names if (column := after.column(name)) is not None]
    return [c for c in columns if c.generation is None and not c.identity and "(" in default_of(c)]
