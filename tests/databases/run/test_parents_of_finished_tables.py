"""A run that goes on in a new snapshot knows which rows of its finished tables were rejected."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support import MakePair
from support.runs import migrate
from tranship.errors import Stopped
from tranship.model.options import NewSnapshot
from tranship.model.progress import BatchDone, Event

OLD = """CREATE TABLE p (id int PRIMARY KEY, n text); INSERT INTO p VALUES (1, 'a'), (2, 'b'), (3, 'c');
    CREATE TABLE q (id int PRIMARY KEY, p int{key});
    INSERT INTO q SELECT g, g % 3 + 1 FROM generate_series(1, 300) g;"""
NEW = """CREATE TABLE p (id int PRIMARY KEY, n text); INSERT INTO p VALUES (2, 'stranger'), (9, 'own');
    CREATE TABLE q (id int PRIMARY KEY, p int REFERENCES p);"""


@pytest.mark.parametrize("key", [" REFERENCES p", ""])
async def test_children_of_rows_that_were_rejected_before_the_new_snapshot(
    make_pair: MakePair, tmp_path: Path, key: str
) -> None:
    pair = await make_pair(OLD.format(key=key), NEW)
    stop = asyncio.Event()

    class Hearing(list[Event]):
        def append(self, event: Event) -> None:
            if isinstance(event, BatchDone) and event.flow.new.name == "q":
                stop.set()

    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, events=Hearing(), stop=stop, batch_size=100)
    await pair.old.run("INSERT INTO q VALUES (301, 2), (302, 1)" + ("" if key else ", (303, 9)"))
    assert (await migrate(pair, tmp_path, new_snapshot=NewSnapshot.UNFINISHED)).exit_status == 1
    assert await pair.new.fetch("SELECT DISTINCT p FROM q ORDER BY p") == [(1,), (3,)]
    assert await pair.new.value("SELECT count(*) FROM q") == 201
