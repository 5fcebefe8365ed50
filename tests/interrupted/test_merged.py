"""Rows that are merged into others, in runs that are killed, and survivors that NEW refuses unforeseen."""

from __future__ import annotations

import asyncio
import json
import signal
import stat
from pathlib import Path

import pytest

from support import MakePair
from support.forked import Command

LONG = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) n)"
OLD = f"""
CREATE TABLE p (id int PRIMARY KEY, email text, note text, at int);
INSERT INTO p SELECT g, 'User' || g % 300, CASE g WHEN 7 THEN {LONG} ELSE 'n' || g END, -g FROM generate_series(1, 1000) g;
CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p);
INSERT INTO c SELECT g, g FROM generate_series(1, 1000) g;
"""
NEW = """
CREATE TABLE p (id bigint PRIMARY KEY, email text UNIQUE, note text, at int); CREATE INDEX pn ON p (note);
CREATE TABLE c (id bigint PRIMARY KEY, p bigint REFERENCES p);
"""
DECISIONS = """{"resolutions": {"p": [
  {"action": "merge", "key": ["lower(old.email)"], "keep": "old.at DESC", "repoint_children": true}]}}"""


def told(folder: Path) -> list[tuple[int, int]]:
    """The merged rows and their survivors by the file of the run that ended, which only its owner may read."""
    (file,) = folder.rglob("*migration_merged_live_*.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    merged = [json.loads(line) for line in file.read_text().splitlines()]
    assert {(one["table"], one["new_table"]) for one in merged} == {("public.p", "public.p")}
    return sorted((one["key"]["id"], one["survivor"]["id"]) for one in merged)


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    "place", ["batch.copied:2", "batch.committed:3", "batch.committed:8", "table.done:1"]
)
async def test_a_killed_run_merges_the_same_rows(make_pair: MakePair, tmp_path: Path, place: str) -> None:
    """Of the 300 addresses the row with the smallest id stays. The one with a note too long for the index is
    refused when it is written, which nobody predicts; its three duplicates are rejected with it, and the four
    children of them all.
    """
    pair = await make_pair(OLD, NEW)
    (tmp_path / "resolutions.json").write_text(DECISIONS)
    config = pair.config(tmp_path)
    command = ["migrate", str(config), "--live", "--batch-size", "150", "--jobs", "1"]
    command += ["--resolutions", str(tmp_path / "resolutions.json")]
    dying = Command.start(command, tmp_path, env={"TRANSHIP_FAILPOINT": f"{place}:kill"})
    assert (await asyncio.to_thread(dying.wait)).status == -signal.SIGKILL
    again = await asyncio.to_thread(Command.start(command, tmp_path).wait)
    assert again.status == 1, again
    assert await pair.new.fetch("SELECT count(*)::int, min(id)::int, max(id)::int FROM p") == [(299, 1, 300)]
    assert await pair.new.fetch("SELECT count(*)::int, bool_and(p = (id - 1) % 300 + 1) FROM c") == [
        (996, True)
    ]
    rejects = "SELECT position, sqlstate, count(*)::int FROM _tranship.reject GROUP BY 1, 2 ORDER BY 1, 2"
    assert await pair.new.fetch(rejects) == [(0, "54000", 4), (1, "23503", 4)]
    sums = "SELECT sum(written)::int, sum(rejected)::int, sum(merged)::int FROM _tranship.batch GROUP BY position ORDER BY position"
    assert await pair.new.fetch(sums) == [(299, 4, 697), (996, 4, 0)]
    assert told(tmp_path) == [(n, (n - 1) % 300 + 1) for n in range(301, 1001) if n % 300 != 7]


@pytest.mark.parametrize("place", ["batch.copied:9", "batch.committed:10"])
async def test_a_killed_run_merges_the_same_children(make_pair: MakePair, tmp_path: Path, place: str) -> None:
    """Children of merged rows that only following makes equal are merged, or rejected with a refused parent."""
    twins = "CREATE TABLE t (id int PRIMARY KEY, p {} REFERENCES p, tag int, UNIQUE (p, tag));"
    filled = f"{OLD}{twins.format('int')} INSERT INTO t SELECT g, g, 5 FROM generate_series(1, 1000) g;"
    pair = await make_pair(filled, NEW + twins.format("bigint"))
    (tmp_path / "resolutions.json").write_text(DECISIONS)
    command = ["migrate", str(pair.config(tmp_path)), "--live", "--batch-size", "150", "--jobs", "1"]
    command += ["--resolutions", str(tmp_path / "resolutions.json")]
    dying = Command.start(command, tmp_path, env={"TRANSHIP_FAILPOINT": f"{place}:kill"})
    assert (await asyncio.to_thread(dying.wait)).status == -signal.SIGKILL
    again = await asyncio.to_thread(Command.start(command, tmp_path).wait)
    assert again.status == 1, again
    kept = "SELECT count(*)::int, bool_and(p = id AND id <= 300 AND id <> 7) FROM t"
    assert await pair.new.fetch(kept) == [(299, True)]
    sums = "SELECT sum(written)::int, sum(rejected)::int, sum(merged)::int FROM _tranship.batch GROUP BY position ORDER BY position"
    assert await pair.new.fetch(sums) == [(299, 4, 697), (996, 4, 0), (299, 4, 697)]


LISTS = f"""
CREATE TABLE list (id int PRIMARY KEY, tags text);
INSERT INTO list SELECT g, concat_ws(',', 'T' || g % 50, CASE g WHEN 7 THEN {LONG} END, 't' || g % 70, 'X' || g % 50)
  FROM generate_series(300, 1, -1) g;
"""
TAGS = """
CREATE TABLE tag (name text PRIMARY KEY, list bigint, place int, was text); CREATE INDEX tn ON tag (was);
CREATE TABLE use (list bigint, tag text REFERENCES tag (name), PRIMARY KEY (list, tag));
"""
TAKEN_APART = {
    "action": "rows",
    "from": "regexp_split_to_table(old.tags, ',') WITH ORDINALITY AS item(tag, n)",
}
TAG = "CASE WHEN length(item.tag) > 9 THEN 't9' ELSE lower(item.tag) END"
OF_ITEMS = {
    "list -> tag": [
        TAKEN_APART,
        {"action": "merge", "key": [TAG], "keep": "length(item.tag) DESC, old.id > 20"},
        {"action": "transform", "old_column": "id", "new_column": "list"},
        {"action": "transform", "new_column": "name", "transform_sql": TAG},
        {"action": "transform", "new_column": "place", "transform_sql": "item_number"},
        {"action": "transform", "new_column": "was", "transform_sql": "item.tag"},
    ],
    "list -> use": [
        TAKEN_APART,
        {"action": "merge", "key": ["old.id", TAG]},
        {"action": "transform", "old_column": "id", "new_column": "list"},
        {"action": "transform", "new_column": "tag", "transform_sql": TAG},
    ],
}


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    "place", ["batch.copied:2", "batch.committed:3", "batch.committed:8", "table.done:1"]
)
async def test_a_killed_run_merges_the_same_items(make_pair: MakePair, tmp_path: Path, place: str) -> None:
    """Of 901 items there are 120 words. That of `t9` is too long for an index, which nobody predicts: what is
    merged into it is rejected with it, and so are its uses.
    """
    pair = await make_pair(LISTS, TAGS)
    (tmp_path / "resolutions.json").write_text(json.dumps({"resolutions": OF_ITEMS}))
    command = ["migrate", str(pair.config(tmp_path)), "--live", "--batch-size", "150", "--jobs", "1"]
    command += ["--resolutions", str(tmp_path / "resolutions.json")]
    dying = Command.start(command, tmp_path, env={"TRANSHIP_FAILPOINT": f"{place}:kill"})
    assert (await asyncio.to_thread(dying.wait)).status == -signal.SIGKILL
    again = await asyncio.to_thread(Command.start(command, tmp_path).wait)
    assert again.status == 1, again
    items = listed()
    first: dict[str, tuple[bool, int, int]] = {}
    for n, at, word in items:
        rank = (n > 20, n, at)
        first[word.lower()] = min(first.get(word.lower(), rank), rank)
    wanted = sorted((word, n, at) for word, (_, n, at) in first.items() if word != "t9")
    assert sorted(await pair.new.fetch("SELECT name, list, place FROM tag")) == wanted
    uses = sorted({(n, word.lower()) for n, _, word in items if word.lower() != "t9"})
    assert sorted(await pair.new.fetch("SELECT list, tag FROM use")) == uses
    sums = (
        "SELECT t.new_table LIKE '%tag%', sum(read)::int, sum(written)::int, sum(rejected)::int, sum(merged)::int"
        " FROM _tranship.batch JOIN _tranship.task t USING (run, position) GROUP BY 1 ORDER BY 1"
    )
    nines = [n for n, _, word in items if word.lower() == "t9"]
    merged = len(items) - len(nines) - len(wanted)
    twice = len(items) - len({(n, word.lower()) for n, _, word in items})
    assert await pair.new.fetch(sums) == [
        (False, 901, len(uses), len(set(nines)) + _within(nines), twice - _within(nines)),
        (True, 901, len(wanted), len(nines), merged),
    ]
    survivors = told_of_items(tmp_path)
    words = {(n, at): word.lower() for n, at, word in items}
    assert len(survivors) == merged
    assert all(first[words[row]][1:] == survivor for row, survivor in survivors.items())


def told_of_items(folder: Path) -> dict[tuple[int, int], tuple[int, int]]:
    """The merged items of the words and their survivors, by list and number."""
    (file,) = folder.rglob("*migration_merged_live_*.jsonl")
    told = [json.loads(line) for line in file.read_text().splitlines()]
    return {
        (one["key"]["id"], one["item"]): (one["survivor"]["id"], one["survivor_item"])
        for one in told
        if one["flow"] == "list -> tag"
    }


def listed() -> list[tuple[int, int, str]]:
    """The words of the lists with their places, made here a second time, without a server."""
    words = (
        (n, f"T{n % 50}", *(["t9"] if n == 7 else []), f"t{n % 70}", f"X{n % 50}") for n in range(1, 301)
    )
    return [(n, place, word) for n, *some in words for place, word in enumerate(some, start=1)]


def _within(nines: list[int]) -> int:
    """Returns how often a list names the word again: merged into a use that is rejected, it is rejected."""
    return len(nines) - len(set(nines))
