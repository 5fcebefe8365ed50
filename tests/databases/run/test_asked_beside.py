"""Rows that NEW refuses by themselves are found while others are copied, and are those of the dry run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.portions import UNCOUNTED
from support.runs import interrupted, migrate
from tranship.execution.copying import count_ahead
from tranship.execution.copying.tables import Mover
from tranship.model.names import TableName
from tranship.model.progress import Event, TableStarted

OLD = """
CREATE TABLE code (id integer PRIMARY KEY, name text UNIQUE);
INSERT INTO code SELECT n, 'c' || n FROM generate_series(0, 96) n WHERE n <> 5;
CREATE TABLE kind (id integer PRIMARY KEY, name text UNIQUE);
INSERT INTO kind SELECT n, 'k' || n FROM generate_series(1, 5) n;
CREATE TABLE t (id integer PRIMARY KEY, kind integer REFERENCES kind, state text, size integer, share text, number text,
  code text);
INSERT INTO t SELECT n, 1 + n % 5, CASE WHEN n % 37 > 0 THEN 'on' ELSE 'odd' END, n % 401 - 1,
  CASE WHEN n % 211 > 0 THEN 'w' END, CASE WHEN n % 307 > 0 THEN n::text ELSE 'many' END,
  'c' || n % 97
FROM generate_series(1, 6000) n;
"""
NEW = """
CREATE TABLE kind (id integer PRIMARY KEY, name text UNIQUE);
CREATE TABLE t (id bigint PRIMARY KEY, kind integer REFERENCES kind, state integer, size integer CHECK (size >= 0),
  share text NOT NULL, number integer, tenth integer, code_id integer);
"""
DECIDED = {
    "code": [{"action": "drop_table"}],
    "t -> t": [
        {
            "action": "transform",
            "new_column": "state",
            "old_column": "state",
            "value_mapping": {"on": "1", "off": "2"},
        },
        {"action": "transform", "new_column": "number", "old_column": "number"},
        {
            "action": "transform",
            "new_column": "code_id",
            "old_column": "code",
            "lookup_table": {"table": "code", "key_column": "name", "value_column": "id", "database": "old"},
        },
        {"action": "transform", "new_column": "tenth", "transform_sql": "10 / (old.id % 503)"},
    ],
}

pytestmark = pytest.mark.usefixtures("small_portions")


def decided(folder: Path, *taken: str) -> str:
    """The file with the decisions; ``taken``: further columns that are converted."""
    path = folder / "decided.json"
    more = [{"action": "transform", "new_column": name, "old_column": name} for name in taken]
    path.write_text(json.dumps({"resolutions": {**DECIDED, "t -> t": [*DECIDED["t -> t"], *more]}}))
    return str(path)


def rejected(folder: Path) -> dict[str, Any]:
    """The rejected rows of the latest run in a folder, by table and key, with their reasons."""
    latest = max(folder.glob("migration_rejects_*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    lines = [json.loads(line) for line in latest.read_text().splitlines()]
    return {f"{line['table']} {line['key']}": (line["sqlstate"], line["reason"]) for line in lines}


async def foretold(pair: Pair, folder: Path, *taken: str) -> tuple[Any, dict[str, Any]]:
    """The result of a dry run, which asks every row first, and the rows that it says NEW refuses."""
    dry = folder / "dry"
    dry.mkdir()
    decisions = decided(folder, *taken)
    result = await migrate(pair, dry, live=False, resolutions=decisions, all_rejects=True)
    return result, rejected(dry)


async def test_rows_are_asked_while_others_are_copied(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    _, told = await foretold(pair, tmp_path)
    committed = asyncio.Event()
    asked = 0

    @observe
    async def asking_waits(name: str) -> None:
        nonlocal asked
        asked += name == "count.asked"
        if name == "batch.committed":
            committed.set()
        if name == "count.asked":
            await committed.wait()

    result = await migrate(pair, tmp_path, batch_size=300, resolutions=decided(tmp_path))
    assert asked > 3
    assert {reason[0] for reason in told.values()} == {"22012", "22P02", "23502", "23514", "22023"}
    assert rejected(tmp_path) == told
    assert result.stats.rows_failed == len(told)
    assert result.exit_status == 1
    assert await pair.new.value("SELECT count(*)::int FROM t") == 6000 - len(told)


@pytest.mark.parametrize("place", ["count.asked", "count.journalled", "batch.committed"])
@pytest.mark.usefixtures("quiet")
async def test_an_interrupted_run_asks_the_rest(
    make_pair: MakePair, tmp_path: Path, observe: Observe, place: str
) -> None:
    pair = await make_pair(OLD, NEW)
    _, told = await foretold(pair, tmp_path)
    options = {"resolutions": decided(tmp_path), "all_rejects": True}
    await interrupted(pair, tmp_path, observe, place, passage=4, batch_size=300, **options)
    assert await pair.new.value(UNCOUNTED) == 1
    again = tmp_path / "again"
    again.mkdir()
    await migrate(pair, again, batch_size=300, live=False, **options)
    assert rejected(again) == told
    assert (await migrate(pair, tmp_path, batch_size=700, **options)).exit_status == 1
    assert rejected(tmp_path) == told
    assert await pair.new.value("SELECT count(*)::int FROM t") == 6000 - len(told)


T = TableName("public", "t")
LEADING = {
    "its parent is rejected": ("", "ALTER TABLE kind ADD CHECK (id <> 3)"),
    "others refer to it": (
        "CREATE TABLE child (id integer PRIMARY KEY, t integer REFERENCES t);"
        " INSERT INTO child SELECT n, n FROM generate_series(1, 6000, 13) n",
        "CREATE TABLE child (id integer PRIMARY KEY, t bigint REFERENCES t)",
    ),
    "it has a new key": ("", "ALTER TABLE t ADD UNIQUE (number)"),
    "a conversion drops something": (
        "ALTER TABLE t ADD x numeric DEFAULT 1.25",
        "ALTER TABLE t ADD x numeric(9, 1)",
    ),
    "an index has a key without bound": ("", "CREATE INDEX ON t (share)"),
}


@pytest.mark.parametrize("why", LEADING)
async def test_rejects_that_lead_to_others_are_found_first(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """Else a row would be rejected for another reason than in the dry run, or a row would lack its parent. All
    rows have been asked then, and none is asked again.
    """

    async def never(*of: object) -> None:
        raise AssertionError(of)

    monkeypatch.setattr(count_ahead, "rows_refused", never)
    old, new = LEADING[why]
    pair = await make_pair(f"{OLD}; {old}", f"{NEW}; {new}")
    taken = ["x"] if "ADD x" in new else []
    dry, told = await foretold(pair, tmp_path, *taken)
    events: list[Event] = []
    options = {"resolutions": decided(tmp_path, *taken), "all_rejects": True}
    result = await migrate(pair, tmp_path, batch_size=300, events=events, **options)
    assert rejected(tmp_path) == told
    assert result.stats.rows_failed == len(told)
    losses = [table.losses for table in result.tables]
    assert losses == [table.losses for table in dry.tables]
    assert any(losses) == bool(taken)
    counts = [event for event in events if isinstance(event, TableStarted) and event.flow.old == T]
    # Rejects of parents are known before; all the others here wait for a question about the whole table.
    assert (len(counts) > 3) == (why == "its parent is rejected")


async def test_other_tables_are_not_asked_again(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rejects that are found ahead of the copy are none that the copy found: those would be asked about."""
    later = "CREATE TABLE z (id integer PRIMARY KEY, t integer)"
    pair = await make_pair(f"{OLD}; {later}; INSERT INTO z SELECT n, n FROM generate_series(1, 900) n", NEW)
    await pair.new.run(f"{later}; ALTER TABLE z ADD UNIQUE (t)")

    async def never(self: Mover, tasks: object) -> None:
        raise AssertionError(tasks)

    monkeypatch.setattr(Mover, "_probe_again", never)
    result = await migrate(pair, tmp_path, batch_size=300, resolutions=decided(tmp_path))
    assert result.exit_status == 1
