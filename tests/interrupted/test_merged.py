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
