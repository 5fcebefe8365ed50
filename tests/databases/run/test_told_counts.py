"""What a run tells of its rows: by which key each is named, which of them it moved itself, and how long it takes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from msgspec import UNSET

from support import MakePair
from support.runs import migrate
from tranship import api
from tranship.config import load_config
from tranship.model.options import MigrateOptions
from tranship.model.progress import Event, RowRejected

OLD = """CREATE TABLE a (id int PRIMARY KEY, n text); INSERT INTO a SELECT g, g::text FROM generate_series(1, 3) g;
    CREATE TABLE b (mail text, n text); INSERT INTO b VALUES ('x', '1'), ('y', 'bad'), ('z', 'worse'), (NULL, 'no')"""
NEW = """CREATE TABLE a (id int PRIMARY KEY, n text);
    CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail text UNIQUE, n int)"""


def decided(folder: Path, **by_mail: int) -> str:
    cases = "".join(f" WHEN '{mail}' THEN {n}" for mail, n in by_mail.items())
    bare = {"action": "transform", "old_column": "n", "new_column": "n"}
    entry = {**bare, "transform_sql": f"CASE mail{cases} ELSE n::int END"} if cases else bare
    file = folder / f"r{len(by_mail)}.json"
    file.write_text(json.dumps({"resolutions": {"b": [entry]}}))
    return str(file)


async def test_a_row_without_a_key_in_old_is_named_by_what_becomes_one(
    make_pair: MakePair, tmp_path: Path
) -> None:
    """A dry run says no places in OLD, which may be others when the rows are moved."""
    pair, events = await make_pair(OLD, NEW), list[Event]()
    await migrate(pair, tmp_path, events=events, live=False, resolutions=decided(tmp_path))
    named = [event.key for event in events if isinstance(event, RowRejected)]
    assert named == ['{"mail":"y"}', '{"mail":"z"}', ""]


async def test_a_run_tells_its_own_rows_apart(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another run's tables, and of one whose rejected rows alone it moved."""
    monkeypatch.setattr("tranship.execution.start.pace.ENOUGH_ROWS", 1)
    pair = await make_pair(OLD, NEW)
    config = load_config(pair.config(tmp_path))
    config = dataclasses.replace(config, only=("a",))
    await api.migrate(config, MigrateOptions(live=True, results_dir=str(tmp_path)))
    both = await migrate(pair, tmp_path, resolutions=decided(tmp_path))
    before = {table.table: table.rows_written_before for table in both.tables}
    assert before == {"public.a": 3, "public.b": UNSET}
    ahead = await migrate(pair, tmp_path, live=False, rejects_only=True, resolutions=decided(tmp_path, y=2))
    assert (ahead.estimated_seconds, ahead.sample) == (UNSET, UNSET), "no run of its kind tells its pace"
    later = await migrate(pair, tmp_path, rejects_only=True, resolutions=decided(tmp_path, y=2))
    (b,) = [table for table in later.tables if table.table == "public.b"]
    assert (b.rows_migrated, b.rows_written_before, b.rows_failed) == (1, UNSET, 2), "its own alone"
    ahead = await migrate(
        pair, tmp_path, live=False, rejects_only=True, resolutions=decided(tmp_path, y=2, z=3)
    )
    assert ahead.estimated_seconds is not UNSET
