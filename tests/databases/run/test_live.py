"""The live run on real servers: roles without power, rows that nobody foresaw,
two at once, an orderly stop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, MakePair
from support.runs import SLY, migrate, owned_by_a_plain_role
from support.scene import NEW, OLD, accounted, contents, definitions
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused, Stopped
from tranship.model.notes import Resumed, SnapshotReplaced
from tranship.model.options import MigrateOptions
from tranship.model.progress import BatchDone, Event, Noted


@pytest.mark.parametrize("batch_size", [100, 50_000])
async def test_a_plain_owner_reaches_what_a_superuser_reaches(
    make_pair: MakePair, tmp_path: Path, batch_size: int
) -> None:
    mighty, plain = await make_pair(OLD, NEW), await make_pair(OLD, NEW)
    await migrate(mighty, tmp_path, batch_size=batch_size)
    before = await definitions(plain.new)
    result = await migrate(plain, tmp_path, new=await owned_by_a_plain_role(plain), batch_size=batch_size)
    assert result.exit_status == 1
    assert await contents(plain.new) == await contents(mighty.new)
    assert await definitions(plain.new) == before
    await accounted(plain)


@pytest.mark.parametrize("bad_every", [37, 3])
async def test_rows_that_nobody_could_foresee_are_isolated(
    make_pair: MakePair, tmp_path: Path, bad_every: int
) -> None:
    pair = await make_pair(
        "CREATE TABLE item (id int PRIMARY KEY, next int); INSERT INTO item SELECT n,"
        " n FROM generate_series(1, 1000) n;"
        "CREATE TABLE part (id int PRIMARY KEY, item int); INSERT INTO part SELECT n,"
        " n FROM generate_series(1, 1000) n;",
        SLY.replace("37 <> 5", f"{bad_every} <> 2"),
    )
    result = await migrate(pair, tmp_path, batch_size=400)
    bad = sum(n % bad_every == 2 for n in range(1, 1001))
    assert [(t.rows_read, t.rows_migrated, t.rows_failed) for t in result.tables] == [
        (1000, 1000 - bad, bad)
    ] * 2
    assert [t.rejects_by_reason for t in result.tables] == [{"23514 sly": bad}, {"23503 part_item": bad}]
    lines = [
        json.loads(line)
        for line in (await asyncio.to_thread(Path(result.rejects_file).read_text)).splitlines()
    ]
    assert sorted(line["key"]["id"] for line in lines) == sorted(
        [n for n in range(1, 1001) if n % bad_every == 2] * 2
    )


async def test_the_second_of_two_runs_is_refused_at_once(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    """That no catalog is read before is held by tests/interrupted/test_stops.py;
    here it is a process of its own that has the lock.
    """
    pair = await make_pair(OLD, NEW)
    config = pair.config(tmp_path)
    first = asyncio.create_task(
        asyncio.to_thread(
            run_cli, "migrate", config, "--live", env={"TRANSHIP_FAILPOINT": "batch.copied:sleep=8"}
        )
    )
    begun = "SELECT to_regclass('_tranship.run') IS NOT NULL"
    for _ in range(600):
        await asyncio.sleep(0.05)
        if await pair.new.value(begun) and await pair.new.value("SELECT count(*) FROM _tranship.run"):
            break
    with pytest.raises(Refused, match=r"host .*, pid \d+, since") as refused:
        await migrate(pair, tmp_path)
    assert refused.value.exit_status == 3
    assert (await first).status == 1
    await accounted(pair)


async def test_an_orderly_stop_is_gone_on_with(make_pair: MakePair, tmp_path: Path) -> None:
    pair, calm = await make_pair(OLD, NEW), await make_pair(OLD, NEW)
    stop, before = asyncio.Event(), await definitions(pair.new)
    config = load_config(pair.config(tmp_path))

    def watch(event: Event) -> None:
        if isinstance(event, BatchDone) and event.flow.old.name == "person":
            stop.set()

    with pytest.raises(Stopped) as stopped:
        await api.migrate(
            config, MigrateOptions(live=True, results_dir=str(tmp_path), batch_size=100, jobs=2), watch, stop
        )
    assert stopped.value.exit_status == 4
    (told,) = await asyncio.to_thread(
        lambda: [json.loads(path.read_text()) for path in tmp_path.glob("*result_live*.json")]
    )
    assert (told["status"], told["exit_status"], told["problems"][-1]["code"]) == ("stopped", 4, "TS400")
    assert 0 < told["stats"]["rows_read"] < 2250
    assert await definitions(pair.new) == before
    events: list[Event] = []
    result = await migrate(pair, tmp_path, events=events)
    assert result.exit_status == 1
    assert any(isinstance(e, Noted) and isinstance(e.what, Resumed | SnapshotReplaced) for e in events)
    await migrate(calm, tmp_path)
    assert await contents(pair.new) == await contents(calm.new)
    await accounted(pair)


async def test_a_second_run_changes_nothing_and_repeats_the_status(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    first = await migrate(pair, tmp_path)
    held = await contents(pair.new)
    second = await migrate(pair, tmp_path)
    assert (second.exit_status, second.stats.rows_failed) == (first.exit_status, first.stats.rows_failed)
    assert all(t.already_migrated for t in second.tables)
    assert await contents(pair.new) == held


@pytest.mark.parametrize("plain", [False, True])
async def test_children_of_rows_nobody_foresaw_follow_them_out(
    make_pair: MakePair, tmp_path: Path, plain: bool
) -> None:
    pair = await make_pair(
        "CREATE TABLE node (id int PRIMARY KEY, up int, word text);"
        " INSERT INTO node SELECT n, n / 2, 'w' || n FROM generate_series(1, 1000) n;"
        "UPDATE node SET up = NULL WHERE id = 1; CREATE TABLE leaf (word text, node int);"
        "INSERT INTO leaf SELECT 'x', n FROM generate_series(1, 1000) n;",
        """CREATE FUNCTION sly(n int) RETURNS boolean LANGUAGE sql
            AS $$SELECT current_setting('transaction_read_only') = 'on' OR n <> 5$$;
        CREATE TABLE node (id int PRIMARY KEY, up int CONSTRAINT up REFERENCES node, word text,
            CONSTRAINT sly CHECK (sly(id)));
        CREATE TABLE leaf (word text, node int CONSTRAINT leaf_node REFERENCES node);""",
    )
    before = await definitions(pair.new)
    result = await migrate(
        pair, tmp_path, new=await owned_by_a_plain_role(pair) if plain else None, batch_size=130
    )
    below = {5}
    for n in range(6, 1001):
        if n // 2 in below:
            below.add(n)
    node, leaf = sorted(result.tables, key=lambda t: t.table, reverse=True)
    assert node.rejects_by_reason == {"23503 up": len(below) - 1, "23514 sly": 1}
    assert leaf.rejects_by_reason == {"23503 leaf_node": len(below)}
    assert (node.rows_migrated, leaf.rows_migrated) == (1000 - len(below), 1000 - len(below))
    assert await pair.new.value("SELECT count(*) FROM node WHERE id = ANY ($1::int[])", sorted(below)) == 0
    assert await definitions(pair.new) == before
