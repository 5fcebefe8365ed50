"""A follower that falls behind holds the batches back, and lets them go on when it has caught up."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support import Pair
from tranship import api
from tranship.config import load_config
from tranship.execution.resilience import throttle
from tranship.model.notes import FollowerBehind
from tranship.model.options import MigrateOptions
from tranship.model.progress import BatchDone, Event, Noted

ROWS = "CREATE TABLE t (id integer PRIMARY KEY, pad text);"
FILL = "INSERT INTO t SELECT g, repeat(md5(g::text), 20) FROM generate_series(1, 4000) g;"


@asynccontextmanager
async def follower(pair: Pair, folder: Path) -> AsyncIterator[int]:
    """A receiver of NEW's WAL; its process id."""
    server = pair.new.server
    program = server.installation.bindir / "pg_receivewal"
    if not program.exists():
        pytest.skip(f"{program.name} does not come with this PostgreSQL")
    command = [
        str(program),
        "-D",
        str(folder),
        "-h",
        str(server.socket_folder),
        "-p",
        str(server.port),
        "-U",
        server.user,
        "--status-interval=1",
    ]
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdout=quiet, stderr=quiet, env={**os.environ, "PGPASSWORD": server.password}
    )
    try:
        while not await pair.new.value(
            "SELECT count(*) FROM pg_stat_replication WHERE write_lsn IS NOT NULL"
        ):
            assert process.returncode is None
            await asyncio.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        await process.wait()


async def test_batches_wait_for_a_follower(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pair.old.run(ROWS + FILL)
    await pair.new.run(ROWS)
    monkeypatch.setattr(throttle, "BEHIND", 500_000)
    monkeypatch.setattr(throttle, "INTERVAL", 0.05)
    folder = tmp_path / "wal"
    folder.mkdir()
    async with follower(pair, folder) as pid:
        os.kill(pid, signal.SIGSTOP)
        waited = asyncio.Event()
        after: list[Event] = []

        def hear(event: Event) -> None:
            if isinstance(event, Noted) and isinstance(event.what, FollowerBehind):
                assert event.what.bytes > 0
                waited.set()
            if isinstance(event, BatchDone) and waited.is_set():
                after.append(event)

        options = MigrateOptions(live=True, results_dir=str(tmp_path), batch_size=200, jobs=1)
        running = asyncio.create_task(api.migrate(load_config(pair.config(tmp_path)), options, hear))
        await asyncio.wait_for(waited.wait(), 60)
        assert not after
        os.kill(pid, signal.SIGCONT)
        result, _ = await running
    assert result.exit_status == 0
    assert after
    assert await pair.new.value("SELECT count(*) FROM t") == 4000
