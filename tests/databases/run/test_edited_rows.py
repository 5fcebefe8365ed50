"""Rows that others changed stay when a run starts over, and do not come a second time unasked."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.runs import migrate
from tranship.errors import Refused, Stopped
from tranship.model.options import NewSnapshot
from tranship.model.progress import BatchDone, Event

OLD = "CREATE TABLE visit (page text); INSERT INTO visit SELECT 'p' || g FROM generate_series(1, 300) g;"
NEW = "CREATE TABLE visit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, page text);"
WAYS: list[dict[str, Any]] = [
    {"restart": True},
    {"new_snapshot": NewSnapshot.ALL},
    {"new_snapshot": NewSnapshot.UNFINISHED},
]


async def interrupted(pair: Pair, folder: Path) -> None:
    stop = asyncio.Event()

    class Hearing(list[Event]):
        def append(self, event: Event) -> None:
            if isinstance(event, BatchDone):
                stop.set()

    with pytest.raises(Stopped):
        await migrate(pair, folder, events=Hearing(), stop=stop)
    await pair.old.run("INSERT INTO visit VALUES ('last')")


@pytest.mark.parametrize("way", WAYS)
async def test_a_changed_row_is_told_and_does_not_come_twice(
    make_pair: MakePair, tmp_path: Path, way: dict[str, Any]
) -> None:
    pair = await make_pair(OLD, NEW)
    await interrupted(pair, tmp_path)
    await pair.new.run("UPDATE visit SET page = 'ours' WHERE id = 7")
    before = await pair.new.fetch("SELECT * FROM visit ORDER BY id")
    with pytest.raises(Refused, match=r"public\.visit: up to 1 row .* id=7") as refused:
        await migrate(pair, tmp_path, **way)
    assert refused.value.code == "TS395"
    assert await pair.new.fetch("SELECT * FROM visit ORDER BY id") == before
    assert (await migrate(pair, tmp_path, again=True, **way)).exit_status == 0
    assert await pair.new.value("SELECT count(*) FROM visit WHERE page = 'ours'") == 1
    assert await pair.new.value("SELECT count(*) FROM visit") == 302


async def test_rows_that_others_deleted_just_come_again(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await interrupted(pair, tmp_path)
    await pair.new.run("DELETE FROM visit WHERE id = 7")
    assert (await migrate(pair, tmp_path, restart=True)).exit_status == 0
    assert await pair.new.value("SELECT count(*) FROM visit") == 301
