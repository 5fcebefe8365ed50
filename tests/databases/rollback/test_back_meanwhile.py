"""Rows that others write while a run is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from support.observe import Observe
from support.runs import migrate
from tranship.config import load_config
from tranship.errors import Stopped
from tranship.execution.rollback.command import rollback

OLD = "CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item SELECT generate_series(1, 100)"
NEW = (
    "CREATE TABLE item (id int PRIMARY KEY);"
    " CREATE TABLE part (id int PRIMARY KEY, item int CONSTRAINT part_item"
    " REFERENCES item)"
)


async def test_a_child_that_came_meanwhile_is_told(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    """A foreign key that says that it holds, holds, or nobody hears that all is well."""
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)

    async def inserting() -> None:
        await pair.new.run("INSERT INTO part VALUES (1, 7)")

    observe.once("rollback.begun", inserting)
    config = load_config(pair.config(tmp_path))
    for _ in range(2):
        with pytest.raises(Stopped, match=r"1 row of public\.part came meanwhile") as stopped:
            await rollback(config, live=True)
        assert stopped.value.code == "TS429"
    await pair.new.run("DELETE FROM part")
    assert (await rollback(config, live=True)).live


async def test_a_sequence_that_was_drawn_from_meanwhile_is_left(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(
        "CREATE SEQUENCE numbers; SELECT setval('numbers', 4711); " + OLD, "CREATE SEQUENCE numbers; " + NEW
    )
    await migrate(pair, tmp_path)

    async def drawing(name: str) -> None:
        if name == "rollback.begun":
            assert await pair.new.value("SELECT nextval('numbers')") == 4712

    observe(drawing)
    told = await rollback(load_config(pair.config(tmp_path)), live=True)
    assert (told.sequences, [name.name for name in told.sequences_left]) == ((), ["numbers"])
    assert await pair.new.value("SELECT nextval('numbers')") == 4713
