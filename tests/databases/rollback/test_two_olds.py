"""Two old databases that fill one new one: a rollback is about the runs from its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair, Pair
from support.runs import migrate
from tranship.config import load_config
from tranship.errors import UsageError
from tranship.execution.rollback.command import Rollback, rollback

NEW = "CREATE TABLE person (id int PRIMARY KEY, name text);"


async def _two_sites(make_pair: MakePair, folder: Path) -> tuple[Pair, Pair]:
    """Returns two finished pairs with one NEW, the one that moved first before the other."""
    north = await make_pair(NEW + "INSERT INTO person VALUES (1, 'Ada'), (2, 'Bob')", NEW)
    south = Pair((await make_pair(NEW + "INSERT INTO person VALUES (11, 'Cyd')", "")).old, north.new)
    for pair in (north, south):
        assert (await migrate(pair, folder)).exit_status == 0
    return north, south


async def _rolled_back(pair: Pair, folder: Path, **ends: dict[str, object]) -> Rollback:
    return await rollback(load_config(pair.config(folder, **ends)), live=True)


async def _names(pair: Pair) -> list[str]:
    return [name for (name,) in await pair.new.fetch("SELECT name FROM person ORDER BY id")]


async def test_the_latest_run_from_its_own_old(make_pair: MakePair, tmp_path: Path) -> None:
    north, south = await _two_sites(make_pair, tmp_path)
    await _rolled_back(north, tmp_path)
    assert await _names(north) == ["Cyd"]
    with pytest.raises(UsageError) as refused:
        await _rolled_back(north, tmp_path)
    assert (refused.value.code, "--run" in refused.value.hint) == ("TS130", True)
    assert await _names(north) == ["Cyd"]
    await _rolled_back(south, tmp_path)
    assert await _names(north) == []


async def test_an_old_that_is_gone(make_pair: MakePair, tmp_path: Path) -> None:
    """Which of two OLDs it was cannot be told; where there was only one, nothing has to be."""
    north, south = await _two_sites(make_pair, tmp_path)
    gone = {"old": {"database": "gone"}}
    with pytest.raises(UsageError) as refused:
        await _rolled_back(north, tmp_path, **gone)
    assert refused.value.code == "TS130"
    assert "2 OLDs" in refused.value.message
    assert len(await _names(north)) == 3
    await _rolled_back(south, tmp_path)
    await _rolled_back(north, tmp_path, **gone)
    assert await _names(north) == []


async def test_a_run_that_is_named(make_pair: MakePair, tmp_path: Path) -> None:
    north, south = await _two_sites(make_pair, tmp_path)
    run = await north.new.value("SELECT id FROM _tranship.run ORDER BY started LIMIT 1")
    await rollback(load_config(south.config(tmp_path)), live=True, run=run)
    assert await _names(north) == ["Cyd"]
