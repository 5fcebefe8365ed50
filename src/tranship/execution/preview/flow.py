"""The preview of one flow."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

import asyncpg

from tranship.execution.context import Job
from tranship.execution.preview.new_rows import NewRows
from tranship.execution.preview.old_rows import OldRows
from tranship.execution.preview.words import column_words, notes_about
from tranship.execution.probe.reading import RAISED, by_source
from tranship.model.expression import old_columns
from tranship.model.plan import TablePlan
from tranship.model.preview import PREVIEW_SECONDS, PreviewCell, PreviewRow, TablePreview
from tranship.sql import session as statements

_OF_ONE_FLOW = (asyncpg.QueryCanceledError, asyncpg.InsufficientPrivilegeError, *RAISED)
"""Errors that end the preview of one flow, and not of the others."""


async def preview_flow(
    job: Job,
    sides: tuple[asyncpg.Connection, asyncpg.Connection],
    plan: TablePlan,
    undecided: frozenset[str],
    only: str | None = None,
) -> TablePreview:
    """Returns the first rows of a flow, before and after.

    Args:
        job: the plan with both catalogs; it may have open questions.
        sides: pinned sessions on OLD and NEW without an open transaction.
        plan: the flow.
        undecided: columns of NEW about which nobody has decided; they are not computed.
        only: the only column of NEW that is computed; None: all.
    """
    old, new = sides
    reading, rendering = OldRows(job, old, new, plan), NewRows(job, new, plan, undecided)
    positions = [n for n, mapping in enumerate(plan.columns) if only in (None, mapping.column)]
    async with AsyncExitStack() as open_:
        for conn in sides:
            await open_.enter_async_context(conn.transaction(isolation="repeatable_read", readonly=True))
            await conn.execute(statements.set_local("statement_timeout", f"{PREVIEW_SECONDS}s"))
        try:
            rows = await _rows(reading, rendering, plan, positions)
            notes = () if rows else ("no rows",)
        except _OF_ONE_FLOW as error:
            rows, notes = (), (f"no rows are shown: {_in_words(error)}",)
    read = {name for mapping in plan.columns for name in old_columns(mapping.expression)}
    return TablePreview(
        flow=plan.name or str(plan.old),
        old_table=str(plan.old),
        new_table=str(plan.new),
        old_columns=reading.names,
        columns=tuple(column_words(plan.columns[n].column, plan.columns[n].expression) for n in positions),
        rows=rows,
        unnamed=tuple(name for name in reading.names if name not in read),
        notes=(*notes, *notes_about(plan)),
    )


async def _rows(
    reading: OldRows, rendering: NewRows, plan: TablePlan, positions: Sequence[int]
) -> tuple[PreviewRow, ...]:
    before: list[tuple[PreviewCell, ...]] = []
    after: list[tuple[PreviewCell, ...]] = []
    names = [plan.columns[n].column for n in positions]
    sending = sorted({n for name in names for n in _positions(rendering, name)})
    for rows in by_source(await reading.first()):
        before += await reading.own_values(rows)
        after += await rendering.cells(await reading.texts(rows, sending), names)
    return tuple(PreviewRow(old, new) for old, new in zip(before, after, strict=True))


def _positions(rendering: NewRows, name: str) -> tuple[int, ...]:
    needed = rendering.needed(name)
    return needed if not isinstance(needed, str) else ()


def _in_words(error: asyncpg.PostgresError) -> str:
    if isinstance(error, asyncpg.QueryCanceledError):
        return f"reading them took longer than {PREVIEW_SECONDS} s"
    return error.message or str(error)
