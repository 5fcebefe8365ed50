"""What a worker reads from the journal for a batch, whichever process it is in: predicted rejects,
and numbers for what is left.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from support import MakePair
from tranship.model.flow import FlowId
from tranship.model.locator import Locator, Pages, Range, Whole
from tranship.model.names import TableName
from tranship.model.progress import Batch
from tranship.model.reasons import ServerSaid
from tranship.model.verdict import Held, HeldAs, Reject
from tranship.server.journal import Journal, Predicted, prepare_journal

ITEM = TableName("public", "item")
FLOW = FlowId(ITEM, ITEM)
PLACES = [Locator(0, (0, 9)), Locator(0, (1, 1)), Locator(0, (1, 2)), Locator(0, (12, 1)), Locator(1, (0, 1))]
THERE = Held(Locator(0, (20, 5)))
UPDATED = Held(Locator(0, (20, 6)), HeldAs.UPDATED, (("id", "7"), ("code", None)))
"""Rows that NEW held before the run."""
JOURNAL = Journal("_tranship")


@contextlib.asynccontextmanager
async def journalled(make_pair: MakePair) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection]]:
    """Two sessions on a NEW whose journal has one table of one run, with a reject predicted
    at each of the places.
    """
    pair = await make_pair("SELECT", "SELECT")
    async with pair.new.connect() as one, pair.new.connect() as other:
        await prepare_journal(one, "_tranship")
        await one.execute(
            JOURNAL.sql("insert_task"), "run", 0, "{}", "{}", "hash", 9, "", b"{}", "text", "", None, None
        )
        rejects = tuple(Reject(row, "22003", ServerSaid("first")) for row in PLACES)
        await JOURNAL.write_predicted(one, "run", 0, rejects, (THERE, UPDATED))
        yield one, other


@pytest.mark.parametrize(
    ("range_", "found"),
    [
        (Whole(0), PLACES[:4]),
        (Whole(1), PLACES[4:]),
        (Pages(0, None, (1, 2)), PLACES[:2]),
        (Pages(0, (1, 2), None), PLACES[2:4]),
        (Pages(0, (1, 1), (12, 1)), PLACES[1:3]),
        (Pages(0, (12, 2), (13, 1)), []),
    ],
)
async def test_predicted_rejects_of_a_batch_are_those_inside_its_range(
    make_pair: MakePair, range_: Range, found: list[Locator]
) -> None:
    async with journalled(make_pair) as (conn, _):
        predicted = await JOURNAL.predicted_in(conn, "run", 0, Batch(0, FLOW, range_, 9))
        assert [reject.row for reject in predicted.rejects] == found
        assert await JOURNAL.predicted_in(conn, "run", 1, Batch(0, FLOW, range_, 9)) == Predicted()


async def test_rows_that_new_held_are_told_from_rejects(make_pair: MakePair) -> None:
    async with journalled(make_pair) as (conn, _):
        inside, outside = (
            Batch(0, FLOW, Pages(0, (20, 1), None), 9),
            Batch(0, FLOW, Pages(0, None, (20, 1)), 9),
        )
        predicted = await JOURNAL.predicted_in(conn, "run", 0, inside)
        assert (predicted.rejects, predicted.held) == ((), (THERE, UPDATED))
        assert (await JOURNAL.predicted_in(conn, "run", 0, outside)).held == ()
        found = [one async for one in JOURNAL.predicted(conn, "run")]
        assert [one for position, one in found if position == 0 and isinstance(one, Held)] == [THERE, UPDATED]


async def test_what_is_predicted_later_leaves_the_first_reason(make_pair: MakePair) -> None:
    later = [Reject(row, "23503", ServerSaid("second"), rank=2) for row in (PLACES[0], Locator(0, (0, 1)))]
    async with journalled(make_pair) as (conn, _):
        for _ in range(2):  # an answer that was lost makes it be done again
            await JOURNAL.add_predicted_rejects(conn, "run", 0, later)
        predicted = await JOURNAL.predicted_in(conn, "run", 0, Batch(0, FLOW, Pages(0, None, (1, 1)), 9))
        assert [(r.row, r.reason.text) for r in predicted.rejects] == [
            (later[1].row, "second"),
            (PLACES[0], "first"),
        ]


MANY = [
    Held(Locator(source, (page, line)), HeldAs.UPDATED if (page + line) % 3 else HeldAs.KEPT)
    for source in (0, 1)
    for page in (0, 1, 254, 255, 256, 257, 511, 512, 70_000)
    for line in (1, 2, 291)
]
"""Rows around the ends of blocks, of which only the outcome is on record."""


@pytest.mark.parametrize(
    "range_",
    [
        Whole(0),
        Whole(1),
        Pages(0, None, (1, 2)),
        Pages(0, (255, 2), (257, 1)),
        Pages(0, (256, 1), (256, 2)),
        Pages(1, (300, 0), None),
        Pages(1, (513, 1), (70_000, 1)),
    ],
)
async def test_rows_on_record_in_blocks_come_by_their_ranges(make_pair: MakePair, range_: Range) -> None:
    async with journalled(make_pair) as (conn, _):
        await JOURNAL.write_predicted(conn, "run", 1, (), MANY)
        assert await conn.fetchval("SELECT count(*)::int FROM _tranship.held") <= 20
        batch = Batch(0, FLOW, range_, 9)
        predicted = await JOURNAL.predicted_in(conn, "run", 1, batch)
        wanted = [one for one in MANY if one.row in batch]
        assert predicted.held == tuple(wanted)
        assert sorted(predicted.updated) == [one.row for one in wanted if one.outcome is HeldAs.UPDATED]
        assert len(predicted) == len(predicted.rows) == len(wanted)
        every = [one async for position, one in JOURNAL.predicted(conn, "run") if position == 1]
        assert sorted(every, key=lambda one: one.row) == sorted(MANY, key=lambda one: one.row)


async def test_a_reject_that_is_predicted_later_takes_an_update_back(make_pair: MakePair) -> None:
    late = [MANY[1].row, UPDATED.row]
    async with journalled(make_pair) as (conn, _):
        await JOURNAL.write_predicted(conn, "run", 0, (), MANY[:3])
        rejects = [Reject(row, "23503", ServerSaid("no parent"), rank=2) for row in late]
        await JOURNAL.add_predicted_rejects(conn, "run", 0, rejects)
        for batch in (Batch(0, FLOW, Whole(0), 9), Batch(0, FLOW, Pages(0, (0, 1), None), 9)):
            predicted = await JOURNAL.predicted_in(conn, "run", 0, batch)
            assert [r.row for r in predicted.rejects if r.sqlstate == "23503"] == late
            assert predicted.held == (MANY[0], MANY[2], THERE)
        assert MANY[1].outcome is HeldAs.UPDATED


async def test_nobody_gets_a_batch_number_twice(make_pair: MakePair) -> None:
    async with journalled(make_pair) as (one, other):
        await JOURNAL.write_batches(one, "run", {0: [Batch(n, FLOW, Whole(0), 3) for n in range(7)]})

        async def take(conn: asyncpg.Connection) -> list[int]:
            return [await JOURNAL.reserve_number(conn, "run", 0) for _ in range(20)]

        taken = [number for some in await asyncio.gather(take(one), take(other)) for number in some]
        assert sorted(taken) == list(range(7, 47))
