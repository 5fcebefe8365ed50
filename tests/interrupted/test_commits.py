"""Every COMMIT of a run once without its answer, and once lost on its way:
the same command goes on by itself, and the end is the same.

By default every fourth one loses its answer; all of both are a campaign.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support import CliResult, MakePair, Pair
from support.forked import Command
from support.oracle import MOVED, Truth, catalog, judge, learn
from support.proxy import Proxy
from support.scene import NEW, OLD

PARTS = 4
BEGINNING = 3
"""COMMITs before anything is asked: the same command begins again."""
OPTIONS = ("--live", "--batch-size", "1000", "--jobs", "1", "--rebuild-indexes", "always")


async def moved(pair: Pair, folder: Path, fault: str, k: int) -> tuple[CliResult, int]:
    """One command through a proxy, and the COMMITs it sent."""
    async with Proxy(pair.new.server.host, pair.new.server.port, fault, k) as proxy:
        config = pair.config(folder, name=f"config-{k}.json", new=proxy.address)
        done = await asyncio.to_thread(Command.start(["migrate", str(config), *OPTIONS], folder).wait)
        assert proxy.struck == bool(fault)
    return done, proxy.seen


async def calm(make_pair: MakePair, folder: Path) -> tuple[Truth, int]:
    """What an undisturbed run makes of it."""
    pair = await make_pair(OLD, NEW)
    before = await catalog(pair.new)
    done, commits = await moved(pair, folder, "", 0)
    assert done.status == MOVED, done
    return await learn(pair, before), commits


@pytest.mark.parametrize(
    "fault", ["commit answer", pytest.param("commit request", marks=pytest.mark.campaign)]
)
@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.campaign) for part in (1, 2, 3))])
async def test_every_commit(make_pair: MakePair, tmp_path: Path, fault: str, part: int) -> None:
    truth, commits = await calm(make_pair, tmp_path)
    for k in range(1 + part, commits + 1, PARTS):
        pair = await make_pair(OLD, NEW)
        done, _ = await moved(pair, tmp_path, fault, k)
        if k <= BEGINNING:
            assert done.status in (2, MOVED), done
            done, _ = await moved(pair, tmp_path, "", 0)
            assert done.status in (0, MOVED), done
        assert done.status == MOVED, (k, done)
        assert not await judge(pair, truth), k
        await make_pair.drop_all()
