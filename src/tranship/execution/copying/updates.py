"""Gives rows that NEW held before the run OLD's values, within the transaction of a batch.

Each piece is a savepoint of its own, so that its transaction id is none of those of the added rows: whatever
deletes what the run added never deletes a row of NEW's own. The rows as they were go to the journal first.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
from msgspec import Struct
from msgspec.json import encode

from tranship.errors import Stopped
from tranship.errors.codes.stops import UpdatesDiffer
from tranship.execution.active_run import FlowTask, WorkerContext
from tranship.execution.probe.questions import re_encodes
from tranship.execution.probe.reading import Reader
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.server_errors import is_rows_fault, reject_of
from tranship.model.locator import Locator
from tranship.model.progress import Batch
from tranship.model.reasons import HeldNoMore
from tranship.model.verdict import Reject
from tranship.planning.plan.found import found_by
from tranship.sql.new.matched_key import matched_key
from tranship.sql.new.updates import Update, keep_images, set_values
from tranship.sql.quote import ident
from tranship.sql.row_id import Place, from_journal, in_journal
from tranship.sql.session import BEGIN_READ_ONLY, CONSTRAINTS_NOW, RELEASE, SAVEPOINT, TO_SAVEPOINT

_ROWS = 10_000
"""Rows of one piece. The savepoints of a batch stay below 64, from where on every snapshot of the server
becomes slow (PostgreSQL documentation, "Subtransactions").
"""
_BYTES = 16_000_000
"""Bytes of one piece, a single larger row apart."""

Given = dict[str, int | str | None]


class Change(Struct, frozen=True):
    """The values of one row of OLD for the row of NEW that it found."""

    row: Locator
    given: Given

    @property
    def size(self) -> int:
        """Returns about how many characters travel."""
        return sum(len(value) for value in self.given.values() if isinstance(value, str)) + 50


class Updated(Struct, frozen=True):
    """What one batch did to NEW's own rows."""

    rows: int = 0
    rejects: tuple[Reject, ...] = ()
    xids: tuple[int, ...] = ()
    """The savepoints that changed rows: 32 bits of their transaction ids."""


def update_of(run: WorkerContext, task: FlowTask) -> Update | None:
    """Returns how a flow updates rows of NEW; None: it says nothing of rows that NEW holds."""
    existing, job = task.plan.shape.existing, run.context.job
    if existing is None:
        return None
    after, by = job.after(task.plan), found_by(existing, task.plan, job.new)
    wanted = {*by.key, *by.settable}
    given = tuple(column for column in after.columns if column.name in wanted)
    return Update(after, given, matched_key(after, by.key), by.settable)


async def read_changes(
    run: WorkerContext,
    old: asyncpg.Connection,
    new: asyncpg.Connection,
    task: FlowTask,
    rows: Sequence[Locator],
) -> list[Change]:
    """Returns the values for the rows of NEW that a batch changes; ``new`` is in no transaction.

    Memory: the texts of those rows, which are part of a batch.
    """
    update = update_of(run, task) if rows else None
    if update is None:
        return []
    places = {mapping.column: n for n, mapping in enumerate(task.plan.columns)}
    positions = [places[column.name] for column in update.given]
    reader = Reader(run.context.job, task.plan, old, new, run.lookups, {})
    changes: list[Change] = []
    await new.execute(BEGIN_READ_ONLY if run.rehearsal is None else run.unit.begin)
    async for chunk in reader.chosen(rows, positions):
        columns = [chunk.texts[position] for position in positions]
        for n, row in enumerate(chunk.rows):
            given: Given = {"source": row.source, **in_journal(row)._asdict()}
            changes.append(Change(row, {**given, **{f"c{k}": column[n] for k, column in enumerate(columns)}}))
    await new.execute(run.unit.rollback)
    return changes


class Updating:
    """Changes rows of NEW inside the batch's open transaction.

    ``mark`` returns the transaction id of the innermost savepoint.
    """

    def __init__(
        self,
        run: WorkerContext,
        new: asyncpg.Connection,
        task: FlowTask,
        batch: Batch,
        mark: Callable[[], Awaitable[int]],
    ) -> None:
        self._run, self._new, self._task, self._batch, self._mark = run, new, task, batch, mark
        self._rejects: list[Reject] = []
        self._xids: list[int] = []
        self._rows = 0

    async def run(self, changes: Sequence[Change]) -> Updated:
        """Changes what NEW takes and rejects the rest.

        Raises:
            Stopped: NEW changed another number of rows than it holds.
        """
        update = update_of(self._run, self._task) if changes else None
        if update is None:
            return Updated()
        for piece in _pieces(changes):
            await self._narrow(update, piece)
        await failpoint("batch.updated")
        return Updated(self._rows, tuple(self._rejects), tuple(self._xids))

    async def _narrow(self, update: Update, changes: Sequence[Change]) -> None:
        """Changes all rows, or those halves of them that NEW takes."""
        error = await self._write(update, changes)
        if error is None:
            return
        if len(changes) == 1:
            columns = [column.name for column in update.given]
            self._rejects.append(reject_of(changes[0].row, error, update.table.name, columns))
            return
        middle = len(changes) // 2
        await self._narrow(update, changes[:middle])
        await self._narrow(update, changes[middle:])

    async def _write(self, update: Update, changes: Sequence[Change]) -> asyncpg.PostgresError | None:
        """Changes all rows or none. Returns the error for which NEW refused them."""
        await self._new.execute(SAVEPOINT)
        try:
            xid = await self._mark()
            there = await self._changed(update, changes, xid)
            # Deferred constraints would fail at COMMIT only, where no row can be taken out any more.
            await self._new.execute(CONSTRAINTS_NOW)
        except asyncpg.PostgresError as error:
            if not is_rows_fault(error, update.table.name):
                raise
            await self._new.execute(TO_SAVEPOINT)
            await self._new.execute(RELEASE)
            return error
        await self._new.execute(RELEASE)
        self._xids.append(xid)
        self._rows += len(there)
        for change in changes:
            if change.row not in there:
                self._rejects.append(Reject(change.row, "02000", HeldNoMore(update.table.name.name)))
        return None

    async def _changed(self, update: Update, changes: Sequence[Change], xid: int) -> set[Locator]:
        """Journals NEW's rows as they are and sets their values. Returns the rows of OLD that found one."""
        context = self._run.context
        rows = [change.given for change in changes]
        given = json.dumps(rows) if re_encodes(context.job.new) else encode(rows).decode()
        place = (self._run.run, self._task.position, self._batch.number)
        found = await self._new.fetch(keep_images(update, ident(context.journal.schema)), given, *place, xid)
        await failpoint("batch.images")
        tag = await self._new.execute(set_values(update), given)
        if tag != f"UPDATE {len(found)}":
            raise Stopped(UpdatesDiffer(update.table.name, len(found), tag))
        return {from_journal(source, Place(*place)) for source, *place in found}


def _pieces(changes: Sequence[Change]) -> list[list[Change]]:
    pieces: list[list[Change]] = []
    size = 0
    for change in changes:
        if not pieces or len(pieces[-1]) >= _ROWS or size + change.size > _BYTES:
            pieces.append([])
            size = 0
        pieces[-1].append(change)
        size += change.size
    return pieces
