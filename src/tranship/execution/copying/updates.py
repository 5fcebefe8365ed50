"""Gives rows that NEW held before the run OLD's values, within the transaction of a batch.

COPY brings the rows of OLD into a table of the session, and two statements do the rest: the rows as they were
go to the journal, and the values into NEW. Where NEW refuses a row, ever smaller pieces of the batch travel
as JSON until it stands alone; so do all rows where the role may not make temporary tables.

Each piece is a savepoint of its own, so that its transaction id is none of those of the added rows: whatever
deletes what the run added never deletes a row of NEW's own.
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
from tranship.execution.copying.stream import Target, pipe
from tranship.execution.probe.questions import re_encodes
from tranship.execution.probe.reading import Reader
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.server_errors import is_rows_fault, reject_of
from tranship.execution.resilience.stall import Progress
from tranship.execution.time_spent import question
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.model.reasons import HeldNoMore
from tranship.model.verdict import Reject
from tranship.planning.plan.found import found_by
from tranship.server.journal import Predicted
from tranship.server.old_reader import OldReader, Portion
from tranship.sql.new.matched_key import matched_key
from tranship.sql.new.updates import (
    DROP_STAGED,
    MAY_STAGE,
    STAGED,
    Update,
    as_texts,
    images_near,
    json_rows,
    keep_images,
    set_values,
    stage,
    staged_rows,
    without_image,
)
from tranship.sql.old.batch import Wanted
from tranship.sql.quote import ident
from tranship.sql.row_id import Place, from_journal, in_journal
from tranship.sql.session import (
    BEGIN_READ_ONLY,
    CONSTRAINTS_NOW,
    RELEASE,
    RESET_PAGE_COST,
    SAVEPOINT,
    TO_SAVEPOINT,
    set_local,
)

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


class Staged(Struct, frozen=True):
    """The rows of OLD that a batch brings into a table of the session."""

    update: Update
    portion: Portion


class Changes(Struct, frozen=True):
    """What a batch changes of NEW's own rows; at most one of both is there."""

    staged: Staged | None = None
    read: Sequence[Change] = ()


class _Piece(Struct, frozen=True):
    """Rows of OLD that one savepoint takes: those of the session's table, or those of a JSON array."""

    rows: int
    staged: str = ""
    """The FROM item over the session's table; empty: the rows are JSON."""
    json: tuple[str, ...] = ()
    """The array, as the last parameter of a statement."""

    def given(self, update: Update, parameter: int) -> str:
        """Returns the FROM item over the rows; ``parameter`` is the number of the statement's last one."""
        return self.staged or json_rows(update, parameter)


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
    positions = _positions(task.plan, update)
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


async def find_changes(
    run: WorkerContext,
    old: asyncpg.Connection,
    new: asyncpg.Connection,
    task: FlowTask,
    batch: Batch,
    predicted: Predicted,
) -> Changes:
    """Returns what a batch changes of NEW's own rows. ``new`` is in no transaction."""
    rows = predicted.updated
    update = update_of(run, task) if rows else None
    if update is None:
        return Changes()
    if not await new.fetchval(MAY_STAGE):
        return Changes(read=await read_changes(run, old, new, task, rows))
    plan, others = task.plan, predicted.not_updated
    # No row has to be named where the batch adds none: most often nothing else is in it.
    chosen = rows if len(predicted) < batch.rows else None
    portion = Portion(
        plan,
        run.context.job.before(plan),
        batch,
        excluded=others,
        bindings=await run.bindings(old, new, plan, batch, others),
        wanted=Wanted(_positions(plan, update), chosen),
    )
    return Changes(Staged(update, portion))


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
        self._place = (run.run, task.position, batch.number)
        self._journal = ident(run.context.journal.schema)
        self._rejects: list[Reject] = []
        self._xids: list[int] = []
        self._rows = 0

    async def run(self, changes: Sequence[Change]) -> Updated:
        """Changes what NEW takes of these rows and rejects the rest.

        Raises:
            Stopped: NEW changed another number of rows than it holds.
        """
        update = update_of(self._run, self._task) if changes else None
        if update is None:
            return Updated()
        await self._read(update, changes)
        return await self._done()

    async def apply(self, old: OldReader, changes: Changes, progress: Progress) -> Updated:
        """Does the same with what a batch changes, from wherever it comes."""
        if changes.staged is None:
            return await self.run(changes.read)
        with question("updates, over all streams"):
            return await self._stage(old, changes.staged, progress)

    async def _stage(self, old: OldReader, staged: Staged, progress: Progress) -> Updated:
        """Does the same with the rows that OLD sends now.

        Raises:
            OldSideError: reading failed.
            asyncpg.PostgresError: NEW does not read a value.
        """
        update, new = staged.update, self._new
        await new.execute(stage(update))
        target = Target(STAGED, update.staged_columns, binary=False)
        copied = await pipe(old, new, staged.portion, target, progress)
        given = staged_rows(update, self._task.plan, self._batch.source)
        # Few rows of a large table, in about the order in which NEW keeps them: by index, not by a scan.
        await new.execute(set_local("random_page_cost", "1"))
        if await self._write(update, _Piece(copied.written, given)) is not None:
            records = await new.fetch(as_texts(update, given))
            await self._read(update, [_change(record) for record in records])
        await new.execute(f"{RESET_PAGE_COST}; {DROP_STAGED}")
        return await self._done()

    async def _done(self) -> Updated:
        await failpoint("batch.updated")
        return Updated(self._rows, tuple(self._rejects), tuple(self._xids))

    async def _read(self, update: Update, changes: Sequence[Change]) -> None:
        for piece in _pieces(changes):
            await self._narrow(update, piece)

    async def _narrow(self, update: Update, changes: Sequence[Change]) -> None:
        """Changes all rows, or those halves of them that NEW takes."""
        rows = [change.given for change in changes]
        given = json.dumps(rows) if re_encodes(self._run.context.job.new) else encode(rows).decode()
        error = await self._write(update, _Piece(len(changes), json=(given,)))
        if error is None:
            return
        if len(changes) == 1:
            columns = [column.name for column in update.given]
            keys = update.table.every_foreign_key
            self._rejects.append(reject_of(changes[0].row, error, update.table.name, columns, keys))
            return
        middle = len(changes) // 2
        await self._narrow(update, changes[:middle])
        await self._narrow(update, changes[middle:])

    async def _write(self, update: Update, piece: _Piece) -> asyncpg.PostgresError | None:
        """Changes all rows or none. Returns the error for which NEW refused them."""
        await self._new.execute(SAVEPOINT)
        try:
            xid = await self._mark()
            there = await self._changed(update, piece, xid)
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
        self._rows += there
        if there < piece.rows:
            await self._reject_gone(update, piece, xid)
        return None

    async def _changed(self, update: Update, piece: _Piece, xid: int) -> int:
        """Journals NEW's rows as they are and sets their values. Returns how many rows are there."""
        run, position, _ = self._place
        before = True
        if piece.staged:
            before = await self._new.fetchval(images_near(self._journal, piece.staged), run, position)
        keep = keep_images(update, self._journal, piece.given(update, 5), changed_before=before)
        kept = _rows(await self._new.execute(keep, *self._place, xid, *piece.json))
        await failpoint("batch.images")
        tag = await self._new.execute(set_values(update, piece.given(update, 1)), *piece.json)
        if _rows(tag) != kept:
            raise Stopped(UpdatesDiffer(update.table.name, kept, tag))
        return kept

    async def _reject_gone(self, update: Update, piece: _Piece, xid: int) -> None:
        """Rejects the rows of OLD whose row NEW holds no more."""
        run, position, _ = self._place
        query = without_image(self._journal, piece.given(update, 4))
        for source, *place in await self._new.fetch(query, run, position, xid, *piece.json):
            row = from_journal(source, Place(*place))
            self._rejects.append(Reject(row, "02000", HeldNoMore(update.table.name.name)))


def _positions(plan: TablePlan, update: Update) -> tuple[int, ...]:
    """Returns the mappings of the columns that travel."""
    places = {mapping.column: n for n, mapping in enumerate(plan.columns)}
    return tuple(places[column.name] for column in update.given)


def _change(record: asyncpg.Record) -> Change:
    """Returns a row of the session's table."""
    given: Given = dict(record)
    place = Place(record["page"], record["line"], record["item"], record["key"])
    return Change(from_journal(record["source"], place), given)


def _rows(tag: str) -> int:
    """Returns the number at the end of a completion tag."""
    return int(tag.rpartition(" ")[2])


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
