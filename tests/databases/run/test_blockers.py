"""A switch that has to wait for somebody's lock names him, and gets through once he is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support import Pair
from tranship import api
from tranship.config import load_config
from tranship.model.notes import LockBlocked
from tranship.model.options import MigrateOptions
from tranship.model.progress import Event, Noted, TableStarted
from tranship.report.notes import words

OLD = (
    "CREATE TABLE t (id integer PRIMARY KEY, v text);"
    " INSERT INTO t SELECT g, 'x' FROM generate_series(1, 10) g;"
)
NEW = """
CREATE TABLE t (id integer PRIMARY KEY, v text);
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.v := upper(NEW.v); RETURN NEW; END$$;
CREATE TRIGGER shout BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION shout();
ALTER TABLE t ENABLE ALWAYS TRIGGER shout;
"""


async def test_the_holder_of_a_lock_is_named(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pair.old.run(OLD)
    await pair.new.run(NEW)
    monkeypatch.setenv("TRANSHIP_FAILPOINT", "switches.before:sleep=3")
    told: list[str] = []
    asked, named = asyncio.Event(), asyncio.Event()

    def hear(event: Event) -> None:
        if isinstance(event, TableStarted):
            asked.set()
        if isinstance(event, Noted) and isinstance(event.what, LockBlocked):
            told.append(words(event.what))
            named.set()

    options = MigrateOptions(live=True, results_dir=str(tmp_path))
    running = asyncio.create_task(api.migrate(load_config(pair.config(tmp_path)), options, hear))
    async with pair.new.connect(server_settings={"application_name": "nightly report"}) as blocker:
        await asyncio.wait_for(asked.wait(), 60)
        holding = blocker.transaction()
        await holding.start()
        await blocker.execute("LOCK TABLE t IN SHARE MODE")
        await asyncio.wait_for(named.wait(), 60)
        await holding.rollback()
    result, _ = await running
    assert "nightly report" in told[0]
    assert result.exit_status == 0
    assert await pair.new.fetch(
        "SELECT DISTINCT v, (SELECT tgenabled::text FROM pg_trigger WHERE tgname = 'shout') FROM t"
    ) == [("x", "A")]
