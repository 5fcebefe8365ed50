"""Killed at every place a run passes, then run again: the end is that of an undisturbed run."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.scene import NEW, OLD, accounted, contents, definitions
from support import CliResult, MakePair
from tranship.execution.failpoints import NAMES


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, object]:
    """The end of a run that nothing disturbs; filled by the first test that needs it."""
    return {}


async def _expected(make_pair: MakePair, run_cli: Callable[..., CliResult], folder: Path, known: dict[str, object]) -> dict[str, object]:
    if not known:
        pair = await make_pair(OLD, NEW)
        before = await definitions(pair.new)
        done = run_cli("migrate", pair.config(folder, name="calm.json"), "--live", "--batch-size", "100", "--jobs", "2")
        assert done.status == 1, done
        await accounted(pair)
        assert await definitions(pair.new) == before
        known.update(contents=await contents(pair.new), definitions=before)
    return known


@pytest.mark.parametrize("passage", [1])
@pytest.mark.parametrize("name", NAMES)
async def test_killed_and_run_again(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path, undisturbed: dict[str, object], name: str, passage: int
) -> None:
    expected = await _expected(make_pair, run_cli, tmp_path, undisturbed)
    pair = await make_pair(OLD, NEW)
    config = pair.config(tmp_path)
    command = ("migrate", config, "--live", "--batch-size", "100", "--jobs", "2")
    killed = run_cli(*command, env={"TRANSHIP_FAILPOINT": f"{name}:{passage}:kill"})
    assert killed.status in (-signal.SIGKILL, 1), killed
    again = run_cli(*command)
    assert again.status == 1, again
    assert await contents(pair.new) == expected["contents"]
    assert await definitions(pair.new) == expected["definitions"]
    await accounted(pair)
