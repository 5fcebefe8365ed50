"""Batches that are split: for very many refused rows, or because they do not go through as a whole.

Nothing of them is forgotten.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from support import CliResult, MakePair, Pair
from support.forked import Command
from support.observe import Observe
from support.oracle import MOVED
from support.proxy import Proxy
from support.runs import SLY, migrate
from tranship.errors import Stopped
from tranship.execution import batch_size as pacing
from tranship.execution.copying import batch as working
from tranship.execution.copying import split
from tranship.execution.copying.batch import Assignment, Report, Worker
from tranship.execution.resilience import retry as retrying
from tranship.model.notes import BatchDivided
from tranship.model.progress import Batch, Event, Noted

OLD = (
    "CREATE TABLE item (id int PRIMARY KEY, next int); INSERT INTO item SELECT n,"
    " n FROM generate_series(1, 1000) n"
)
NEW = SLY.replace("37 <> 5", "3 <> 2")


async def moved(pair: Pair, folder: Path, fault: str, k: int) -> tuple[int, int]:
    """Exit status and COMMITs."""
    async with Proxy(pair.new.server.host, pair.new.server.port, fault, k) as proxy:
        config = pair.config(folder, new=proxy.address, tables=["item"])
        done = await asyncio.to_thread(
            Command.start(
                ["migrate", str(config), "--live", "--batch-size", "400", "--jobs", "1"], folder
            ).wait
        )
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


async def test_a_batch_that_does_not_go_through_is_divided(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, observe: Observe
) -> None:
    """A NEW that cancels whatever is larger than 300 rows, on a table whose sequence numbers the rows
    as they come; stopped in between, too.
    """
    old = (
        "CREATE TABLE item (name text); INSERT INTO item SELECT 'item ' || n FROM generate_series(1, 2000) n"
    )
    pair = await make_pair(old, "CREATE TABLE item (name text, no int GENERATED ALWAYS AS IDENTITY)")
    real = Worker._once

    async def once(self: Worker, assignment: Assignment) -> Report:
        if assignment.batch.rows > 300:
            raise asyncpg.QueryCanceledError("canceling statement due to user request")
        return await real(self, assignment)

    monkeypatch.setattr(Worker, "_once", once)
    monkeypatch.setattr(retrying, "FIRST", 0.001)
    observe.fail("batch.divided", 2)
    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, batch_size=1000)
    events: list[Event] = []
    result = await migrate(pair, tmp_path, batch_size=1000, events=events)
    assert (result.exit_status, result.stats.rows_migrated) == (0, 2000)
    assert any(isinstance(e, Noted) and isinstance(e.what, BatchDivided) for e in events)
    assert await pair.new.fetch(
        "SELECT sum(row_count)::int, max(row_count)::int, count(*)::int FROM _tranship.batch"
    ) == [(2000, 250, 8)]
    assert await pair.new.fetch("SELECT name, no FROM item ORDER BY no") == [
        (f"item {n}", n) for n in range(1, 2001)
    ]


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_division_whose_answer_is_lost_happens_once(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    pair = await make_pair(
        "CREATE TABLE item (id int); INSERT INTO item SELECT generate_series(1, 1000)",
        "CREATE TABLE item (id int)",
    )
    once, divide = Worker._once, working.divide
    lost: list[bool] = []

    async def cancelled(self: Worker, assignment: Assignment) -> Report:
        batch = assignment.batch
        if batch.rows > 600:
            raise asyncpg.QueryCanceledError("canceling statement due to user request")
        if stopped and batch.range.start is not None:
            raise asyncpg.DiskFullError("No space left on device")
        return await once(self, assignment)

    async def unheard(*given: Any) -> tuple[Batch, Batch] | None:
        found = await divide(*given)
        if not lost:
            lost.append(True)
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Worker, "_once", cancelled)
        patched.setattr(working, "divide", unheard)
        patched.setattr(retrying, "FIRST", 0.001)
        if stopped:
            with pytest.raises(Stopped):
                await migrate(pair, tmp_path, batch_size=1000)
        else:
            assert (await migrate(pair, tmp_path, batch_size=1000)).exit_status == 0
    assert lost
    assert (await migrate(pair, tmp_path, batch_size=1000)).exit_status == 0
    assert await pair.new.fetch("SELECT row_count::int, state FROM _tranship.batch ORDER BY number") == [
        (500, "done"),
        (500, "done"),
    ]
    assert await pair.new.fetch("SELECT count(*)::int, count(DISTINCT id)::int FROM item") == [(1000, 1000)]


WIDE = (
    "CREATE TABLE wide (id int PRIMARY KEY, name text); INSERT INTO wide SELECT n,"
    " 'name ' || n FROM generate_series(1, 1200) n"
)
CANCELS = """
CREATE FUNCTION patient(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE seen int := coalesce(nullif(current_setting('test.seen', true), ''), '0')::int + 1;
BEGIN
  IF current_setting('transaction_read_only') = 'on' THEN RETURN n; END IF;
  IF seen > 400 THEN RAISE EXCEPTION 'canceling statement due to its length' USING ERRCODE = 'query_canceled';
  END IF;
  PERFORM set_config('test.seen', seen::text, true);
  RETURN n;
END$$;
CREATE TABLE wide (id int PRIMARY KEY, name text, seen int GENERATED ALWAYS AS (patient(id)) STORED);
"""
"""A NEW that cancels every transaction which writes more than 400 rows; any number may be asked about."""
KILLS = [
    pytest.param(name, what, n, marks=() if (what == "kill") == (n == 1) else pytest.mark.campaign)
    for name in ("batch.divided", "batch.isolating")
    for what in ("kill", "raise")
    for n in (1, 2)
]


@pytest.mark.thinned(2)
@pytest.mark.parametrize(("name", "what", "n"), KILLS)
async def test_killed_while_a_batch_is_split(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path, name: str, what: str, n: int
) -> None:
    """Divided because it does not go through, or taken apart because NEW refuses rows that nobody foresaw."""
    old, new, table = (WIDE, CANCELS, "wide") if name == "batch.divided" else (OLD, NEW, "item")
    calm, pair = await make_pair(old, new), await make_pair(old, new)
    command = ("--live", "--batch-size", "600", "--jobs", "1")
    first = run_cli("migrate", calm.config(tmp_path, name="calm.json", tables=[table]), *command)
    assert first.status in (0, MOVED), first
    config = pair.config(tmp_path, tables=[table])
    killed = run_cli("migrate", config, *command, env={"TRANSHIP_FAILPOINT": f"{name}:{n}:{what}"})
    assert killed.status == (-signal.SIGKILL if what == "kill" else 4), killed
    again = run_cli("migrate", config, *command)
    assert again.status == first.status, again
    content = f"SELECT array_agg(t::text ORDER BY id) FROM {table} t"
    assert await pair.new.value(content) == await calm.new.value(content)
    accounts = (
        "SELECT sum(row_count)::int, sum(written)::int, sum(rejected)::int,"
        " count(*) FILTER (WHERE state <> 'done') FROM _tranship.batch"
    )
    assert await pair.new.fetch(accounts) == await calm.new.fetch(accounts)


async def test_few_rows_are_held_while_refused_ones_are_looked_for(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches are large where the way to NEW is long."""
    monkeypatch.setattr(split, "MOST_HELD", 100)
    held: list[int] = []
    identified = working.identified_lines

    async def identifying(*given: Any) -> Any:
        lines, unreadable = await identified(*given)
        held.append(len(lines))
        return lines, unreadable

    monkeypatch.setattr(working, "identified_lines", identifying)
    pair = await make_pair(OLD, SLY)
    result = await migrate(pair, tmp_path, batch_size=1000)
    refused = [n for n in range(1, 1001) if n % 37 == 5]
    assert result.rejects_in_file == len(refused)
    assert await pair.new.value("SELECT array_agg(id ORDER BY id) FROM item") == [
        n for n in range(1, 1001) if n not in refused
    ]
    assert held
    assert max(held) < 200


async def test_batches_shrink_where_new_is_slow(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = CANCELS.replace("IF seen > 400 THEN RAISE", "PERFORM pg_sleep(0.0005); IF false THEN RAISE")
    pair = await make_pair(WIDE.replace("1200", "4000"), slow)
    monkeypatch.setattr(pacing, "WANTED", 0.05)
    events: list[Event] = []
    result = await migrate(pair, tmp_path, batch_size=500, events=events)
    assert (result.exit_status, result.stats.rows_migrated) == (0, 4000)
    assert sum(isinstance(e, Noted) and isinstance(e.what, BatchDivided) and e.what.slow for e in events) == 1
    rows = [n for (n,) in await pair.new.fetch("SELECT row_count::int FROM _tranship.batch")]
    assert (sum(rows), max(rows)) == (4000, 500)
    assert min(rows) < 250
    assert await pair.new.fetch("SELECT count(*)::int, count(DISTINCT id)::int FROM wide") == [(4000, 4000)]
