"""What a run says that it wrote is counted in NEW: by a run that goes on, at its end,
and after a finished one.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate
from tranship import api
from tranship.config import load_config
from tranship.errors import Stopped
from tranship.execution.rollback.command import rollback
from tranship.model.options import MigrateOptions
from tranship.model.progress import BatchDone, Event

OLD = """
CREATE TABLE one (id integer PRIMARY KEY, v text);
INSERT INTO one SELECT g, 'v' FROM generate_series(1, 400) g;
CREATE TABLE two (id integer PRIMARY KEY); INSERT INTO two SELECT generate_series(1, 200);
"""
NEW = "CREATE TABLE one (id bigint PRIMARY KEY, v text); CREATE TABLE two (id bigint PRIMARY KEY);"
STORIES = {
    "emptied": "TRUNCATE one",
    "thinned out": "DELETE FROM one WHERE id <= 50",
    "deployed again": f"DROP SCHEMA public CASCADE; CREATE SCHEMA public; {NEW}",
    "swapped": "ALTER TABLE one RENAME TO past; CREATE TABLE one (LIKE past INCLUDING ALL);"
    " INSERT INTO one SELECT * FROM past",
}


async def interrupted(pair: Pair, folder: Path) -> None:
    """A run that is stopped after its third batch of 100 rows: of the first table or of both."""
    stop, batches = asyncio.Event(), 0

    class Hearing(list[Event]):
        def append(self, event: Event) -> None:
            nonlocal batches
            batches += isinstance(event, BatchDone)
            if batches >= 3:
                stop.set()

    with pytest.raises(Stopped):
        await migrate(pair, folder, events=Hearing(), stop=stop)


@pytest.mark.parametrize("story", STORIES)
async def test_a_run_does_not_go_on_over_rows_that_are_gone(
    make_pair: MakePair, tmp_path: Path, story: str
) -> None:
    pair = await make_pair(OLD, NEW)
    await interrupted(pair, tmp_path)
    await pair.new.run(STORIES[story])
    for _ in range(2):
        with pytest.raises(Stopped, match=r"public\.one") as stopped:
            await migrate(pair, tmp_path)
        assert stopped.value.code == "TS430"
    if story != "swapped":
        assert (await migrate(pair, tmp_path, restart=True)).exit_status == 0
        assert await pair.new.fetch("SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two)") == [
            (400, 200)
        ]


@pytest.mark.parametrize("story", STORIES)
async def test_a_finished_run_whose_rows_are_gone_is_not_repeated_as_fine(
    make_pair: MakePair, tmp_path: Path, story: str
) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)
    await pair.new.run(STORIES[story])
    for live in (False, True):
        told = await migrate(pair, tmp_path, live=live)
        assert (told.status, told.exit_status) == ("differs", 5)
        lacking = {table.table for table in told.tables if table.verified is False}
        assert "public.one" in lacking
        assert {p.code for p in told.problems if not p.warning} == {"TS500"}
    if story in ("emptied", "thinned out"):
        await rollback(load_config(pair.config(tmp_path)), live=True)
        assert (await migrate(pair, tmp_path)).exit_status == 0


async def test_rows_that_others_change_are_still_there(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)
    await pair.new.run("UPDATE one SET v = 'w' WHERE id <= 50; INSERT INTO one VALUES (1000, 'n')")
    await pair.new.run("VACUUM FULL two")
    assert (await migrate(pair, tmp_path)).exit_status == 0
    # A rewrite gives every row another transaction.
    await pair.new.run("ALTER TABLE two SET UNLOGGED; ALTER TABLE two SET LOGGED")
    assert (await migrate(pair, tmp_path)).exit_status == 0
    await pair.new.run("DELETE FROM two WHERE id = 7")
    assert (await migrate(pair, tmp_path)).exit_status == 5


@pytest.mark.parametrize("place", ["table.done", "phase.entered"])
async def test_rows_that_go_while_the_run_is_at_work(
    make_pair: MakePair, tmp_path: Path, observe: Observe, place: str
) -> None:
    pair = await make_pair(OLD, NEW)

    async def emptying() -> None:
        await pair.new.run("TRUNCATE one")

    observe.once(place, emptying)
    with pytest.raises(
        Stopped, match=r"public\.one: the run wrote 400 rows, and NEW holds at most 0:"
    ) as stopped:
        await migrate(pair, tmp_path)
    assert stopped.value.code == "TS430"


@pytest.mark.parametrize(("kind", "filled"), [("UNLOGGED", 0), ("", 200)])
async def test_only_rows_that_a_crash_takes_are_counted_at_the_end_of_their_table(
    make_pair: MakePair, tmp_path: Path, observe: Observe, kind: str, filled: int
) -> None:
    """The others are counted once, with all tables: else each would be read twice."""
    pair = await make_pair(OLD, NEW.replace("TABLE one", f"{kind} TABLE one"))
    committed = 0

    @observe
    async def emptying(name: str) -> None:
        nonlocal committed
        committed += name == "batch.committed"
        if name == "batch.committed" and committed == 4:
            await pair.new.run("TRUNCATE one")

    with pytest.raises(Stopped, match=r"public\.one: the run wrote 400 rows"):
        await migrate(pair, tmp_path)
    assert await pair.new.value("SELECT count(*)::int FROM two") == filled


async def test_an_unlogged_table_is_told(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW.replace("TABLE one", "UNLOGGED TABLE one"))
    for live in (False, True):
        told: Any = await migrate(pair, tmp_path, live=live)
        assert [p.object for p in told.problems if p.code == "TS393"] == ["public.one"]
        assert told.exit_status == 0


async def test_a_part_of_what_a_finished_run_moved(make_pair: MakePair, tmp_path: Path) -> None:
    """Only one table of the run is asked about again, and it is not the first."""
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)
    config = load_config(pair.config(tmp_path, tables=["two"]))
    again, _ = await api.migrate(config, MigrateOptions(live=True, results_dir=str(tmp_path)))
    assert (again.exit_status, [t.already_migrated for t in again.tables]) == (0, [True])
