"""The dry run of an interrupted run foresees what resuming it comes to: row by row, and the exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair, crowded
from support.foreseeing import foreseen, killed
from support.runs import owned_by_a_plain_role
from support.scene import NEW, OLD, accounted

PLACES = (
    "run.prepared:1",
    "switches.off:2",
    "batch.committed:1",
    "batch.counted:12",
    "table.done:2",
    "batch.committed:22",
    "keys.proven:1",
    "indexes.rebuilt:1",
    "table.done:5",
    "phase.entered:1",
    "sequences.set:1",
    "run.finished:1",
)


@pytest.mark.thinned(3)
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("place", PLACES)
async def test_killed_anywhere(make_pair: MakePair, tmp_path: Path, place: str, plain: bool) -> None:
    pair = await make_pair(OLD, NEW)
    role = await owned_by_a_plain_role(pair) if plain else None
    await killed(pair, tmp_path, place, "--batch-size", "100", "--rebuild-indexes", "always", new=role)
    assert (await foreseen(pair, tmp_path, new=role))["exit"] == 1
    await accounted(pair)


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    "place", ["batch.committed:3", "batch.committed:20", "table.done:6", "batch.committed:45"]
)
async def test_a_new_that_is_not_empty(make_pair: MakePair, tmp_path: Path, place: str) -> None:
    pair = await crowded.make(make_pair)
    decided = str(crowded.decide(tmp_path))
    await killed(pair, tmp_path, place, "--batch-size", "100", "--resolutions", decided)
    assert (await foreseen(pair, tmp_path, but={"public.wording"}, resolutions=decided))["exit"] == 1
