"""Runs that look values up by expressions are killed and run again: every row finds what it finds in a run that nobody
disturbs, and what the expressions read has to be as it was.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.foreseeing import foreseen, killed
from support.runs import migrate
from tranship.errors import Stopped
from tranship.sql import expression

OLD = """
CREATE TABLE state (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO state SELECT n, 'state ' || n FROM generate_series(1, 20) n;
CREATE TABLE sale (id int PRIMARY KEY, state int, place text, kept boolean);
INSERT INTO sale SELECT n, CASE WHEN n % 11 <> 0 THEN 1 + n % 20 END, CASE WHEN n % 40 = 7 THEN 'x' ELSE n % 8 || ' km' END,
  n % 100 <> 99 FROM generate_series(1, 1200) n;
UPDATE sale SET place = 'far' WHERE NOT kept;
"""
NEW = """
CREATE TABLE state (id int PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO state SELECT 100 - n, 'state ' || n FROM generate_series(1, 19) n;
CREATE TABLE place (kind text, km int, name text, PRIMARY KEY (kind, km));
INSERT INTO place SELECT 'km', n, 'place ' || n FROM generate_series(0, 6) n;
CREATE TABLE sale (id int PRIMARY KEY, state int REFERENCES state, place text NOT NULL);
"""
STATE = "(SELECT s.name FROM public.state AS s WHERE s.id = old.state)"
ENTRIES: list[dict[str, Any]] = [
    {"action": "filter", "where": "old.kept"},
    {"action": "ignore", "old_column": "kept"},
    {
        "action": "transform",
        "new_column": "state",
        "key_sql": STATE,
        "lookup_table": {"table": "state", "key_column": "name", "value_column": "id"},
    },
    {
        "action": "transform",
        "new_column": "place",
        "key_sql": ["'km'", "split_part(old.place, ' ', 1)::int"],
        "lookup_table": {"table": "place", "key_columns": ["kind", "km"], "value_column": "name"},
    },
]


def found(n: int) -> tuple[int, int | None, str] | None:
    """What becomes of a row; None: it is left out or rejected."""
    lost = n % 100 == 99 or n % 40 == 7 or n % 8 == 7 or (n % 11 != 0 and 1 + n % 20 == 20)
    return None if lost else (n, None if n % 11 == 0 else 100 - (1 + n % 20), f"place {n % 8}")


WANTED = [row for n in range(1, 1201) if (row := found(n)) is not None]


def decisions(folder: Path) -> str:
    """The resolutions file."""
    file = folder / "answers.json"
    file.write_text(json.dumps({"resolutions": {"state": [{"action": "drop_table"}], "sale": ENTRIES}}))
    return str(file)


async def sales(pair: Pair) -> list[tuple[Any, ...]]:
    """What NEW holds."""
    return [tuple(row) for row in await pair.new.fetch("SELECT * FROM sale ORDER BY id")]


@pytest.mark.parametrize("place", ["run.prepared", "batch.copied:3", "batch.committed:7"])
async def test_killed_and_run_again(make_pair: MakePair, tmp_path: Path, place: str) -> None:
    pair = await make_pair(OLD, NEW)
    decided = decisions(tmp_path)
    await killed(pair, tmp_path, place, "--batch-size", "100", "--resolutions", decided)
    ended = await foreseen(pair, tmp_path, resolutions=decided)
    assert ended["exit"] == 1
    assert await sales(pair) == WANTED


@pytest.mark.parametrize("side", ["old", "new"])
async def test_what_is_read_has_to_be_as_it_was(make_pair: MakePair, tmp_path: Path, side: str) -> None:
    pair = await make_pair(OLD, NEW)
    decided = decisions(tmp_path)
    await killed(pair, tmp_path, "batch.committed:3", "--batch-size", "100", "--resolutions", decided)
    await (pair.old if side == "old" else pair.new).run(
        "UPDATE state SET name = 'other' WHERE name = 'state 3'"
    )
    with pytest.raises(Stopped, match=r"public\.state"):
        await migrate(pair, tmp_path, resolutions=decided)


async def test_a_twin_that_looks_up_otherwise_the_second_time_is_caught(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    decided = decisions(tmp_path)
    await killed(pair, tmp_path, "batch.committed:3", "--batch-size", "100", "--resolutions", decided)
    values = expression.lookup_values
    monkeypatch.setattr(
        "tranship.sql.joins.lookup_values",
        lambda lookup, kept=(): tuple(f"nullif({value}::text, '3')" for value in values(lookup, kept)),
    )
    result = await migrate(pair, tmp_path, resolutions=decided)
    assert result.exit_status != 1 or await sales(pair) != WANTED


MANY = """
CREATE TABLE l (k text PRIMARY KEY, v int NOT NULL);
INSERT INTO l SELECT 'k' || g, g FROM generate_series(1, 300) g;
CREATE TABLE t (id int PRIMARY KEY, v int{null});
"""


@pytest.mark.parametrize("null", ["", " NOT NULL"])
@pytest.mark.parametrize("place", ["run.prepared", "batch.copied:2", "batch.committed:3"])
async def test_entries_that_travel_whole(make_pair: MakePair, tmp_path: Path, place: str, null: str) -> None:
    """Killed, resumed with other batches waiting, and foreseen: keys that are double, missing and NULL."""
    rows = "SELECT g, CASE WHEN g % 50 <> 0 THEN 'k' || g % 310 END FROM generate_series(1, 2000) g"
    pair = await make_pair(
        f"CREATE TABLE t (id int PRIMARY KEY, k text); INSERT INTO t {rows}", MANY.format(null=null)
    )
    entry = {
        "action": "transform",
        "old_column": "k",
        "new_column": "v",
        "lookup_table": {"table": "l", "key_column": "k", "value_column": "v"},
    }
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"resolutions": {"t": [entry]}}))
    await killed(pair, tmp_path, place, "--batch-size", "400", "--resolutions", str(file))
    ended = await foreseen(pair, tmp_path, resolutions=str(file))
    assert ended["exit"] == 1
    wanted = [(g, None if g % 50 == 0 else g % 310) for g in range(1, 2001)]
    kept = [(g, v) for g, v in wanted if (not null if v is None else 1 <= v <= 300)]
    assert await pair.new.fetch("SELECT * FROM t ORDER BY id") == kept
