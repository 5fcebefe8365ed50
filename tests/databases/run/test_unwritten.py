"""The proof that OLD was not written to: what it takes for the same, what not,
and when it has to compare every version.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from support import Pair
from tranship.config import Endpoint, Secret
from tranship.execution.active_run import FlowTask, Task
from tranship.execution.start.old_unchanged import why_not_unwritten
from tranship.model.names import Side, TableName
from tranship.model.plan import Source, TablePlan
from tranship.server import cut as cutting
from tranship.server import pages
from tranship.server.cut import measure, versions
from tranship.server.journal import Findings
from tranship.server.snapshot import Snapshot

OLD = """
CREATE TABLE t (id integer PRIMARY KEY, word text);
INSERT INTO t SELECT n, 'w' FROM generate_series(1, 500) n; DELETE FROM t WHERE id % 5 = 0;
CREATE TABLE u (id integer); INSERT INTO u SELECT generate_series(1, 10);
"""
"""What happens to OLD in between (a statement a session), whether that is nothing,
and whether it is seen without comparing each version.
"""
STORIES = [
    (("CREATE TABLE elsewhere AS SELECT 1",), True, True),
    (("VACUUM (FREEZE, ANALYZE)",), True, True),
    (("CREATE INDEX ON u (id)", "COMMENT ON TABLE t IS 'x'"), True, True),
    (("GRANT SELECT ON t TO PUBLIC",), True, False),
    (("INSERT INTO t VALUES (1000)",), False, True),
    (("DELETE FROM u WHERE id = 3",), False, True),
    (("UPDATE t SET word = word WHERE id = 7",), False, False),
    (("DELETE FROM t WHERE id = 7", "INSERT INTO t VALUES (7, 'w')", "VACUUM FREEZE t"), False, False),
    (("VACUUM FULL t",), False, False),
]


@pytest.fixture(params=["by rows", "by pages"], autouse=True)
def cut_as(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are cut as small ones are, and as large ones are: each leaves a digest of its own."""
    if request.param == "by pages":
        monkeypatch.setattr(pages, "LARGE", 1)


@pytest.mark.parametrize(("story", "same", "cheap"), STORIES)
async def test_between_two_snapshots(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, story: tuple[str, ...], same: bool, cheap: bool
) -> None:
    await pair.old.run(OLD)
    compared: list[object] = []

    async def counted(*arguments: object) -> tuple[int, str]:
        compared.append(arguments)
        return await versions(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(cutting, "versions", counted)
    async with snapshot_of(pair) as first:
        then, tasks = first.mark, [await _task(pair, first, name) for name in ("t", "u")]
    async with snapshot_of(pair) as again:
        assert await why_not_unwritten(again, then, tasks, 2, print, anew=False) is None
    for statement in story:
        async with pair.old.connect() as conn:
            await conn.execute(statement)
    async with snapshot_of(pair) as second:
        assert (await why_not_unwritten(second, then, tasks, 2, print, anew=False) is None) is same
        assert bool(compared) is not cheap


async def test_transactions_that_were_open_then(pair: Pair) -> None:
    await pair.old.run(OLD)
    async with pair.old.connect() as conn:
        before = conn.transaction()
        await before.start()
        await conn.execute("INSERT INTO u VALUES (11)")
        await pair.old.run("UPDATE t SET word = 'x' WHERE id = 1")
        async with snapshot_of(pair) as first:
            then, tasks = first.mark, [await _task(pair, first, name) for name in ("t", "u")]
        async with snapshot_of(pair) as second:
            assert await why_not_unwritten(second, then, tasks, 2, print, anew=False) is None
        await conn.execute("DELETE FROM u WHERE id = 1")
        await before.commit()
    async with snapshot_of(pair) as third:
        assert await why_not_unwritten(third, then, tasks[:1], 2, print, anew=False) is None
        assert await why_not_unwritten(third, then, tasks, 2, print, anew=False) == (
            "rows of public.u are other ones now"
        )


async def test_numbers_that_were_given_out_twice_prove_nothing(pair: Pair) -> None:
    """After a standby took over, or where a row's transaction is too long ago,
    or what is read has no versions.
    """
    await pair.old.run(OLD)
    async with snapshot_of(pair) as first:
        then, task = first.mark, await _task(pair, first, "t")
        assert (
            await why_not_unwritten(first, replace(then, timeline="00000002"), [task], 2, print, anew=False)
            is not None
        )
        pageless = tuple(replace(source, pageable=False) for source in task.plan.sources)
        task.facts = replace(task.facts, plan=replace(task.plan, sources=pageless))
        await pair.old.run("CREATE TABLE elsewhere AS SELECT 1")
    async with snapshot_of(pair) as second:
        assert await why_not_unwritten(second, then, [task], 2, print, anew=False) is not None
        assert second.mark == type(then).of(str(second.mark))


async def test_a_reader_that_was_lost_between_two_reads_is_replaced(pair: Pair) -> None:
    await pair.old.run(OLD)
    async with snapshot_of(pair) as snapshot:
        async with snapshot.reader() as reading:
            pass
        assert await pair.old.value("SELECT pg_terminate_backend($1)", reading.get_server_pid())
        for _ in range(500):
            await asyncio.sleep(0.01)
            if reading.is_closed():
                break
        async with snapshot.reader() as another:
            assert await another.fetchval("SELECT count(*) FROM public.t") == 400


@asynccontextmanager
async def snapshot_of(pair: Pair) -> AsyncIterator[Snapshot]:
    server = pair.old.server
    secret = Secret(server.password)
    endpoint = Endpoint(
        side=Side.OLD,
        host=server.host,
        port=server.port,
        database=pair.old.name,
        user=server.user,
        password=secret,
        sslmode="disable",
    )
    async with Snapshot.open(endpoint, [TableName("public", "t"), TableName("public", "u")]) as snapshot:
        yield snapshot


async def _task(pair: Pair, snapshot: Snapshot, table: str) -> Task:
    name = TableName("public", table)
    oid = await pair.old.value("SELECT $1::text::regclass::oid::int", table)
    plan = TablePlan(name, name, (), (), (Source(name, name, oid),))
    async with snapshot.reader() as old:
        cut = await measure(old, plan, 1000)
    return Task(FlowTask(0, plan), "", cut.rows, cut.digest, Findings(), list(cut.batches))
