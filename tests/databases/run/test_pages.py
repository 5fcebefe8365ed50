"""Large heaps are cut into batches by their pages, each with its exact number of rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate
from tranship.config import Endpoint, Secret
from tranship.errors import ConnectError, Stopped
from tranship.errors.codes.connection import ConnectionBroke, TooManyConnections
from tranship.execution.probe.side_by_side import side_by_side
from tranship.model.locator import Pages
from tranship.model.names import Side, TableName
from tranship.model.plan import Source, TablePlan
from tranship.model.shape import Filter, Items, Shape
from tranship.server import batch_bounds, pages
from tranship.server.cut import counted, measure
from tranship.server.deadline import WatchedConnection
from tranship.server.old_reader import PostgresReader
from tranship.server.pages import Counting
from tranship.server.snapshot import Snapshot
from tranship.sql.old.batch import in_range
from tranship.sql.old.cut import count_made

OLD = """
CREATE TABLE t (id integer PRIMARY KEY, word text) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT n, repeat('w', n % 50) FROM generate_series(1, 20000) n;
DELETE FROM t WHERE id BETWEEN 4000 AND 9000 OR id % 7 = 0; UPDATE t SET word = 'u' WHERE id % 11 = 0;
"""
NEW = "CREATE TABLE t (id integer PRIMARY KEY, word text)"


@pytest.fixture(autouse=True)
def small_heaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LARGE", 1)


@asynccontextmanager
async def reading(pair: Pair) -> AsyncIterator[tuple[asyncpg.Connection, TablePlan]]:
    name = TableName("public", "t")
    oid = await pair.old.value("SELECT 't'::regclass::oid::int")
    async with pair.old.connect() as old, old.transaction(isolation="repeatable_read", readonly=True):
        await old.fetchval("SELECT 1")
        yield old, TablePlan(name, name, (), (), (Source(name, name, oid),))


@pytest.mark.parametrize("batch_rows", [600, 1500, 50_000])
@pytest.mark.parametrize("at_once", [2, 4096])
async def test_every_row_lies_in_one_batch_which_knows_how_many_it_has(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, batch_rows: int, at_once: int
) -> None:
    monkeypatch.setattr(pages, "AT_ONCE", at_once)
    await pair.old.run(OLD)
    async with reading(pair) as (old, plan):
        # Rows and pages that the snapshot does not show.
        await pair.old.run("INSERT INTO t SELECT n, 'new' FROM generate_series(30000, 40000) n")
        cut = await measure(old, plan, batch_rows)
        assert cut.rows == await old.fetchval("SELECT count(*) FROM t")
        assert sum(batch.rows for batch in cut.batches) == cut.rows
        assert all(0 < batch.rows <= batch_rows for batch in cut.batches)
        assert len(cut.batches) == 1 or all(isinstance(batch.range, Pages) for batch in cut.batches)
        for batch in cut.batches:
            assert await old.fetchval(count_made(plan, 0, in_range(batch.range, plan))) == batch.rows
    assert (cut.batches[0].range.start, cut.batches[-1].range.end) == (None, None)


SHAPES = {
    "filter": Shape(filter=Filter("old.id % 3 = 0")),
    "nothing": Shape(filter=Filter("old.id < 0")),
    "items": Shape(items=Items("generate_series(1, old.id % 4) AS item(n)")),
    "few items": Shape(
        filter=Filter("old.id % 2 = 0"),
        items=Items("generate_series(1, old.id % 4) AS item(n)", where="item.n > 2", columns=("n",)),
    ),
    "items that raise for rows that are left out": Shape(
        filter=Filter("old.id % 7 <> 1"), items=Items("generate_series(1, 2 / (old.id % 7 - 1)) AS item(n)")
    ),
    "a subquery": Shape(filter=Filter("old.id IN (SELECT u.id FROM t AS u WHERE u.word = 'u')")),
}


@pytest.mark.parametrize("batch_rows", [600, 1500, 50_000])
@pytest.mark.parametrize("shape", SHAPES)
async def test_what_a_flow_makes_is_counted_by_pages_as_row_by_row(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, shape: str, batch_rows: int
) -> None:
    """Batches with their rows, and the old rows behind them: taken, left out, without items."""
    await pair.old.run(OLD)
    async with reading(pair) as (old, plain):
        plan = replace(plain, shape=SHAPES[shape])
        by_pages = await measure(old, plan, batch_rows)
        monkeypatch.setattr(pages, "LARGE", 1_000_000)
        by_row = await measure(old, plan, batch_rows)
        for batch in by_pages.batches:
            assert (await counted(old, plan, batch)) == (batch.rows, batch.old)
    assert (by_pages.rows, by_pages.old) == (by_row.rows, by_row.old)
    assert by_pages.digest.startswith("recent") == (shape != "a subquery")
    assert all(batch.rows <= batch_rows for batch in by_pages.batches)
    assert (by_pages.batches[0].range.start, by_pages.batches[-1].range.end) == (None, None)


@pytest.mark.parametrize("written", [False, True])
async def test_an_interrupted_flow_goes_on_where_nobody_wrote(
    make_pair: MakePair, tmp_path: Path, observe: Observe, written: bool
) -> None:
    pair = await make_pair(OLD, NEW)
    decided = tmp_path / "r.json"
    decided.write_text('{"resolutions": {"t": [{"action": "filter", "where": "old.id % 3 > 0"}]}}')
    observe.fail("batch.committed", passage=3)
    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, batch_size=1000, resolutions=str(decided))
    observe.stop()
    if written:
        await pair.old.run("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 'again')")
        with pytest.raises(Stopped) as stopped:
            await migrate(pair, tmp_path, batch_size=1000, resolutions=str(decided))
        assert "was written to" in str(stopped.value)
        return
    result = await migrate(pair, tmp_path, batch_size=1000, resolutions=str(decided))
    assert result.exit_status == 0
    same = "SELECT count(*)::int, sum(hashtextextended(t::text, 0))::text FROM t WHERE id % 3 > 0"
    assert await pair.new.fetch(same) == await pair.old.fetch(same)


async def test_rows_of_which_a_few_fill_a_batch(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_bounds, "BATCH_BYTES", 100_000)
    await pair.old.run(OLD)
    async with reading(pair) as (old, plan):
        cut = await measure(old, plan, 50_000)
    assert all(batch.rows < 2000 for batch in cut.batches)
    assert not cut.digest.startswith("recent")


async def test_a_heap_without_rows(pair: Pair) -> None:
    await pair.old.run(f"{OLD}; DELETE FROM t")
    async with reading(pair) as (old, plan):
        cut = await measure(old, plan, 600)
    assert (cut.rows, cut.batches) == (0, ())


@pytest.mark.parametrize("written", [False, True])
async def test_an_interrupted_run_goes_on_where_nobody_wrote(
    make_pair: MakePair, tmp_path: Path, observe: Observe, written: bool
) -> None:
    pair = await make_pair(OLD, NEW)
    observe.fail("batch.committed", passage=3)
    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, batch_size=1000)
    observe.stop()
    if written:
        await pair.old.run("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 'again')")
        with pytest.raises(Stopped) as stopped:
            await migrate(pair, tmp_path, batch_size=1000)
        assert "was written to" in str(stopped.value)
        return
    result = await migrate(pair, tmp_path, batch_size=1000)
    assert result.exit_status == 0
    same = "SELECT count(*)::int, sum(hashtextextended(t::text, 0))::text FROM t"
    assert await pair.new.fetch(same) == await pair.old.fetch(same)


async def snapshot_and_plan(pair: Pair, stack: AsyncExitStack) -> tuple[Snapshot, PostgresReader, TablePlan]:
    """OLD, filled, and a plan of its table on a snapshot."""
    name, server = TableName("public", "t"), pair.old.server
    await pair.old.run(OLD)
    oid = await pair.old.value("SELECT 't'::regclass::oid::int")
    endpoint = Endpoint(
        side=Side.OLD,
        host=server.host,
        port=server.port,
        database=pair.old.name,
        user=server.user,
        password=Secret(server.password),
    )
    snapshot = await stack.enter_async_context(Snapshot.open(endpoint, [name]))
    old = await stack.enter_async_context(snapshot.reading())
    return snapshot, old, TablePlan(name, name, (), (), (Source(name, name, oid),))


@pytest.mark.parametrize("shape", ["plain", "filter", "items"])
async def test_several_connections_count_as_one_does(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    monkeypatch.setattr(pages, "AT_ONCE", 1)
    used: set[int] = set()
    fetch = WatchedConnection.fetch

    async def fetching(conn: WatchedConnection, query: str, *given: object) -> object:
        if "n.number" in query:
            used.add(id(conn))
        return await fetch(conn, query, *given)

    async with AsyncExitStack() as stack:
        snapshot, old, plain = await snapshot_and_plan(pair, stack)
        plan = plain if shape == "plain" else replace(plain, shape=SHAPES[shape])
        # Rows that the snapshot does not show.
        await pair.old.run("INSERT INTO t SELECT n, 'new' FROM generate_series(30000, 40000) n")
        monkeypatch.setattr(WatchedConnection, "fetch", fetching)
        alone = await old.cut(plan, 1500, digest=True)
        assert len(used) == 1
        ask = side_by_side(old.connection, snapshot, 3)
        assert await old.cut(plan, 1500, digest=True, counting=Counting(ask)) == alone
        assert len(used) == 3


async def refused(_: Snapshot) -> asyncpg.Connection:
    raise ConnectError(TooManyConnections("too many"))


async def broken(_: Snapshot) -> asyncpg.Connection:
    raise ConnectError(ConnectionBroke("query_wait_timeout"))


async def waiting(_: Snapshot) -> asyncpg.Connection:
    """As a pooler lets a client wait that has more connections than its pool."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("connect", [refused, broken, waiting])
async def test_connections_that_old_does_not_grant_count_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, connect: Callable[[Snapshot], Awaitable[asyncpg.Connection]]
) -> None:
    monkeypatch.setattr(pages, "AT_ONCE", 1)
    async with AsyncExitStack() as stack:
        snapshot, old, plan = await snapshot_and_plan(pair, stack)
        alone = await old.cut(plan, 1500, digest=True)
        monkeypatch.setattr(Snapshot, "_connect", connect)
        async with asyncio.timeout(20):
            ask = side_by_side(old.connection, snapshot, 4)
            assert await old.cut(plan, 1500, digest=True, counting=Counting(ask)) == alone


async def test_connections_that_counted_are_not_kept(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler with a small pool would let the next session wait for them."""
    monkeypatch.setattr(pages, "AT_ONCE", 1)
    pair = await make_pair(OLD, NEW)
    open_: list[int] = []
    close_idle = Snapshot.close_idle

    async def settled() -> int:
        # A server forgets a closed connection a moment later, and a busy machine makes that moment long.
        counts: list[int] = []
        while len(counts) < 5 or len(set(counts[-5:])) > 1:
            await asyncio.sleep(0.1)
            counts.append(
                await pair.old.value(
                    "SELECT count(*)::int FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = 'tranship'"
                )
            )
        return counts[-1]

    async def closing(snapshot: Snapshot) -> None:
        for _ in range(2):
            open_.append(await settled())
            await close_idle(snapshot)

    monkeypatch.setattr(Snapshot, "close_idle", closing)
    await migrate(pair, tmp_path, live=False, batch_size=1500)
    before, after = open_
    assert after == before - 2


async def test_a_filter_that_raises_ends_all_connections(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "AT_ONCE", 1)
    async with AsyncExitStack() as stack:
        snapshot, old, plain = await snapshot_and_plan(pair, stack)
        plan = replace(plain, shape=Shape(filter=Filter("1 / (old.id - 15000) > 0")))
        with pytest.raises(asyncpg.DivisionByZeroError):
            await old.cut(
                plan, 1500, digest=True, counting=Counting(side_by_side(old.connection, snapshot, 3))
            )
