"""OLD falls silent in the middle of COPY while NEW's COPY waits for its rows: a lost connection like any
other, and no failure that nobody thought of.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from support.proxy import Proxy
from support.runs import migrate
from tranship.execution.resilience import stall
from tranship.model.notes import Retrying
from tranship.model.progress import Event, Noted

ROWS = 60_000
"""About 30 MB: whichever way two streams share them, one of them reads more than the last of the faults needs."""
OLD = f"""
CREATE TABLE a (id int PRIMARY KEY, v text);
INSERT INTO a SELECT g, repeat('v', 500) FROM generate_series(1, {ROWS}) g
"""
NEW = "CREATE TABLE a (id bigint PRIMARY KEY, v text)"


@pytest.mark.parametrize("k", [4_000_000, 4_300_000, 9_000_000])
async def test_a_stalled_reader_is_a_lost_connection(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, k: int
) -> None:
    monkeypatch.setattr(stall, "LOOK_INTERVAL", 0.2)
    monkeypatch.setattr(stall, "READ_TIMEOUT", 0.6)
    pair = await make_pair(OLD, NEW)
    events: list[Event] = []
    async with Proxy(pair.old.server.host, pair.old.server.port, "stall", k) as proxy:
        result = await migrate(pair, tmp_path, events=events, old=proxy.address, batch_size=10000)
        assert proxy.struck, "the fault was never reached"
    assert (result.exit_status, result.stats.rows_migrated) == (0, ROWS)
    assert any(isinstance(event, Noted) and isinstance(event.what, Retrying) for event in events)
