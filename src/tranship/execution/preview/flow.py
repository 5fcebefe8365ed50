"""The preview of one flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.preview.new_rows import NewRows
from tranship.execution.preview.old_rows import OldRows
from tranship.execution.preview.words import column_words, notes_about
from tranship.execution.preview.wrong_rows import Looked, Search
from tranship.execution.probe.reading import RAISED, by_source
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.preview import (
    PREVIEW_SECONDS,
    PREVIEWED,
    PreviewCell,
    PreviewColumn,
    PreviewRow,
    TablePreview,
)
from tranship.sql import session as statements

_OF_ONE_FLOW = (asyncpg.QueryCanceledError, asyncpg.InsufficientPrivilegeError, *RAISED)
"""Errors that end the preview of one flow, and not of the others."""


class Beside(Struct, frozen=True):
    """What the decisions say of a flow that its plan does not."""

    undecided: frozenset[str] = frozenset()
    """Columns of NEW about which nobody has decided; they are not computed."""
    said: Mapping[str, tuple[str, ...]] = {}
    """By column of NEW, the old columns that the entry with its expression names: SQL is not parsed."""


async def preview_flow(
    job: Job,
    sides: tuple[asyncpg.Connection, asyncpg.Connection],
    plan: TablePlan,
    beside: Beside,
    only: str | None = None,
    *,
    wrong_first: bool = False,
) -> TablePreview:
    """Returns some rows of a flow, before and after.

    Args:
        job: the plan with both catalogs; it may have open questions.
        sides: pinned sessions on OLD and NEW without an open transaction.
        plan: the flow.
        beside: what the decisions say of it that the plan does not.
        only: the only column of NEW that is computed; None: all.
        wrong_first: rows with a value that NEW refuses are looked for, and stand before the first ones.
    """
    reading, rendering = OldRows(job, *sides, plan), NewRows(job, sides[1], plan, beside.undecided)
    columns = [mapping for mapping in plan.columns if only in (None, mapping.column)]
    search = Search(job, plan, reading, rendering, [mapping.column for mapping in columns])
    async with AsyncExitStack() as open_:
        for conn in sides:
            await open_.enter_async_context(conn.transaction(isolation="repeatable_read", readonly=True))
            await conn.execute(statements.set_local("statement_timeout", f"{PREVIEW_SECONDS}s"))
        try:
            looked = await search.look(sides, PREVIEW_SECONDS) if wrong_first else Looked()
            rows = await _rows(reading, rendering, search.names, looked)
            notes = () if rows else ("no rows",)
        except _OF_ONE_FLOW as error:
            rows, notes, looked = (), (f"no rows are shown: {_in_words(error)}",), Looked()
    words = _in_plan(plan, beside)
    return TablePreview(
        flow=plan.name or str(plan.old),
        old_table=str(plan.old),
        new_table=str(plan.new),
        old_columns=reading.names,
        columns=tuple(one for one in words if only in (None, one.name)),
        rows=rows,
        unnamed=_unnamed(words, reading.names),
        notes=(*notes, *notes_about(plan)),
        wrong=looked.said if rows else None,
    )


def _in_plan(plan: TablePlan, beside: Beside) -> list[PreviewColumn]:
    """Returns all columns of NEW that a flow fills, with what fills them."""
    return [column_words(m.column, m.expression, beside.said.get(m.column, ())) for m in plan.columns]


def _unnamed(columns: Sequence[PreviewColumn], names: Sequence[str]) -> tuple[str, ...]:
    """Returns the old columns that neither a mapping nor an entry names."""
    named = {name for one in columns for name in one.old_columns}
    return tuple(name for name in names if name not in named)


async def _rows(
    reading: OldRows, rendering: NewRows, names: Sequence[str], looked: Looked
) -> tuple[PreviewRow, ...]:
    """Returns the rows in which something goes wrong, and behind them others: of those that were looked at,
    where these are not all.
    """
    wrong: Sequence[Locator] = looked.rows
    others = looked.right or [row for row in await reading.first() if row not in wrong]
    others = others[: PREVIEWED - len(wrong)]
    before: list[tuple[PreviewCell, ...]] = []
    after: list[tuple[PreviewCell, ...]] = []
    sending = rendering.positions(names)
    for rows in (*by_source(wrong), *by_source(others)):
        before += await reading.own_values(rows)
        after += await rendering.cells(await reading.texts(rows, sending), names)
    return tuple(PreviewRow(old, new) for old, new in zip(before, after, strict=True))


def _in_words(error: asyncpg.PostgresError) -> str:
    if isinstance(error, asyncpg.QueryCanceledError):
        return f"reading them took longer than {PREVIEW_SECONDS} s"
    return error.message or str(error)
