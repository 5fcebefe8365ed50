"""Killed, or failing, at every place a run passes, then run again: the end is that of an undisturbed run.

The whole product of places, kill and raise, first, second and last passage is a campaign;
by default each place has one of the six, in turn.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import CliResult, MakePair
from support.oracle import catalog
from support.runs import migrate
from support.scene import NEW, OLD, accounted, contents
from tranship.execution.resilience import failpoints
from tranship.execution.resilience.failpoints import NAMES

BACK = ("--restart",)
AFTER_A_KILL = {"run.taken": (), "rollback.begun": BACK, "rollback.deleted": BACK, "rollback.done": BACK}
"""Places that only a run after an interrupted one comes by, and the options that lead there."""
ELSEWHERE = {"batch.hashing", "batch.isolating", "batch.divided", "batch.images", "batch.updated"}
"""Asking foresees every reject of the scene, and its batches go through whole; test_split has both. It updates no
row of NEW's own; test_updates does. Its batches are too small to be hashed beside the copy; test_sums_beside has
larger ones.
"""
WAYS = [(what, passage) for what in ("kill", "raise") for passage in ("first", "second", "last")]
PRODUCT = [
    pytest.param(name, *way, marks=() if turn == place % len(WAYS) else pytest.mark.campaign)
    for place, name in enumerate(NAMES)
    for turn, way in enumerate(WAYS)
]


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """The end of a run that nothing disturbs; filled by the first test that needs it."""
    return {}


async def _expected(
    make_pair: MakePair, run_cli: Callable[..., CliResult], folder: Path, known: dict[str, Any]
) -> dict[str, Any]:
    if not known:
        pair = await make_pair(OLD, NEW)
        before = await catalog(pair.new)
        failpoints.passages.clear()
        assert (await migrate(pair, folder, rebuild_indexes="always")).exit_status == 1
        passed = dict(failpoints.passages)
        assert set(NAMES) - set(passed) == ELSEWHERE | set(AFTER_A_KILL)
        await accounted(pair)
        assert await catalog(pair.new) == before
        known.update(contents=await contents(pair.new), definitions=before, passed=passed)
    return known


@pytest.mark.parametrize(("name", "what", "passage"), PRODUCT)
@pytest.mark.thinned(2)
async def test_killed_and_run_again(
    make_pair: MakePair,
    run_cli: Callable[..., CliResult],
    tmp_path: Path,
    undisturbed: dict[str, Any],
    name: str,
    what: str,
    passage: str,
) -> None:
    expected = await _expected(make_pair, run_cli, tmp_path, undisturbed)
    pair = await make_pair(OLD, NEW)
    config = pair.config(tmp_path)
    command = (
        "migrate",
        config,
        "--live",
        "--batch-size",
        "100",
        "--jobs",
        "2",
        "--rebuild-indexes",
        "always",
    )
    passed = 1 if name in AFTER_A_KILL else expected["passed"].get(name, 0)
    if not passed:
        pytest.skip(f"the scene does not come by {name}")
    number = {"first": 1, "second": min(2, passed), "last": passed}[passage]
    if name in AFTER_A_KILL:
        assert (
            run_cli(*command, env={"TRANSHIP_FAILPOINT": "batch.committed:3:kill"}).status == -signal.SIGKILL
        )
    killed = run_cli(
        *command, *AFTER_A_KILL.get(name, ()), env={"TRANSHIP_FAILPOINT": f"{name}:{number}:{what}"}
    )
    assert killed.status in ((-signal.SIGKILL,) if what == "kill" else (1, 2, 4)), killed
    again = run_cli(*command)
    assert again.status == 1, again
    assert await contents(pair.new) == expected["contents"]
    assert await catalog(pair.new) == expected["definitions"]
    await accounted(pair)
