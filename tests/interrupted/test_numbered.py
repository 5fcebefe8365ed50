"""Keys that are numbered anew keep their numbers in a run that is killed, whatever others do to the sequence."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from support import MakePair
from support.forked import Command

OLD = """
CREATE TABLE p (id text PRIMARY KEY, n int);
INSERT INTO p SELECT md5(g::text), g FROM generate_series(1, 900) g;
CREATE TABLE c (id int PRIMARY KEY, p text REFERENCES p);
INSERT INTO c SELECT n, id FROM p;
"""
NEW = """
CREATE TABLE p (id serial PRIMARY KEY, n int); INSERT INTO p (n) VALUES (0);
CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p);
"""
DECISIONS = '{"resolutions": {"p": [{"action": "new_key", "column": "id", "as": "number"}]}}'


@pytest.mark.parametrize("place", ["batch.copied:2", "batch.committed:8"])
async def test_numbers_stay_over_a_kill(make_pair: MakePair, tmp_path: Path, place: str) -> None:
    pair = await make_pair(OLD, NEW)
    (tmp_path / "resolutions.json").write_text(DECISIONS)
    command = ["migrate", str(pair.config(tmp_path)), "--live", "--batch-size", "150", "--jobs", "1"]
    command += ["--resolutions", str(tmp_path / "resolutions.json")]
    dying = Command.start(command, tmp_path, env={"TRANSHIP_FAILPOINT": f"{place}:kill"})
    assert (await asyncio.to_thread(dying.wait)).status == -signal.SIGKILL
    # The run had reserved its numbers: somebody else gets the one behind them.
    assert await pair.new.value("INSERT INTO p (n) VALUES (-1) RETURNING id") == 902
    again = await asyncio.to_thread(Command.start(command, tmp_path).wait)
    # It is no row of OLD, which the verification says; everything else is as it should be.
    assert again.status == 5, again
    assert "added in public.p: id=902" in again.stdout
    rows = await pair.new.fetch("SELECT id, n FROM p WHERE n > 0 ORDER BY id")
    order = [row[0] for row in await pair.old.fetch('SELECT n FROM p ORDER BY id COLLATE "C"')]
    assert rows == [(number, n) for number, n in enumerate(order, 2)]
    assert await pair.new.value("SELECT count(*)::int FROM c JOIN p ON p.id = c.p WHERE p.n = c.id") == 900
