"""The journal in NEW, read and written. Every method takes the connection whose transaction it belongs to."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tranship.errors import Stopped
from tranship.errors.codes.stops import CommittedRowsLost
from tranship.model.catalog import Index
from tranship.model.dependencies import Dependencies
from tranship.model.flow import FlowId
from tranship.model.locator import Locator, Range
from tranship.model.names import TableName
from tranship.model.plan import Plan
from tranship.model.progress import Batch
from tranship.model.undo import IndexDropped, SwitchedOff, Unreadable
from tranship.model.verdict import Held, Reject
from tranship.planning.printed.earlier_undo import earlier_undo
from tranship.server.deadline import each_large_row, each_row
from tranship.server.journal import predictions
from tranship.server.journal.batch_rows import batch_row
from tranship.server.journal.binary_rows import pieces
from tranship.server.journal.nouns import (
    BatchReject,
    BatchRow,
    Findings,
    Predicted,
    RejectRow,
    RolledBack,
    Run,
    SequenceMove,
    TaskRow,
    Undo,
    bound,
    count_values,
    name_from,
    old_columns,
)
from tranship.server.journal.reject_values import (
    AT_ONCE,
    REJECT_TYPES,
    RejectReader,
    batch_reject,
    reject_row,
    reject_values,
)
from tranship.server.journal.row_places import place
from tranship.sql.new.journal import FORMAT, JournalSql
from tranship.sql.new.undo import restoring

Noun = TypeVar("Noun", bound=Struct)


class _GoneIndex(Struct, frozen=True):
    """How format 1 records the index behind an entry of its undo table."""

    table: TableName
    index: Index


_BYTES = 4 * 1024 * 1024
"""Of old rows that are written together."""
_AT_ONCE = 500
"""Rejected rows that are fetched together, because each holds a whole old row."""


class Journal:
    """The journal schema of one NEW, in one format."""

    def __init__(self, schema: str, format: int = FORMAT) -> None:
        self.sql = JournalSql(schema, format)
        self.schema = schema
        self.format = format

    async def runs(self, conn: asyncpg.Connection, old_identity: str | None) -> tuple[Run, ...]:
        """Returns the runs from one OLD (None: from any), oldest first."""
        return tuple(
            _noun(Run, row, json=("left_out", "decided_by"))
            for row in await conn.fetch(self.sql("runs"), old_identity)
        )

    async def plan(self, conn: asyncpg.Connection, run: Run) -> Plan | None:
        """Returns the plan as it was decided when the run began; None for a run of format 1."""
        if run.format == 1:
            return None
        return msgspec.json.decode(await conn.fetchval(self.sql("plan_of_run"), run.id), type=Plan)

    async def depends(self, conn: asyncpg.Connection, run: str) -> Dependencies:
        """Returns what the values of a run depend on, as it was when the run began."""
        kept = await conn.fetchval(self.sql("depends_of_run"), run)
        return msgspec.json.decode(kept, type=Dependencies) if kept is not None else Dependencies()

    async def tasks(self, conn: asyncpg.Connection, run: str) -> tuple[TaskRow, ...]:
        """Returns the tables of a run in plan order."""
        return tuple(
            _noun(
                TaskRow,
                {**row, "flow": flow_of(row)},
                json=("findings", "relation", "proof"),
                missing={"findings": Findings()},
            )
            for row in await conn.fetch(self.sql("tasks"), run)
        )

    async def batches(
        self, conn: asyncpg.Connection, tasks: Sequence[TaskRow], run: str
    ) -> tuple[BatchRow, ...]:
        """Returns all batches of a run, by table and number."""
        flows = {task.position: task.flow for task in tasks}
        return tuple(
            batch_row(row, flows[row["position"]]) for row in await conn.fetch(self.sql("batches"), run)
        )

    async def batch(
        self, conn: asyncpg.Connection, run: str, position: int, number: int, flow: FlowId
    ) -> BatchRow:
        """Returns one batch as it stands.

        Raises:
            Stopped: NEW has lost it.
        """
        found = await conn.fetchrow(self.sql("batch"), run, position, number)
        if found is None:
            raise Stopped(CommittedRowsLost(run, f"batch {number} of {flow}"))
        return batch_row(found, flow)

    async def after(self, conn: asyncpg.Connection, run: str, row: BatchRow) -> BatchRow | None:
        """Returns the batch that begins where another ends; None: that one reaches its source's end."""
        if row.batch.range.end is None:
            return None
        place = (run, row.position, row.batch.source, bound(row.batch.range.end))
        found = await conn.fetchrow(self.sql("batch_from"), *place)
        return batch_row(found, row.batch.flow) if found is not None else None

    def predicted(self, conn: asyncpg.Connection, run: str) -> AsyncIterator[tuple[int, Reject | Held]]:
        """Yields what the data checks predicted, with the position of the flow. Rejects come last."""
        return predictions.of_run(conn, self.sql, run)

    async def rejects(self, conn: asyncpg.Connection, run: str) -> AsyncIterator[BatchReject]:
        """Yields the rejects of a run in table and physical order."""
        reader = RejectReader()
        async with conn.transaction():
            async for row in each_row(conn, self.sql("rejects"), run, at_once=AT_ONCE):
                yield batch_reject(row, reader)

    async def rejects_of(self, conn: asyncpg.Connection, run: str, position: int) -> AsyncIterator[RejectRow]:
        """Yields the rejected rows of a table, of which the server holds most back: they may be many, and
        each is a whole row.
        """
        async with conn.transaction():
            query, lengths = self.sql("rejects_of"), self.sql("rejects_of_lengths")
            async for row in each_large_row(conn, (query, lengths), run, position, most=_BYTES):
                read = reject_row(row)
                # Nothing holds a large row while the next one is read.
                del row
                yield read
                del read

    async def not_copied(self, conn: asyncpg.Connection, run: str, row: BatchRow) -> list[Locator]:
        """Returns the rows of OLD that a batch did not add to NEW, in order."""
        predicted = await self.predicted_in(conn, run, row.position, row.batch)
        return sorted({*predicted.rows, *await self.rejected_in(conn, run, row)})

    async def rejected_in(self, conn: asyncpg.Connection, run: str, row: BatchRow) -> list[Locator]:
        """Returns the rows of a batch that were rejected when they were to be written."""
        numbered = run, row.position, row.batch.number
        return list(map(place, await conn.fetch(self.sql("rejected_in_batch"), *numbered)))

    async def rejected_rows(
        self, conn: asyncpg.Connection, run: str, position: int
    ) -> list[tuple[bytes | None, Locator]]:
        """Returns OLD's keys of the rejected rows of a table, with their places in the run's snapshot."""
        rows = await conn.fetch(self.sql("rejected_rows"), run, position)
        return [(row["old_key"], place(row)) for row in rows]

    async def write_batches(
        self, conn: asyncpg.Connection, run: str, batches: Mapping[int, Iterable[Batch]]
    ) -> None:
        """Journals batches as still to do, given by the position of their flow."""
        rows = [
            (run, position, b.number, b.source, *_ends(b.range), b.rows, *old_columns(b.old))
            for position, mine in batches.items()
            for b in mine
        ]
        await conn.executemany(self.sql("insert_batch"), rows)

    async def write_uncounted(
        self, conn: asyncpg.Connection, run: str, position: int, uncounted: Iterable[Batch]
    ) -> None:
        """Journals what is not counted yet of a flow."""
        rows = [(run, position, b.number, b.source, bound(b.range.start), b.rows) for b in uncounted]
        await conn.executemany(self.sql("insert_uncounted"), rows)

    async def count_uncounted(
        self, conn: asyncpg.Connection, run: str, position: int, before: Batch, left: Batch | None
    ) -> bool:
        """Journals what is left uncounted of a source. Returns False when it was on record before."""
        place = (run, position, before.number, bound(before.range.start))
        if left is None:
            found = await conn.fetchval(self.sql("end_uncounted"), *place)
        else:
            end = (bound(left.range.start), left.rows)
            found = await conn.fetchval(self.sql("shorten_uncounted"), *place, *end)
        return found is not None

    async def write_predicted(
        self,
        conn: asyncpg.Connection,
        run: str,
        position: int,
        rejects: Iterable[Reject],
        held: Iterable[Held] = (),
    ) -> None:
        """Journals what the data checks predicted, so that a resumed run need not check a NEW that already
        holds half of the table. They may be many, so that one is taken after the other.
        """
        await predictions.write(conn, self.schema, (run, position), rejects, held)

    async def add_predicted_rejects(
        self, conn: asyncpg.Connection, run: str, position: int, rejects: Iterable[Reject]
    ) -> None:
        """Journals what later data checks found; rows that are predicted already keep their reason."""
        await predictions.add(conn, self.sql, (run, position), rejects)

    async def predicted_in(
        self, conn: asyncpg.Connection, run: str, position: int, batch: Batch
    ) -> Predicted:
        """Returns what the data checks predicted of a batch's rows."""
        return await predictions.of_batch(conn, self.sql, (run, position), batch)

    async def count_batch(self, conn: asyncpg.Connection, run: str, row: BatchRow) -> BatchRow:
        """Journals what became of a batch; inside its transaction, whose own id comes first in what is
        returned.
        """
        xids = await conn.fetchval(self.sql("count_batch"), *count_values(run, row))
        return replace(row, xids=tuple(xids))

    async def count_batches(
        self, conn: asyncpg.Connection, run: str, rows: Sequence[BatchRow]
    ) -> list[BatchRow]:
        """Does what `count_batch` does, for batches that share a transaction without savepoints."""
        await conn.executemany(self.sql("count_batch"), [count_values(run, row) for row in rows])
        own = int(await conn.fetchval(self.sql("own_xid")))
        return [replace(row, xids=(own,)) for row in rows]

    async def reserve_number(self, conn: asyncpg.Connection, run: str, position: int) -> int:
        """Returns a batch number that no batch of the table has, nor any other session gets."""
        return int(await conn.fetchval(self.sql("reserve_number"), run, position))

    async def reserve_numbers(self, conn: asyncpg.Connection, run: str, position: int, count: int) -> range:
        """Returns as many such numbers, which follow each other."""
        first = int(await conn.fetchval(self.sql("reserve_numbers"), run, position, count))
        return range(first, first + count)

    async def write_rejects(
        self, conn: asyncpg.Connection, run: str, position: int, batch: int, rows: AsyncIterable[RejectRow]
    ) -> None:
        """Journals rejected rows, some at a time; inside the batch's transaction."""
        some: list[tuple[object, ...]] = []
        size = 0
        async for row in rows:
            some.append(reject_values(run, position, batch, row))
            size += len(row.row)
            # No COPY waits for OLD: a server that hears nothing for a while is taken to be lost.
            if len(some) >= _AT_ONCE or size >= _BYTES:
                await self._copy_rejects(conn, some)
                some, size = [], 0
        if some:
            await self._copy_rejects(conn, some)

    async def _copy_rejects(self, conn: asyncpg.Connection, records: list[tuple[object, ...]]) -> None:
        source = pieces(records, REJECT_TYPES)
        await conn.copy_to_table("reject", schema_name=self.schema, source=source, format="binary")

    async def open_undo(self, conn: asyncpg.Connection) -> tuple[Undo, ...]:
        """Returns what is switched off, latest first."""
        if self.format == 1:
            return tuple(_earlier_undo(row) for row in await conn.fetch(self.sql("open_undo_1")))
        return tuple(
            _undo(row, msgspec.json.decode(row["facts"], type=SwitchedOff))
            for row in await conn.fetch(self.sql("open_undo"))
        )

    async def write_undo(self, conn: asyncpg.Connection, run: str, off: SwitchedOff) -> None:
        """Journals something that is switched off; in the transaction that does it."""
        name = "insert_undo" if self.format > 1 else "insert_undo_1"
        await conn.fetchval(self.sql(name), run, *self._undo_values(off))

    async def undo_there(self, conn: asyncpg.Connection, run: str, off: SwitchedOff) -> bool:
        """Returns whether this is on record as switched off."""
        name = "undo_there" if self.format > 1 else "undo_there_1"
        return bool(await conn.fetchval(self.sql(name), run, *self._undo_values(off)))

    def _undo_values(self, off: SwitchedOff) -> tuple[object, ...]:
        if self.format > 1:
            return str(type(off).__struct_config__.tag), msgspec.json.encode(off)
        index = _GoneIndex(off.table, off.index) if isinstance(off, IndexDropped) else None
        return str(off), "; ".join(restoring(off)), index and msgspec.json.encode(index)

    async def rolled_back(self, conn: asyncpg.Connection) -> tuple[RolledBack, ...]:
        """Returns the runs that were rolled back, in the order of their rollbacks; format 1 forgets them."""
        if self.format == 1:
            return ()
        rows = await conn.fetch(self.sql("rolled_back"))
        return tuple(_noun(RolledBack, row, json=("decided_by",)) for row in rows)

    async def sequences(self, conn: asyncpg.Connection, run: str) -> tuple[SequenceMove, ...]:
        """Returns the sequences that a run moved."""
        return tuple(
            SequenceMove(
                name_from(row["name"]),
                int(row["before_value"]),
                row["before_called"],
                int(row["after_value"]),
                row["after_called"],
            )
            for row in await conn.fetch(self.sql("sequences"), run)
        )


def _noun(
    noun: type[Noun],
    row: Mapping[str, Any],
    *,
    json: Sequence[str],
    missing: Mapping[str, object] | None = None,
) -> Noun:
    """Returns a row as the noun whose fields its columns are called by; ``json``: columns that hold JSON,
    ``missing``: what NULL stands for.
    """
    values: dict[str, Any] = dict(row)
    for name in json:
        if values[name] is not None:
            values[name] = msgspec.json.decode(values[name])
        elif missing is not None and name in missing:
            values[name] = missing[name]
    return msgspec.convert(values, type=noun)


def _undo(row: asyncpg.Record, off: SwitchedOff) -> Undo:
    sql = off.sql if isinstance(off, Unreadable) else "; ".join(restoring(off))
    return Undo(row["run"], row["seq"], str(off), sql, off, row["server"])


def _earlier_undo(row: asyncpg.Record) -> Undo:
    gone = msgspec.json.decode(row["index"], type=_GoneIndex) if row["index"] is not None else None
    known = (gone.table, gone.index) if gone is not None else None
    return _undo(row, earlier_undo(row["what"], row["sql"], known))


def flow_of(row: asyncpg.Record) -> FlowId:
    """Returns the flow that a row of the journal names."""
    name = msgspec.json.decode(row["flow_name"]) if row["flow_name"] else ""
    return FlowId(name_from(row["old_table"]), name_from(row["new_table"]), name)


def _ends(range_: Range) -> tuple[str | None, str | None]:
    return bound(range_.start), bound(range_.end)
