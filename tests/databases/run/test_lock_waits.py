"""A command that waits for somebody's lock says so, and whose it is, in every phase."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support import Database, Pair
from support.runs import migrate
from tranship import api
from tranship.config import load_config
from tranship.model.names import Side
from tranship.model.notes import LockAwaited, LockWaitEnded
from tranship.model.progress import Event, Noted
from tranship.report.meter import Meter
from tranship.report.notes import words
from tranship.server import lock_waits
from tranship.server.lock_waits import telling

OLD = (
    "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'x' FROM generate_series(1, 10) g;"
)
NEW = "CREATE TABLE t (id int PRIMARY KEY, v text CHECK (v <> ''))"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_waits, "FIRST_LOOK", 0.2)
    monkeypatch.setattr(lock_waits, "LOOK_INTERVAL", 0.2)
    monkeypatch.setattr(lock_waits, "QUIET", 0.2)


@asynccontextmanager
async def held(database: Database, statement: str) -> AsyncIterator[asyncio.Event]:
    """Holds a lock until the event is set."""
    let_go = asyncio.Event()
    async with database.connect(server_settings={"application_name": "nightly report"}) as blocker:
        holding = blocker.transaction()
        await holding.start()
        await blocker.execute(statement)

        async def until() -> None:
            await let_go.wait()
            await holding.rollback()

        ending = asyncio.create_task(until())
        yield let_go
        let_go.set()
        await ending


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("side", list(Side))
async def test_a_run_says_whose_lock_it_waits_for(pair: Pair, tmp_path: Path, side: Side, live: bool) -> None:
    await pair.old.run(OLD)
    await pair.new.run(NEW)
    database = pair.old if side is Side.OLD else pair.new
    events: list[Event] = []
    meter = Meter()
    async with held(database, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE") as let_go:
        running = asyncio.create_task(migrate(pair, tmp_path, events=events, live=live))
        while not (
            found := [e.what for e in events if isinstance(e, Noted) and isinstance(e.what, LockAwaited)]
        ):
            assert not running.done()
            await asyncio.sleep(0.05)
        for event in events:
            meter.feed(event)
        let_go.set()
        result = await running
    assert result.exit_status == 0
    assert (found[0].side, found[0].application, found[0].state) == (
        side,
        "nightly report",
        "idle in transaction",
    )
    said = words(found[0])
    assert said.startswith(f"waiting for a lock on public.t in {side.upper()}, held or asked for by process ")
    assert "nightly report" in said
    assert f"waits for a lock of process {found[0].pid} in {side.upper()}" in meter.line()
    for event in events:
        meter.feed(event)
    assert any(isinstance(e, Noted) and isinstance(e.what, LockWaitEnded) for e in events)
    assert "waits" not in meter.line()


async def test_a_command_without_phases_says_it_too(pair: Pair, tmp_path: Path) -> None:
    await pair.old.run(OLD)
    await pair.new.run(NEW)
    config = load_config(pair.config(tmp_path))
    told: list[str] = []
    async with held(pair.new, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE") as let_go:

        def hear(note: lock_waits.LockNote) -> None:
            told.append(words(note))
            let_go.set()

        with telling(hear):
            await api.analyze(config)
    assert "nightly report" in told[0]
