"""COPY from OLD piped into COPY to NEW in bounded memory, and the proof that the stream was whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

import asyncpg
from msgspec import Struct

from tranship.execution.resilience.server_errors import StreamBroken
from tranship.execution.resilience.stall import Progress
from tranship.model.names import TableName
from tranship.server.old_reader import OldReader, Portion, tag_rows
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql.session import insert_defaults

QUEUE = 8
"""Chunks in flight: half a megabyte, since the driver delivers about 64 KB at a time (or one larger row)."""


class Copied(Struct, frozen=True):
    """Rows and bytes that went through one pipe, by the servers' own completion tags."""

    read: int
    written: int
    bytes: int


class Target(Struct, frozen=True):
    """The columns of a table of NEW that a pipe fills, in the order in which OLD sends them."""

    table: TableName
    columns: tuple[str, ...]
    binary: bool


class OldSideError(Exception):
    """Reading OLD failed; ``__cause__`` is the error."""


class _Pipe:
    """A bounded queue whose end is a value, so that a lost connection never looks like the end of the
    rows.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue(QUEUE)
        self.bytes = 0

    async def write(self, chunk: bytes) -> None:
        self.bytes += len(chunk)
        await self._queue.put(chunk)
        self._progress.step(len(chunk))

    async def end(self, error: BaseException | None) -> None:
        await self._queue.put(error)

    async def chunks(self) -> AsyncIterator[bytes]:
        while (item := await self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise OldSideError from item
            self._progress.step()
            yield item


async def pipe(
    old: OldReader,
    new: asyncpg.Connection,
    portion: Portion,
    target: Target,
    progress: Progress,
) -> Copied:
    """Reads a portion from OLD and writes it into NEW's table. Returns the counts of both servers.

    NEW ends its COPY only after OLD has said how many rows it sent. Whatever interrupts OLD before that makes
    NEW's COPY fail.

    Raises:
        OldSideError: reading failed.
        asyncpg.PostgresError: NEW refused.
        StreamBroken: the completion tags differ.
    """
    between = _Pipe(progress)
    read = 0
    kind = "binary" if target.binary else "text"
    send = partial(old.stream, binary=target.binary) if portion.wanted is None else old.stream_wanted

    async def pump() -> None:
        nonlocal read
        failed: BaseException | None = None
        try:
            read = await send(portion, between.write)
        except (*DATABASE_TROUBLE, ValueError) as error:
            failed = error
        await between.end(failed)

    pumping = asyncio.create_task(pump())
    try:
        tag = await new.copy_to_table(
            target.table.name,
            schema_name=target.table.schema,
            source=between.chunks(),
            columns=list(target.columns) or None,
            format=kind,
        )
        await pumping
    finally:
        if not pumping.done():
            pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)
    written = tag_rows(tag)
    if written != read:
        raise StreamBroken(f"OLD sent {read} rows of {target.table}, NEW took {written}")
    return Copied(read, written, between.bytes)


async def write_lines(
    new: asyncpg.Connection, table: TableName, columns: Sequence[str], lines: Sequence[bytes]
) -> int:
    """Writes ready lines of text COPY, each with its newline. Returns the number of rows that NEW took.

    Without columns NEW fills the rows alone.
    """
    if not columns:
        tag = str(await new.execute(insert_defaults(table, len(lines))))
        return int(tag.rpartition(" ")[2])

    async def chunks() -> AsyncIterator[bytes]:
        # A thousand lines a message: one message a line would cost more than the rows.
        for start in range(0, len(lines), 1000):
            yield b"".join(lines[start : start + 1000])

    written = tag_rows(
        await new.copy_to_table(
            table.name, schema_name=table.schema, source=chunks(), columns=list(columns), format="text"
        )
    )
    if written != len(lines):
        raise StreamBroken(f"{len(lines)} rows of {table} were sent, NEW took {written}")
    return written


async def read_lines(old: OldReader, portion: Portion) -> list[bytes]:
    """Returns the rows of a portion as lines of text COPY with their address in front, each with its newline.

    COPY escapes newlines inside values, so that a line is a row.
    """
    parts: list[bytes] = []

    async def keep(chunk: bytes) -> None:
        parts.append(bytes(chunk))

    sent = await old.stream_identified(portion, keep)
    lines = _lines(b"".join(parts))
    if len(lines) != sent:
        raise StreamBroken(f"OLD sent {sent} rows, {len(lines)} arrived")
    return lines


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return [line + b"\n" for line in lines[:-1]]
