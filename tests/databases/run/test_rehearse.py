"""A rehearsal says what the live run will say, and leaves NEW as it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import Database, MakePair, Pair
from support.cases.stage import fingerprint, has_journal
from support.runs import owned_by_a_plain_role
from support.scene import NEW, OLD, definitions
from tranship import api
from tranship.config import load_config
from tranship.errors import Stopped
from tranship.model.names import TableName
from tranship.model.notes import SequencesNotRestored
from tranship.model.options import MigrateOptions
from tranship.model.progress import BatchDone, Event, Noted

Told = tuple[int, list[object], list[str], dict[str, int]]


async def migrate(
    pair: Pair,
    folder: Path,
    *,
    hear: Callable[[Event], None] | None = None,
    new: dict[str, object] | None = None,
    **chosen: Any,
) -> Told:
    """A run in this process: its status, counts with reasons, rejects line by line,
    and where the sequences end.
    """
    config = load_config(pair.config(folder, new=new))
    result, _ = await api.migrate(
        config, MigrateOptions(**{"results_dir": str(folder), "batch_size": 100, "jobs": 2, **chosen}), hear
    )
    assert result.mode == ("rehearse" if chosen.get("rehearse") else "live")
    counts: list[object] = [
        (t.table, t.rows_read, t.rows_migrated, t.rows_failed, t.rejects_by_reason, t.losses, t.not_asked)
        for t in result.tables
    ]
    lines = (
        (await asyncio.to_thread(Path(result.rejects_file).read_text)).splitlines()
        if result.rejects_file
        else []
    )
    return result.exit_status, counts, sorted(lines), result.sequences


async def everything(database: Database) -> list[object]:
    """Schema and rows as a dump has them, triggers and constraints with their comments,
    every sequence's position, the journal.
    """
    names = await database.fetch(
        "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences ORDER BY 1"
    )
    positions = [
        (name, *await database.fetch(f"SELECT last_value, is_called FROM {name}")) for (name,) in names
    ]
    dump, journal = (
        await asyncio.to_thread(fingerprint, database),
        await asyncio.to_thread(has_journal, database),
    )
    return [dump, await definitions(database), positions, journal]


async def rehearsed_is_live(pair: Pair, folder: Path, **chosen: Any) -> Told:
    """Rehearses, finds NEW untouched, moves, and finds the two equal."""
    before = await everything(pair.new)
    rehearsed = await migrate(pair, folder, rehearse=True, **chosen)
    assert await everything(pair.new) == before
    assert before[-1] is False
    live = await migrate(pair, folder, live=True, **chosen)
    assert live == rehearsed
    return live


@pytest.mark.parametrize("plain", [False, True])
async def test_a_rehearsal_equals_the_live_run_and_leaves_nothing(
    make_pair: MakePair, tmp_path: Path, plain: bool
) -> None:
    pair = await make_pair(OLD, NEW + "CREATE TABLE counted (n serial, line text);")
    await pair.old.run(
        "CREATE TABLE counted (line text); INSERT INTO counted SELECT 'x' FROM generate_series(1, 250)"
    )
    status, _, rejects, sequences = await rehearsed_is_live(
        pair, tmp_path, new=await owned_by_a_plain_role(pair) if plain else None
    )
    assert (status, len(rejects) > 0, sequences["public.counted_n_seq"]) == (1, True, 250)


SLY = """
CREATE FUNCTION sly(n int) RETURNS boolean LANGUAGE sql AS $$SELECT current_setting('transaction_read_only') =
    'on' OR n <> 5$$;
CREATE TABLE node (id int PRIMARY KEY, up int CONSTRAINT up REFERENCES node DEFERRABLE INITIALLY DEFERRED,
    word text, CONSTRAINT sly CHECK (sly(id)));
CREATE TABLE leaf (word text, node int CONSTRAINT leaf_node REFERENCES node, n serial);
"""


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("batch_size", [40, 50_000])
async def test_rows_that_no_question_finds_are_found_with_their_children(
    make_pair: MakePair, tmp_path: Path, plain: bool, batch_size: int
) -> None:
    pair = await make_pair(
        "CREATE TABLE node (id int PRIMARY KEY, up int, word text);"
        "INSERT INTO node SELECT n, nullif(n / 2, 0), 'w' || n FROM generate_series(1, 300) n;"
        "CREATE TABLE leaf (word text, node int); INSERT INTO leaf SELECT 'x',"
        " n FROM generate_series(1, 300) n",
        SLY,
    )
    new = await owned_by_a_plain_role(pair) if plain else None
    status, _, rejects, _ = await rehearsed_is_live(pair, tmp_path, new=new, batch_size=batch_size)
    found = [json.loads(line) for line in rejects]
    assert status == 1
    assert {r["constraint"] for r in found} == {"sly", "up", "leaf_node"}
    assert [r["key"] for r in found if r["constraint"] == "sly"] == [{"id": 5}]


HIDDEN = """
CREATE SEQUENCE mine; CREATE SEQUENCE lent; CREATE SEQUENCE deep START 70;
CREATE FUNCTION next_deep() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN nextval(''deep''); END';
CREATE TABLE item (id int PRIMARY KEY, m bigint DEFAULT nextval('mine'), l bigint DEFAULT nextval('lent'),
    d bigint DEFAULT next_deep(),
  i int GENERATED ALWAYS AS IDENTITY);
"""


async def test_every_sequence_is_where_it_was(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item SELECT generate_series(1, 60)", HIDDEN
    )
    new = await owned_by_a_plain_role(pair)
    await pair.new.run(
        "ALTER SEQUENCE lent OWNER TO postgres;"
        f" GRANT ALL ON SEQUENCE lent TO {new['username']}; SELECT nextval('lent')"
    )
    _, _, _, sequences = await rehearsed_is_live(pair, tmp_path, new=new)
    assert (sequences["public.mine"], sequences["public.lent"], sequences["public.item_i_seq"]) == (
        60,
        61,
        60,
    )
    assert await pair.new.value("SELECT last_value FROM deep") == 129


async def test_a_sequence_that_cannot_be_set_back_is_named(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item SELECT generate_series(1, 60)", HIDDEN
    )
    new, heard = await owned_by_a_plain_role(pair), list[Event]()
    await pair.new.run(
        f"ALTER SEQUENCE deep OWNER TO postgres; GRANT USAGE ON SEQUENCE deep TO {new['username']}"
    )
    await migrate(pair, tmp_path, rehearse=True, new=new, hear=heard.append)
    assert any(e == Noted(SequencesNotRestored((TableName("public", "deep"),))) for e in heard)


async def test_after_the_live_run_there_is_nothing_to_rehearse(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    live = await migrate(pair, tmp_path, live=True)
    before = await everything(pair.new)
    again = await migrate(pair, tmp_path, rehearse=True)
    assert (again[0], again[2]) == (live[0], live[2])
    assert await everything(pair.new) == before


async def test_settings_of_the_database_do_not_matter(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    for setting in ("default_transaction_isolation = 'serializable'", "default_transaction_read_only = on"):
        await pair.new.run(f'ALTER DATABASE "{pair.new.name}" SET {setting}')
    before = await everything(pair.new)
    assert (await migrate(pair, tmp_path, rehearse=True))[0] == 1
    assert await everything(pair.new) == before


async def test_too_many_rejects_stop_a_rehearsal_as_they_stop_the_live_run(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(
        "CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item SELECT generate_series(1, 400)",
        SLY.replace("n <> 5", "n % 50 <> 5")
        + "CREATE TABLE item (id int PRIMARY KEY, CONSTRAINT sly CHECK (sly(id)));",
    )
    before = await everything(pair.new)
    with pytest.raises(Stopped, match="--max-rejects allows 3") as stopped:
        await migrate(pair, tmp_path, rehearse=True, max_rejects="3")
    assert stopped.value.exit_status == 4
    (told,) = await asyncio.to_thread(
        lambda: [json.loads(path.read_text()) for path in tmp_path.glob("*result_rehearse*.json")]
    )
    assert (told["status"], told["exit_status"], told["stats"]["rows_failed"]) == ("stopped", 4, 4)
    assert await everything(pair.new) == before


async def test_a_lost_connection_leaves_nothing(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    before = await everything(pair.new)
    kill = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'tranship' AND backend_xid IS NOT NULL"
    )
    killing: list[asyncio.Task[Any]] = []

    def hear(event: Event) -> None:
        if isinstance(event, BatchDone) and not killing:
            killing.append(asyncio.ensure_future(pair.new.value(kill)))

    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, rehearse=True, hear=hear)
    assert (await killing[0], stopped.value.exit_status) == (1, 4)
    assert await everything(pair.new) == before
