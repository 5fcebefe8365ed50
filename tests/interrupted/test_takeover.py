"""A run that lost its lock while it asked, and another that began and ended meanwhile:
one of them moves the rows, never both.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from support import MakePair
from support.forked import Command
from support.observe import Observe
from support.oracle import MOVED, unaccounted
from support.runs import END_LOCKS, migrate
from support.scene import NEW, OLD
from tranship.errors import Stopped

OPTIONS = ("--live", "--batch-size", "100", "--jobs", "2")


def _asked(command: Command) -> None:
    deadline = time.monotonic() + 60
    while command.running and command.passed != "run.probed" and time.monotonic() < deadline:
        time.sleep(0.02)


async def test_two_fresh_runs_never_both_move(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    arguments = ["migrate", str(pair.config(tmp_path)), *OPTIONS]
    first = Command.start(arguments, tmp_path, env={"TRANSHIP_FAILPOINT": "run.probed:1:sleep=9"})
    await asyncio.to_thread(_asked, first)
    assert await pair.new.fetch(END_LOCKS) == [(True,)]
    second = await asyncio.to_thread(Command.start(arguments, tmp_path).wait)
    assert second.status == MOVED, second
    late = await asyncio.to_thread(first.wait)
    assert late.status == 4, late
    assert "took over" in late.stderr
    assert await unaccounted(pair) == []


@pytest.mark.parametrize("place", ["switches.before", "keys.proven", "sequences.before"])
async def test_a_run_that_was_taken_over_writes_nothing(
    make_pair: MakePair, tmp_path: Path, observe: Observe, place: str
) -> None:
    """Whatever it wanted to write next, batch or not."""
    pair = await make_pair(OLD, NEW)
    then: list[object] = []

    async def journal() -> list[object]:
        found: list[object] = [await pair.new.fetch("SELECT last_value, is_called FROM numbers")]
        for table in ("run", "task", "batch", "reject", "sequence"):
            found.append(sorted(await pair.new.fetch(f"SELECT t::text FROM _tranship.{table} t")))
        return found

    async def overtaking(name: str) -> None:
        if name == place and not then:
            await pair.new.run("UPDATE _tranship.run SET epoch = epoch + 1")
            then.extend(await journal())

    observe(overtaking)
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path)
    assert stopped.value.code == "TS412"
    assert then == await journal()
