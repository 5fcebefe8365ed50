"""The answer to a COMMIT is lost whose batch had to be split: its rest is moved by the same run."""

from __future__ import annotations

import asyncio
from pathlib import Path

from faults.forked import Command
from faults.oracle import MOVED
from faults.proxy import Proxy
from move.test_live import SLY
from support import MakePair, Pair

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
