"""The journal in NEW as values. Every function takes the connection whose transaction it belongs to."""

from __future__ import annotations

import datetime
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence

import asyncpg
import msgspec
from msgspec import Struct

from tranship.errors import Refused
from tranship.errors.codes.privileges import (
    JournalMayNotBeMade,
    JournalMayNotBeUsed,
    JournalNotRemovable,
    JournalOccupied,
    JournalRefused,
)
from tranship.model.catalog import Index
from tranship.model.flow import FlowId
from tranship.model.locator import Address, Pages, Range, Whole
from tranship.model.names import TableName
from tranship.model.progress import Batch
from tranship.model.resolution import Problem
from tranship.model.verdict import LossCount, Reject
from tranship.sql import ctid
from tranship.sql.new.journal import JournalSql
from tranship.sql.quote import ident
from tranship.sql.session import set_local

LOCK_TIMEOUT = "3s"
"""For locks on the journal's own tables."""


class Run(Struct, frozen=True):
    """One run as the journal knows it."""

    id: str
    old_identity: str
    new_identity: str
    plan_hash: str
    epoch: int
    host: str
    pid: int
    state: str
    """``running``, ``stopped`` or ``finished``."""
    snapshot: str
    """Where the snapshot it reads stands: :class:`Mark` as text."""
    mixed: bool
    """Some tables were read in another snapshot than others, as a person allowed."""
    left_out: dict[str, int]
    started: datetime.datetime
    finished: datetime.datetime | None
    silent_seconds: float
    backends: tuple[int, ...]


class Findings(Struct, frozen=True):
    """What asking found about a table, its rejects apart."""

    losses: tuple[LossCount, ...] = ()
    not_asked: tuple[str, ...] = ()
    ordered_stream: bool = False


class TaskRow(Struct, frozen=True):
    """One flow of a run."""

    position: int
    flow: FlowId
    plan_hash: str
    done: bool
    rows: int
    digest: str
    findings: Findings
    format: str


class BatchRow(Struct, frozen=True):
    """One batch of a run: its range, and once done what became of it."""

    position: int
    batch: Batch
    done: bool
    read: int
    written: int
    rejected: int
    bytes: int
    seconds: float
    xids: tuple[int, ...]
    going_back: bool = False
    """Its rows are being taken back: some are gone, some may still be there."""


class RejectRow(Struct, frozen=True):
    """A rejected row as journalled; key and row are JSON text in UTF-8."""

    position: int
    batch: int
    reject: Reject
    key: bytes | None
    row: bytes


class GoneIndex(Struct, frozen=True):
    """An index of NEW that is not there for a while."""

    table: TableName
    index: Index


class Undo(Struct, frozen=True):
    """Something of NEW that is switched off, with the way back."""

    run: str
    seq: int
    what: str
    sql: str
    gone: GoneIndex | None = None
    """An index that a load does without: rebuilt when its rows are there, not before."""


class SequenceMove(Struct, frozen=True):
    """A sequence's position before and after."""

    name: TableName
    before: int
    before_called: bool
    after: int
    after_called: bool


def name_text(name: TableName) -> str:
    """A table name in one text column, unambiguous and in ASCII, which every encoding of NEW can hold."""
    return json.dumps({"schema": name.schema, "name": name.name})


def name_from(text: str) -> TableName:
    """Back from :func:`name_text`."""
    return msgspec.json.decode(text.encode(), type=TableName)


class Journal:
    """The journal schema of one NEW."""

    def __init__(self, schema: str) -> None:
        self.sql = JournalSql(schema)
        self.schema = schema

    async def missing(self, conn: asyncpg.Connection, user: str, database: str) -> Problem | None:
        """The GRANTs that are missing before the journal can be made or used; None: it can."""
        state = await conn.fetchrow(self.sql.state_of_schema)
        make = f"CREATE SCHEMA {ident(self.schema)} AUTHORIZATION {ident(user)};"
        if state is None:
            if await conn.fetchval(
                "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')"
            ):
                return None
            hint = f"{make}  -- or: GRANT CREATE ON DATABASE {ident(database)} TO {ident(user)};"
            return JournalMayNotBeMade(self.schema, hint).problem()
        if state["has_tables"] or not state["strangers"]:
            if state["may_use"] and (state["may_create"] or state["has_tables"]):
                return None
        else:
            return self._occupied(state["strangers"]).problem()
        hint = f"GRANT USAGE, CREATE ON SCHEMA {ident(self.schema)} TO {ident(user)};"
        return JournalMayNotBeUsed(self.schema, hint).problem()

    def _occupied(self, strangers: Sequence[str]) -> JournalOccupied:
        return JournalOccupied(self.schema, tuple(strangers[:5]))

    async def exists(self, conn: asyncpg.Connection) -> bool:
        """The journal's tables are there."""
        state = await conn.fetchrow(self.sql.state_of_schema)
        return state is not None and bool(state["has_tables"])

    async def prepare(self, conn: asyncpg.Connection) -> None:
        """Makes what is missing.

        Raises:
            Refused: this role may neither make nor use it, or the schema is somebody else's.
        """
        state = await conn.fetchrow(self.sql.state_of_schema)
        if state is not None and state["has_tables"]:
            return
        if state is not None and state["strangers"]:
            raise Refused(self._occupied(state["strangers"]))
        try:
            async with conn.transaction():
                if state is None:
                    await conn.execute(self.sql.create_schema)
                await conn.execute(self.sql.create_tables)
                if state is None:
                    # A schema that was there before has the grants that somebody gave it on purpose.
                    for row in await conn.fetch(self.sql.granted):
                        await conn.execute(self.sql.revoke_from(row["role"]))
        except asyncpg.InsufficientPrivilegeError as error:
            raise Refused(JournalRefused(self.schema, str(error))) from error

    async def remove(self, conn: asyncpg.Connection, judge: Callable[[], Awaitable[None]]) -> bool:
        """Drops the journal's tables, and the schema where it is empty then and this role's own; whether the schema is gone.

        ``judge`` is asked once no run can begin any more; what it raises keeps the journal.

        Raises:
            Refused: the tables belong to another role, or something of others hangs on them.
            asyncpg.LockNotAvailableError: a run is at work.
        """
        try:
            async with conn.transaction():
                await conn.execute(set_local("lock_timeout", LOCK_TIMEOUT))
                await conn.execute(self.sql.lock_out)
                await judge()
                await conn.execute(self.sql.drop_tables)
        except (asyncpg.InsufficientPrivilegeError, asyncpg.DependentObjectsStillExistError) as error:
            raise Refused(JournalNotRemovable(self.schema, str(error))) from error
        try:
            async with conn.transaction():
                await conn.execute(self.sql.drop_schema)
        except (asyncpg.InsufficientPrivilegeError, asyncpg.DependentObjectsStillExistError):
            return False
        return True

    async def runs(self, conn: asyncpg.Connection, old_identity: str | None) -> tuple[Run, ...]:
        """The runs from one OLD (None: from any), oldest first."""
        rows = await (
            conn.fetch(self.sql.all_runs) if old_identity is None else conn.fetch(self.sql.runs, old_identity)
        )
        return tuple(_run(row) for row in rows)

    async def tasks(self, conn: asyncpg.Connection, run: str) -> tuple[TaskRow, ...]:
        """The tables of a run in plan order."""
        return tuple(
            TaskRow(
                row["position"],
                FlowId(name_from(row["old_table"]), name_from(row["new_table"])),
                row["plan_hash"],
                row["state"] == "done",
                row["row_count"],
                row["digest"],
                msgspec.json.decode(row["findings"], type=Findings) if row["findings"] else Findings(),
                row["format"],
            )
            for row in await conn.fetch(self.sql.tasks, run)
        )

    async def batches(
        self, conn: asyncpg.Connection, tasks: Sequence[TaskRow], run: str
    ) -> tuple[BatchRow, ...]:
        """All batches of a run, by table and number."""
        flows = {task.position: task.flow for task in tasks}
        return tuple(_batch(row, flows[row["position"]]) for row in await conn.fetch(self.sql.batches, run))

    async def batch(self, conn: asyncpg.Connection, run: str, position: int, batch: Batch) -> BatchRow:
        """One batch as it stands."""
        return _batch(await conn.fetchrow(self.sql.batch, run, position, batch.number), batch.flow)

    async def after(self, conn: asyncpg.Connection, run: str, row: BatchRow) -> BatchRow | None:
        """The batch that begins where another ends; None: that one reaches its source's end."""
        if row.batch.range.end is None:
            return None
        found = await conn.fetchrow(
            self.sql.batch_from, run, row.position, row.batch.source, ctid.render(row.batch.range.end)
        )
        return _batch(found, row.batch.flow) if found is not None else None

    async def foreseen(self, conn: asyncpg.Connection, run: str) -> tuple[tuple[int, Reject], ...]:
        """Rejects that asking found, with the table's position."""
        return tuple((row["position"], _reject(row)) for row in await conn.fetch(self.sql.foreseen, run))

    async def rejects(self, conn: asyncpg.Connection, run: str) -> tuple[RejectRow, ...]:
        """The rejected rows of a run."""
        return tuple(
            RejectRow(row["position"], row["batch"], _reject(row), row["old_key"], row["old_row"])
            for row in await conn.fetch(self.sql.rejects, run)
        )

    async def write_batches(
        self, conn: asyncpg.Connection, run: str, position: int, batches: Iterable[Batch]
    ) -> None:
        """Journals batches as still to do."""
        await conn.executemany(
            self.sql.insert_batch,
            [
                (
                    run,
                    position,
                    b.number,
                    b.source,
                    bound(b.range.start),
                    bound(b.range.end),
                    b.rows,
                )
                for b in batches
            ],
        )

    async def write_foreseen(
        self, conn: asyncpg.Connection, run: str, position: int, rejects: Iterable[Reject]
    ) -> None:
        """Journals what asking found, so that a resumed run need not ask a NEW that already holds half of the table."""
        await conn.copy_records_to_table(
            "foreseen",
            schema_name=self.schema,
            records=[
                (
                    run,
                    position,
                    r.row.source,
                    *ctid.page_and_line(r.row),
                    r.rank,
                    r.sqlstate,
                    r.column,
                    r.constraint,
                    r.reason.encode(errors="backslashreplace"),
                )
                for r in rejects
            ],
        )

    async def write_rejects(
        self, conn: asyncpg.Connection, run: str, position: int, batch: int, rows: Iterable[RejectRow]
    ) -> None:
        """Journals rejected rows; inside the batch's transaction."""
        await conn.copy_records_to_table(
            "reject",
            schema_name=self.schema,
            records=[
                (
                    run,
                    position,
                    batch,
                    row.reject.row.source,
                    *ctid.page_and_line(row.reject.row),
                    row.key,
                    row.row,
                    row.reject.sqlstate,
                    row.reject.constraint,
                    row.reject.column,
                    message(row.reject),
                )
                for row in rows
            ],
        )

    async def open_undo(self, conn: asyncpg.Connection) -> tuple[Undo, ...]:
        """What is switched off, latest first."""
        return tuple(_undo(row) for row in await conn.fetch(self.sql.open_undo))

    async def write_undo(
        self, conn: asyncpg.Connection, run: str, what: str, sql: str, gone: GoneIndex | None = None
    ) -> None:
        """Journals a way back; in the transaction that makes it necessary."""
        await conn.fetchval(
            self.sql.insert_undo, run, what, sql, msgspec.json.encode(gone) if gone is not None else None
        )

    async def sequences(self, conn: asyncpg.Connection, run: str) -> tuple[SequenceMove, ...]:
        """The sequences a run moved."""
        return tuple(
            SequenceMove(
                name_from(row["name"]),
                int(row["before_value"]),
                row["before_called"],
                int(row["after_value"]),
                row["after_called"],
            )
            for row in await conn.fetch(self.sql.sequences, run)
        )


def message(reject: Reject) -> bytes:
    """The reason as UTF-8; what is no text of any encoding stands escaped."""
    return reject.reason.encode(errors="backslashreplace")


def bound(address: Address | None) -> str | None:
    """Returns an end of a range as the journal keeps it; NULL is open."""
    return ctid.render(address) if address is not None else None


def _range(source: int, lo: str | None, hi: str | None) -> Range:
    if lo is None and hi is None:
        return Whole(source)
    return Pages(
        source, ctid.parse(lo) if lo is not None else None, ctid.parse(hi) if hi is not None else None
    )


def _run(row: asyncpg.Record) -> Run:
    silent = row["silent"]
    return Run(
        row["id"],
        row["old_identity"],
        row["new_identity"],
        row["plan_hash"],
        row["epoch"],
        row["host"],
        row["pid"],
        row["state"],
        row["snapshot"],
        row["mixed"],
        msgspec.json.decode(row["left_out"], type=dict[str, int]),
        row["started"],
        row["finished"],
        silent.total_seconds() if silent is not None else 0.0,
        tuple(row["backends"]),
    )


def _undo(row: asyncpg.Record) -> Undo:
    gone = msgspec.json.decode(row["index"], type=GoneIndex) if row["index"] is not None else None
    return Undo(row["run"], row["seq"], row["what"], row["sql"], gone)


def _batch(row: asyncpg.Record, flow: FlowId) -> BatchRow:
    return BatchRow(
        row["position"],
        Batch(row["number"], flow, _range(row["source"], row["lo"], row["hi"]), row["row_count"]),
        row["state"] == "done",
        row["read"] or 0,
        row["written"] or 0,
        row["rejected"] or 0,
        row["bytes"] or 0,
        row["seconds"] or 0.0,
        tuple(row["xids"]),
        row["state"] == "back",
    )


def _reject(row: asyncpg.Record) -> Reject:
    return Reject(
        ctid.locate(row["source"], (row["page"], row["line"])),
        row["sqlstate"],
        bytes(row["message"]).decode(),
        row["column_name"],
        row["constraint_name"],
        row.get("rank", 0),
    )
