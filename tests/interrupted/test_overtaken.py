"""A run that sleeps before its first batch while another one takes over and ends: the sleeper says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair
from support.observe import Observe
from support.runs import migrate
from support.scene import NEW, OLD, accounted, contents
from tranship.errors import Stopped


@pytest.mark.parametrize("place", ["run.prepared", "switches.off", "batch.committed"])
async def test_an_overtaken_run_ends_with_its_code(
    make_pair: MakePair, tmp_path: Path, observe: Observe, place: str
) -> None:
    pair, calm = await make_pair(OLD, NEW), await make_pair(OLD, NEW)
    await migrate(calm, tmp_path)
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir(), other.mkdir()

    async def overtake() -> None:
        assert (await migrate(pair, other, take_over=True)).exit_status == 1

    observe.once(place, overtake)
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, mine)
    assert stopped.value.code == "TS412"
    (result,) = mine.glob("*result_live*.json")
    assert json.loads(result.read_text())["exit_status"] == 4
    assert await contents(pair.new) == await contents(calm.new)
    await accounted(pair)
