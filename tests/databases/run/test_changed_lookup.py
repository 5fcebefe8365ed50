"""A lookup that somebody changes during the run stops it: no table is translated half by one content
and half by another.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from support import Pair
from tranship import api
from tranship.config import load_config
from tranship.errors import Stopped
from tranship.model.options import MigrateOptions
from tranship.model.progress import BatchDone, Event

OLD = (
    "CREATE TABLE t (id integer PRIMARY KEY, k text);"
    " INSERT INTO t SELECT g, 'a' FROM generate_series(1, 40) g;"
)
NEW = (
    "CREATE TABLE l (k text PRIMARY KEY, v integer); INSERT INTO l VALUES ('a', 1),"
    " ('b', 2); CREATE TABLE t (id integer PRIMARY KEY, v integer);"
)
LOOKUP = {"table": "l", "key_column": "k", "value_column": "v"}


async def test_a_lookup_that_changes_stops_the_run(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pair.old.run(OLD)
    await pair.new.run(NEW)
    decisions = tmp_path / "resolutions.json"
    entry = {"old_column": "k", "new_column": "v", "action": "transform", "lookup_table": LOOKUP}
    decisions.write_text(json.dumps({"resolutions": {"t": [entry]}}), encoding="utf-8")
    config = load_config(pair.config(tmp_path))
    options = MigrateOptions(
        live=True, results_dir=str(tmp_path), resolutions=str(decisions), batch_size=10, jobs=1
    )
    changing: list[asyncio.Task[None]] = []

    def hear(event: Event) -> None:
        if isinstance(event, BatchDone) and not changing:
            changing.append(asyncio.create_task(pair.new.run("UPDATE l SET v = 3 WHERE k = 'b'")))

    monkeypatch.setenv("TRANSHIP_FAILPOINT", "batch.copied:2:sleep=2")
    with pytest.raises(Stopped) as stopped:
        await api.migrate(config, options, hear)
    assert stopped.value.code == "TS423"
    await changing[0]
    monkeypatch.delenv("TRANSHIP_FAILPOINT")
    with pytest.raises(Stopped) as still:
        await api.migrate(config, options)
    assert still.value.code == "TS423"
    await pair.new.run("UPDATE l SET v = 2 WHERE k = 'b'")
    result, _ = await api.migrate(config, options)
    assert result.exit_status == 0
    assert await pair.new.fetch("SELECT v, count(*) FROM t GROUP BY v") == [(1, 40)]


async def test_a_lookup_on_old_that_changes_between_two_snapshots(pair: Pair, tmp_path: Path) -> None:
    """It is no table of the run, so that no proof of unwritten tables covers it."""
    await pair.old.run(
        f"{OLD} CREATE TABLE l (k text PRIMARY KEY, v integer); INSERT INTO l VALUES ('a', 1);"
    )
    await pair.new.run("CREATE TABLE t (id integer PRIMARY KEY, v integer)")
    decisions = tmp_path / "resolutions.json"
    entry = {
        "old_column": "k",
        "new_column": "v",
        "action": "transform",
        "lookup_table": {**LOOKUP, "database": "old"},
    }
    decisions.write_text(json.dumps({"resolutions": {"t": [entry]}}), encoding="utf-8")
    config = load_config(pair.config(tmp_path, tables=["t"]))
    options = MigrateOptions(
        live=True, results_dir=str(tmp_path), resolutions=str(decisions), batch_size=10, jobs=1
    )
    stop = asyncio.Event()
    with pytest.raises(Stopped):
        await api.migrate(
            config, options, lambda event: stop.set() if isinstance(event, BatchDone) else None, stop
        )
    await pair.old.run("UPDATE l SET v = 3")
    with pytest.raises(Stopped) as stopped:
        await api.migrate(config, options)
    assert stopped.value.code == "TS423"
    await pair.old.run("UPDATE l SET v = 1")
    assert (await api.migrate(config, options))[0].exit_status == 0
    assert await pair.new.fetch("SELECT v, count(*) FROM t GROUP BY v") == [(1, 40)]
