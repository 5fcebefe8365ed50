"""Gives rows of NEW's own back the values that they had before the run.

What a run changed is told from what it added by its transaction: the savepoint of a change added no row. Rows
that anybody changed since are left, and their keys are named.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import asyncpg
from msgspec import Struct
from msgspec.json import decode

from tranship.execution.resilience.server_errors import is_rows_fault
from tranship.model.catalog import Catalog, Column, Table
from tranship.model.names import TableName
from tranship.server.journal import Journal, Run, TaskRow
from tranship.sql.new import images as sql_images
from tranship.sql.new.matched_key import MatchedKey, matched_key
from tranship.sql.quote import ident
from tranship.sql.session import CONSTRAINTS_NOW, DEFAULT_PATH, RELEASE, SAVEPOINT, TO_SAVEPOINT

PIECE = 5_000
"""Rows that one transaction restores."""
LISTED = 10_000
"""Rows per table that are named because others wrote or changed them."""

Place = tuple[int, int, int, int, str]
"""The old row whose values a row of NEW got: source, page, line, item and key."""
Step = Callable[[Callable[[], Awaitable[int]], TableName], Awaitable[int]]
"""Does one transaction on a table of NEW and returns its number of rows."""


class Images(Struct, frozen=True):
    """What a run changed in one table and has not restored."""

    rows: int = 0
    ours: int = 0
    """Rows that nobody changed since: these can be restored."""
    keys: tuple[dict[str, str | None], ...] = ()
    """The first of all these rows."""


class _Shape(Struct, frozen=True):
    """How the images of one table are read."""

    table: Table
    matched: MatchedKey
    key: tuple[Column, ...]
    changed: tuple[Column, ...]


async def find_images(
    new: asyncpg.Connection, journal: Journal, run: Run, catalog: Catalog, task: TaskRow
) -> Images:
    """Returns what a run changed in the table of a task, and how much of it nobody changed since."""
    if journal.format == 1:
        return Images()
    place = (run.id, task.position)
    found = await new.fetchrow(journal.sql("image_keys"), *place, LISTED)
    if found is None or not found["rows"]:
        return Images()
    shape, ours = await _shape(new, journal, run, catalog, task), 0
    if shape is not None:
        statement = sql_images.still_ours(shape.table, shape.matched, shape.key, ident(journal.schema))
        async with new.transaction():
            await new.execute(DEFAULT_PATH)
            ours = await new.fetchval(statement, *place)
    keys = tuple(decode(key, type=dict[str, str | None]) for key in found["keys"])
    return Images(found["rows"], ours, keys)


class Restorer:
    """Restores what a run changed, some rows a transaction."""

    def __init__(
        self, new: asyncpg.Connection, journal: Journal, run: Run, catalog: Catalog, step: Step
    ) -> None:
        self._new, self._journal, self._run, self._catalog, self._step = new, journal, run, catalog, step

    async def restore(self, task: TaskRow) -> int:
        """Restores the rows of one table that nobody changed since, and that NEW takes as they were.

        Returns their number. A second call tries again those that NEW refused.
        """
        if self._journal.format == 1:
            return 0
        shape = await _shape(self._new, self._journal, self._run, self._catalog, task)
        if shape is None:
            return 0
        restored, last = 0, (-1, -1, -1, -1, "")
        while places := await self._places(task, last):
            restored += await self._step(partial(self._piece, shape, task, places), shape.table.name)
            last = places[-1]
        return restored

    async def _places(self, task: TaskRow, last: Place) -> list[Place]:
        sql = self._journal.sql("images_after")
        rows = await self._new.fetch(sql, self._run.id, task.position, *last, PIECE)
        return [(row["source"], row["page"], row["line"], row["item"], row["key"]) for row in rows]

    async def _piece(self, shape: _Shape, task: TaskRow, places: Sequence[Place]) -> int:
        """Restores these rows, or those halves of them that NEW takes; inside a transaction."""
        await self._new.execute(DEFAULT_PATH)
        columns = (shape.key, shape.changed)
        statement = sql_images.restore(shape.table, shape.matched, columns, ident(self._journal.schema))
        restored, waiting = 0, [list(places)]
        while waiting:
            part = waiting.pop()
            await self._new.execute(SAVEPOINT)
            try:
                of_part = zip(*part, strict=True)
                tag = await self._new.execute(statement, self._run.id, task.position, *of_part)
                await self._keep_transaction(task)
                # A deferred constraint would fail at COMMIT, where no half can be left out any more.
                await self._new.execute(CONSTRAINTS_NOW)
            except asyncpg.PostgresError as error:
                if not is_rows_fault(error):
                    raise
                await self._new.execute(TO_SAVEPOINT)
                if len(part) > 1:
                    waiting += [part[: len(part) // 2], part[len(part) // 2 :]]
            else:
                restored += int(tag.removeprefix("DELETE "))
            await self._new.execute(RELEASE)
        return restored

    async def _keep_transaction(self, task: TaskRow) -> None:
        """Records the savepoint, so that a rollback that is interrupted here does not take the restored rows
        for rows that others changed.
        """
        sql, place = self._journal.sql, (self._run.id, task.position)
        await self._new.execute(sql("mark_restoring"), *place)
        await self._new.execute(sql("keep_restoring"), *place)


async def _shape(
    new: asyncpg.Connection, journal: Journal, run: Run, catalog: Catalog, task: TaskRow
) -> _Shape | None:
    """Returns how the images of a table are read. None: there are none, or NEW lacks a column of theirs."""
    table = catalog.table(task.flow.new)
    row = await new.fetchrow(journal.sql("image"), run.id, task.position)
    if row is None or table is None:
        return None
    key, changed = (_columns(table, row[name]) for name in ("row_key", "held"))
    if key is None or changed is None:
        return None
    return _Shape(table, matched_key(table, [column.name for column in key]), key, changed)


def _columns(table: Table, image: str) -> tuple[Column, ...] | None:
    """Returns the columns of a table that an image names; None where one of them is gone."""
    columns = [table.column(name) for name in decode(image, type=dict[str, str | None])]
    there = tuple(column for column in columns if column is not None)
    return there if len(there) == len(columns) else None
