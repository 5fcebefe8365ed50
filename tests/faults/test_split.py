"""Batches that are split: for very many refused rows, or because they do not go through as a whole. Nothing of them is forgotten."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from faults.forked import Command
from faults.oracle import MOVED
from faults.proxy import Proxy
from move.test_live import SLY, migrate
from support import MakePair, Pair
from tranship.errors import Stopped
from tranship.execution import failpoints
from tranship.execution import retry as retrying
from tranship.execution import worker as working
from tranship.execution.task import Task
from tranship.execution.worker import Worker
from tranship.model.progress import Batch, Event, Noted

OLD = "CREATE TABLE item (id int PRIMARY KEY, next int); INSERT INTO item SELECT n, n FROM generate_series(1, 1000) n"
NEW = SLY.replace("37 <> 5", "3 <> 2")


async def moved(pair: Pair, folder: Path, fault: str, k: int) -> tuple[int, int]:
    """Exit status and COMMITs."""
    async with Proxy(pair.new.server.host, pair.new.server.port, fault, k) as proxy:
        config = pair.config(folder, new=proxy.address, tables=["item"])
        done = await asyncio.to_thread(Command.start(["migrate", str(config), "--live", "--batch-size", "400", "--jobs", "1"], folder).wait)
        assert proxy.struck == bool(fault)
    return done.status, proxy.seen


async def test_the_rest_of_a_split_batch_is_not_forgotten(make_pair: MakePair, tmp_path: Path) -> None:
    calm = await make_pair(OLD, NEW)
    status, commits = await moved(calm, tmp_path, "", 0)
    assert status == MOVED
    batches = await calm.new.value("SELECT count(*) FROM _tranship.batch")
    assert batches > 3, "nothing was split"
    pair = await make_pair(OLD, NEW)
    status, _ = await moved(pair, tmp_path, "commit answer", commits - 2)
    assert status == MOVED
    content = "SELECT array_agg(id ORDER BY id) FROM item"
    assert await pair.new.value(content) == await calm.new.value(content)


async def test_a_batch_that_does_not_go_through_is_halved(make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A NEW that cancels whatever is larger than 300 rows, on a table whose sequence numbers the rows as they come; stopped in between, too."""
    old = "CREATE TABLE item (name text); INSERT INTO item SELECT 'item ' || n FROM generate_series(1, 2000) n"
    pair = await make_pair(old, "CREATE TABLE item (name text, no int GENERATED ALWAYS AS IDENTITY)")
    real = Worker._once

    async def once(self: Worker, task: Task, batch: Batch) -> Batch | None:
        if batch.rows > 300:
            raise asyncpg.QueryCanceledError("canceling statement due to user request")
        return await real(self, task, batch)

    monkeypatch.setattr(Worker, "_once", once)
    monkeypatch.setattr(retrying, "FIRST", 0.001)
    monkeypatch.setattr(failpoints, "passages", {})
    monkeypatch.setenv("TRANSHIP_FAILPOINT", "batch.halved:2:raise")
    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, batch_size=1000)
    monkeypatch.delenv("TRANSHIP_FAILPOINT")
    events: list[Event] = []
    result = await migrate(pair, tmp_path, batch_size=1000, events=events)
    assert (result.exit_status, result.stats.rows_migrated) == (0, 2000)
    assert any(isinstance(e, Noted) and "in halves of" in e.message for e in events)
    assert await pair.new.fetch("SELECT sum(row_count)::int, max(row_count)::int, count(*)::int FROM _tranship.batch") == [(2000, 250, 8)]
    assert await pair.new.fetch("SELECT name, no FROM item ORDER BY no") == [(f"item {n}", n) for n in range(1, 2001)]


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_halving_whose_answer_is_lost_happens_once(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    pair = await make_pair("CREATE TABLE item (id int); INSERT INTO item SELECT generate_series(1, 1000)", "CREATE TABLE item (id int)")
    once, halve = Worker._once, working.halve
    lost: list[bool] = []

    async def cancelled(self: Worker, task: Task, batch: Batch) -> Batch | None:
        if batch.rows > 600:
            raise asyncpg.QueryCanceledError("canceling statement due to user request")
        if stopped and batch.lo is not None:
            raise asyncpg.DiskFullError("No space left on device")
        return await once(self, task, batch)

    async def unheard(*given: Any) -> tuple[Batch, Batch] | None:
        found = await halve(*given)
        if not lost:
            lost.append(True)
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Worker, "_once", cancelled)
        patched.setattr(working, "halve", unheard)
        patched.setattr(retrying, "FIRST", 0.001)
        if stopped:
            with pytest.raises(Stopped):
                await migrate(pair, tmp_path, batch_size=1000)
        else:
            assert (await migrate(pair, tmp_path, batch_size=1000)).exit_status == 0
    assert lost
    assert (await migrate(pair, tmp_path, batch_size=1000)).exit_status == 0
    assert await pair.new.fetch("SELECT row_count::int, state FROM _tranship.batch ORDER BY number") == [(500, "done"), (500, "done")]
    assert await pair.new.fetch("SELECT count(*)::int, count(DISTINCT id)::int FROM item") == [(1000, 1000)]
