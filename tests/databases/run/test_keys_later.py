"""Foreign keys that are proven once after the rows, by a role that may silence their triggers: also in a NEW
in which others delete parents at the same time.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.runs import owned_by_a_plain_role
from tranship import api
from tranship.config import load_config
from tranship.errors import Stopped
from tranship.execution.copying import writers
from tranship.execution.switches import keys_later
from tranship.model.notes import WaitingForWriters
from tranship.model.options import MigrateOptions
from tranship.model.progress import Event, Noted

TOWNS = "CREATE TABLE town (id int PRIMARY KEY); INSERT INTO town SELECT generate_series(1, 5);"
OLD = f"""{TOWNS}
CREATE TABLE person (id int PRIMARY KEY, town int REFERENCES town);
INSERT INTO person SELECT n, n % 5 + 1 FROM generate_series(1, 50) n;
"""
NEW = f"{TOWNS} CREATE TABLE person (id int PRIMARY KEY, town int CONSTRAINT lives REFERENCES town);"
ORPHANS = "SELECT count(*)::int FROM person LEFT JOIN town ON town.id = person.town WHERE town.id IS NULL"
PROVEN = ("copy", "foreign keys of public.person")


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty rows are enough."""
    monkeypatch.setattr(keys_later, "FEW_ROWS", 50)


async def run(pair: Pair, folder: Path, events: list[Event] | None = None, **ends: Any) -> Any:
    """A live run of the persons alone: the towns are NEW's own, and others may delete them."""
    config = load_config(pair.config(folder, tables=["person"], **ends))
    wanted = MigrateOptions(
        live=True, results_dir=str(folder), batch_size=10, jobs=2, profile=True, new_in_use=True
    )
    result, _ = await api.migrate(config, wanted, events.append if events is not None else None)
    return result


def was_proven(result: Any) -> bool:
    return PROVEN in {(one.phase, one.question) for one in result.profile}


async def test_all_arrive_and_the_key_is_proven(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    result = await run(pair, tmp_path)
    assert (result.exit_status, result.stats.rows_migrated) == (0, 50)
    assert was_proven(result)


async def test_a_parent_that_is_deleted_between_batch_and_proof(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    observe.once(
        "batch.committed",
        lambda: pair.new.run("SET session_replication_role = replica; DELETE FROM town WHERE id = 3"),
    )
    result = await run(pair, tmp_path)
    assert (result.exit_status, result.stats.rows_migrated, result.stats.rows_failed) == (1, 40, 10)
    assert await pair.new.fetch(ORPHANS) == [(0,)]


async def test_a_delete_that_saw_no_child_and_ends_after_the_last_batch(
    make_pair: MakePair, tmp_path: Path, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_PATIENCE", 0.0)
    pair = await make_pair(OLD, NEW)
    events: list[Event] = []
    async with pair.new.connect() as other:
        deleting = other.transaction()
        await deleting.start()
        # Its own check of the key finds no child yet.
        await other.execute("DELETE FROM town WHERE id = 3")
        running = asyncio.create_task(run(pair, tmp_path, events))
        while not any(
            isinstance(event, Noted) and isinstance(event.what, WaitingForWriters) for event in events
        ):
            assert not running.done()
            await asyncio.sleep(0.05)
        await deleting.commit()
        result = await running
    assert (result.stats.rows_migrated, result.stats.rows_failed) == (40, 10)
    assert await pair.new.fetch(ORPHANS) == [(0,)]


async def test_a_run_that_goes_on_proves_what_an_earlier_process_left(
    make_pair: MakePair, tmp_path: Path, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    observe.fail("batch.committed", passage=3)
    with pytest.raises(Stopped):
        await run(pair, tmp_path)
    observe.stop()
    await pair.new.run("SET session_replication_role = replica; DELETE FROM town WHERE id = 3")
    monkeypatch.setattr(keys_later, "FEW_ROWS", 1000)
    result = await run(pair, tmp_path)
    assert (result.stats.rows_migrated, result.stats.rows_failed) == (40, 10)
    assert await pair.new.fetch(ORPHANS) == [(0,)]


@pytest.mark.parametrize(
    "more",
    [
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN OLD; END$$;"
        " CREATE TRIGGER t BEFORE DELETE ON person FOR EACH ROW EXECUTE FUNCTION f();",
        "ALTER TABLE person ADD UNIQUE (id) DEFERRABLE;",
        "ALTER TABLE person DROP CONSTRAINT lives;",
    ],
    ids=["noticed", "deferrable", "no key"],
)
async def test_rows_are_checked_one_by_one_where_a_proof_is_not_enough(
    make_pair: MakePair, tmp_path: Path, more: str
) -> None:
    pair = await make_pair(OLD, NEW + more)
    assert not was_proven(await run(pair, tmp_path))


async def test_a_few_rows_are_checked_one_by_one(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_later, "FEW_ROWS", 51)
    pair = await make_pair(OLD, NEW)
    assert not was_proven(await run(pair, tmp_path))


async def test_a_role_that_may_not_silence_triggers(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    result = await run(pair, tmp_path, new=await owned_by_a_plain_role(pair))
    assert (result.exit_status, result.stats.rows_migrated) == (0, 50)
    assert not was_proven(result)
