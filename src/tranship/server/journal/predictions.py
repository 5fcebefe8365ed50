"""What the data checks said of rows before they were copied: rejects, and rows of which none is added to NEW.

Millions of rows of one flow may have the same outcome, most often that of an update. They are journalled
block by block: a row of the table ``held`` has those of 256 pages, four bytes each.
"""

from __future__ import annotations

import itertools
import sys
from array import array
from collections.abc import AsyncIterator, Iterable

import asyncpg

from tranship.model.locator import Locator
from tranship.model.progress import Batch
from tranship.model.verdict import Held, HeldAs, Reject
from tranship.server.deadline import each_row
from tranship.server.journal.nouns import Alike, Predicted
from tranship.server.journal.reject_values import AT_ONCE, RejectReader
from tranship.server.journal.row_places import (
    NO_FAULT,
    held_of,
    held_record,
    item_and_key,
    message,
    page_and_line,
    page_and_line_of,
)
from tranship.sql.new.journal import JournalSql

_BEYOND = (2**63 - 1, 2**31 - 1)
"""Page and line pointer that no row has: the largest values of the journal's columns."""
_PAGES = 256
"""Pages of a block: a page (8 bits) and a line pointer (16 bits, ``OffsetNumber``) fit one number."""
_LINE = 16
"""Bits of a line pointer."""


async def write(
    conn: asyncpg.Connection,
    schema: str,
    place_: tuple[str, int],
    rejects: Iterable[Reject],
    held: Iterable[Held],
) -> None:
    """Journals what was predicted of a flow, given by run and position."""
    apart, alike = _parted(held)
    records = itertools.chain(
        (_reject_record(*place_, reject) for reject in rejects),
        (held_record(*place_, one) for one in apart),
    )
    await conn.copy_records_to_table("predicted_reject", schema_name=schema, records=records)
    blocks = [(*place_, *block) for block in _blocks(alike)]
    await conn.copy_records_to_table("held", schema_name=schema, records=blocks)


async def add(
    conn: asyncpg.Connection, sql: JournalSql, place_: tuple[str, int], rejects: Iterable[Reject]
) -> None:
    """Journals further rejects; rows that are rejected already keep their reason."""
    rows = [_reject_record(*place_, reject) for reject in rejects]
    await conn.executemany(sql("add_predicted_reject"), rows)


async def of_run(
    conn: asyncpg.Connection, sql: JournalSql, run: str
) -> AsyncIterator[tuple[int, Reject | Held]]:
    """Yields what was predicted, with the position of the flow. A reject that was predicted later than what
    became of a row follows it.
    """
    reader = RejectReader()
    async with conn.transaction():
        # Format 1 has no such blocks, nor what they are for.
        if sql.format > 1:
            async for block in each_row(conn, sql("held"), run, at_once=AT_ONCE):
                outcome = HeldAs(block["outcome"])
                for row in _rows(block):
                    yield block["position"], Held(row, outcome)
        async for record in each_row(conn, sql("predicted_rejects"), run, at_once=AT_ONCE):
            one = held_of(record) if record["sqlstate"] == NO_FAULT else reader.reject(record)
            yield record["position"], one


async def of_batch(
    conn: asyncpg.Connection, sql: JournalSql, place_: tuple[str, int], batch: Batch
) -> Predicted:
    """Returns what was predicted of a batch's rows."""
    lowest = page_and_line_of(batch.range.start, (0, 0))
    highest = page_and_line_of(batch.range.end, _BEYOND)
    rows = await conn.fetch(sql("predicted_in"), *place_, batch.source, *lowest, *highest)
    first = lowest[0] - lowest[0] % _PAGES
    blocks = await conn.fetch(sql("held_in"), *place_, batch.source, first, highest[0])
    return _predicted(rows, blocks).within(batch)


def _parted(held: Iterable[Held]) -> tuple[tuple[Held, ...], tuple[Alike, ...]]:
    """Returns the rows of which something is on record for each, and those that an outcome says all of."""
    apart: list[Held] = []
    alike: dict[HeldAs, list[Locator]] = {}
    for one in held:
        row = one.row
        if one.key or one.into is not None or row.item or isinstance(row.address[0], str):
            apart.append(one)
        else:
            alike.setdefault(one.outcome, []).append(row)
    return tuple(apart), tuple(Alike(outcome, tuple(rows)) for outcome, rows in sorted(alike.items()))


def _blocks(alike: Iterable[Alike]) -> list[tuple[int, int, str, bytes]]:
    """Returns source, first page, outcome and rows of each block."""
    blocks: dict[tuple[int, int, str], array[int]] = {}
    for one in alike:
        for row in one.rows:
            page, line = row.address
            start = int(page) - int(page) % _PAGES
            block = blocks.setdefault((row.source, start, one.outcome), array("I"))
            block.append((int(page) - start) << _LINE | int(line))
    return [(*block, _swapped(numbers).tobytes()) for block, numbers in blocks.items()]


def _rows(block: asyncpg.Record) -> list[Locator]:
    numbers = array("I")
    numbers.frombytes(block["rows"])
    source, page, line = block["source"], block["page"], (1 << _LINE) - 1
    return [Locator(source, (page + (n >> _LINE), n & line)) for n in _swapped(numbers)]


def _swapped(numbers: array[int]) -> array[int]:
    """Returns the numbers with the lowest byte first, or from that order."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _predicted(rows: list[asyncpg.Record], blocks: Iterable[asyncpg.Record]) -> Predicted:
    """Returns what rows of the journal say. They are taken out of the list: a batch may have many."""
    rejects, apart, reader = list[Reject](), list[Held](), RejectReader()
    rows.reverse()
    while rows:
        row = rows.pop()
        if row["sqlstate"] == NO_FAULT:
            apart.append(held_of(row))
        else:
            rejects.append(reader.reject(row))
    alike: dict[HeldAs, list[Locator]] = {}
    for block in blocks:
        alike.setdefault(HeldAs(block["outcome"]), []).extend(_rows(block))
    # A reject that was predicted later takes the row out.
    gone = {reject.row for reject in rejects}
    if gone:
        alike = {outcome: [row for row in held if row not in gone] for outcome, held in alike.items()}
    return Predicted(
        tuple(rejects), tuple(apart), tuple(Alike(outcome, tuple(held)) for outcome, held in alike.items())
    )


def _reject_record(run: str, position: int, reject: Reject) -> tuple[object, ...]:
    """Returns a reject as a row of the predicted ones, in column order."""
    row = reject.row
    words = (reject.sqlstate, reject.column, reject.constraint, message(reject))
    return (run, position, row.source, *page_and_line(row), reject.rank, *words, *item_and_key(row))
