"""Old rows that cannot be taken apart, in runs that are killed, also where OLD is another one when they resume."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from support import MakePair, Pair
from support.forked import Command

OLD = """
CREATE TABLE l (id int PRIMARY KEY, list text);
INSERT INTO l SELECT g, CASE WHEN g % 7 = 0 THEN '{' || g ELSE '{' || g || ',' || -g || ',' || g % 3 || '}' END FROM generate_series(1, 1000) g;
"""
NEW = "CREATE TABLE i (l int, nr int, v int, PRIMARY KEY (l, nr)); CREATE TABLE word (v int PRIMARY KEY, l int);"
DECISIONS = {
    "l -> i": [
        {"action": "rows", "from": "unnest(CAST(old.list AS int[])) WITH ORDINALITY AS item(v, n)"},
        {"action": "transform", "old_column": "id", "new_column": "l"},
        {"action": "transform", "new_column": "nr", "transform_sql": "item_number"},
        {"action": "transform", "new_column": "v", "transform_sql": "item.v"},
    ],
    "l -> word": [
        {
            "action": "rows",
            "from": "unnest(CAST(old.list AS int[])) AS item(v)",
            "where": "item.v IN (0, 1, 2)",
        },
        {"action": "merge", "key": ["item.v"]},
        {"action": "transform", "old_column": "id", "new_column": "l"},
        {"action": "transform", "new_column": "v", "transform_sql": "item.v"},
    ],
}


async def _resumed(
    pair: Pair, folder: Path, place: str, between: str, *options: str
) -> dict[str, dict[str, int]]:
    """Kills a run and resumes it. Returns the counts of its flows."""
    (folder / "resolutions.json").write_text(json.dumps({"resolutions": DECISIONS}))
    command = ["migrate", str(pair.config(folder)), "--live", "--batch-size", "150", "--jobs", "1"]
    command += ["--resolutions", str(folder / "resolutions.json")]
    dying = Command.start(command, folder, env={"TRANSHIP_FAILPOINT": f"{place}:kill"})
    assert (await asyncio.to_thread(dying.wait)).status == -signal.SIGKILL
    await pair.old.run(between)
    again = await asyncio.to_thread(Command.start([*command, *options], folder).wait)
    assert again.status == 1, again
    return _told(folder)


def _told(folder: Path) -> dict[str, dict[str, int]]:
    (result,) = folder.rglob("*migration_result_live_*.json")
    return {table["flow"]: table for table in json.loads(result.read_text())["tables"]}


@pytest.mark.parametrize("place", ["batch.copied:2", "batch.committed:9"])
async def test_each_is_rejected_once(make_pair: MakePair, tmp_path: Path, place: str) -> None:
    """Of 1000 lists 142 are none: 858 are taken apart, and each of the others is one row that is rejected."""
    pair = await make_pair(OLD, NEW)
    told = await _resumed(pair, tmp_path, place, "SELECT 1")
    items, words = told["l -> i"], told["l -> word"]
    assert (items["rows_read"], items["rows_made"], items["rows_without_items"]) == (1000, 858 * 3 + 142, 0)
    assert (items["rows_migrated"], items["rows_failed"]) == (858 * 3, 142)
    counted = (words["rows_made"], words["rows_migrated"], words["rows_failed"], words["rows_merged"])
    assert counted == (858 + 2 + 142, 3, 142, 857)
    assert await pair.new.fetch("SELECT count(*)::int, sum(v)::int, max(nr) FROM i") == [
        (858 * 3, sum(g % 3 for g in range(1, 1001) if g % 7), 3)
    ]
    assert await pair.new.fetch("SELECT v, l FROM word ORDER BY v") == [(0, 3), (1, 1), (2, 2)]


async def test_rows_of_a_later_state_are_looked_at_anew(make_pair: MakePair, tmp_path: Path) -> None:
    """A list that was none is mended, and another one is broken, before the run copies unfinished tables again."""
    pair = await make_pair(OLD, NEW)
    change = "UPDATE l SET list = '{70}' WHERE id = 70; UPDATE l SET list = 'x' WHERE id IN (71, 72)"
    told = await _resumed(pair, tmp_path, "batch.committed:3", change, "--new-snapshot", "unfinished")
    items = told["l -> i"]
    assert (items["rows_made"], items["rows_migrated"], items["rows_failed"]) == (
        857 * 3 - 3 + 1 + 143,
        857 * 3 - 2,
        143,
    )
    assert await pair.new.fetch("SELECT l FROM i WHERE l IN (70, 71, 72)") == [(70,)]


async def test_the_rejected_ones_are_moved_again_once(make_pair: MakePair, tmp_path: Path) -> None:
    """Some lists are mended. The run that moves them again is killed and resumed, and the lists that are still none stay
    rejected."""
    pair = await make_pair(OLD, NEW)
    decided = {"resolutions": {"l -> i": DECISIONS["l -> i"]}}
    (tmp_path / "resolutions.json").write_text(json.dumps(decided))
    command = ["migrate", str(pair.config(tmp_path)), "--live", "--jobs", "1"]
    command += ["--resolutions", str(tmp_path / "resolutions.json")]
    first = await asyncio.to_thread(Command.start(command, tmp_path).wait)
    assert first.status == 1, first
    await pair.old.run("UPDATE l SET list = '{7,' || id || '}' WHERE id % 14 = 0")
    again = [*command, "--rejects-only", "--batch-size", "30"]
    dying = Command.start(again, tmp_path, env={"TRANSHIP_FAILPOINT": "batch.committed:3:kill"})
    assert (await asyncio.to_thread(dying.wait)).status == -signal.SIGKILL
    last = await asyncio.to_thread(Command.start(again, tmp_path).wait)
    assert last.status == 1, last
    assert "Rows made: 213 = 142 written + 71 rejected" in last.stdout
    mended = [(858 * 3 + 71 * 2, 71)]
    query = "SELECT count(*)::int, count(*) FILTER (WHERE l % 14 = 0 AND v = l)::int FROM i"
    assert await pair.new.fetch(query) == mended
