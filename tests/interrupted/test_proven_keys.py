"""The connection is lost while rows whose parent is gone are taken out of NEW:
nobody takes them for somebody else's, and each is rejected once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from support import MakePair
from support.observe import Observe
from support.runs import migrate
from tranship.errors import Stopped
from tranship.execution.copying import orphans
from tranship.execution.resilience import retry as retrying

OLD = """
CREATE TABLE town (id int PRIMARY KEY); INSERT INTO town SELECT generate_series(1, 5);
CREATE TABLE person (id int PRIMARY KEY, town int REFERENCES town);
INSERT INTO person SELECT n, n % 5 + 1 FROM generate_series(1, 50) n;
"""
NEW = """
CREATE TABLE town (id int PRIMARY KEY); CREATE TABLE person (id int PRIMARY KEY, town int REFERENCES town);
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'a trigger fired'; END$$;
CREATE TRIGGER never BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION never();
"""
GONE = "SET session_replication_role = replica; DELETE FROM town WHERE id = 3"


@pytest.mark.parametrize("committed", [False, True])
async def test_lost_while_orphans_are_taken_out(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, observe: Observe, committed: bool
) -> None:
    pair = await make_pair(OLD, NEW)
    passes, take_out = list[str](), orphans._reject if committed else orphans._move_out
    lost: list[bool] = []

    async def deleting(name: str) -> None:
        if name == "batch.committed":
            passes.append(name)
            if len(passes) == 2:
                await pair.new.run(GONE)

    async def losing(*given: Any) -> Any:
        found = await take_out(*given)
        if not lost:
            lost.append(True)
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return found

    observe(deleting)
    monkeypatch.setattr(orphans, "_reject" if committed else "_move_out", losing)
    monkeypatch.setattr(retrying, "FIRST", 0.001)
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path)
    assert lost
    # The town that somebody deleted is a row of the run: it does not end well before it is back.
    assert stopped.value.code == "TS430"
    await pair.new.run("INSERT INTO town VALUES (3)")
    result = await migrate(pair, tmp_path)
    assert (result.exit_status, result.stats.rows_migrated, result.stats.rows_failed) == (1, 45, 10)
    assert await pair.new.fetch(
        "SELECT count(*)::int, count(*) FILTER (WHERE town = 3)::int FROM person"
    ) == [(40, 0)]
    assert await pair.new.fetch(
        "SELECT count(*)::int, count(DISTINCT (page, line))::int FROM _tranship.reject"
    ) == [(10, 10)]
