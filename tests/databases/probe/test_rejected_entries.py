"""Rows whose lookup finds no entry because the entry's own row is rejected, beside rows without any entry."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair
from support.runs import migrate

LONG = "L" * 40
CITIES = f"""CREATE TABLE city (id int PRIMARY KEY, land text, name text, people text);
    INSERT INTO city VALUES (1, 'it', 'Rome', '3'), (2, 'no', 'Oslo', 'some'), (3, 'de', '{LONG}', '5');
    CREATE TABLE shop (id int PRIMARY KEY, land char(4), town text);
    INSERT INTO shop VALUES (1, 'it', 'Rome'), (2, 'no', 'Oslo'), (3, 'no', 'Oslo'), (4, 'xx', 'Nowhere'),
      (5, 'de', '{LONG}'), (6, NULL, NULL), (7, 'it', 'Oslo')"""
MADE = """CREATE TABLE city (id int PRIMARY KEY, land text, name varchar(30), people int);
    CREATE TABLE shop (id int PRIMARY KEY, city_id int)"""
BARE = [{"action": "transform", "old_column": c, "new_column": c} for c in ("name", "people")]


def left(column: str) -> dict[str, object]:
    return {"action": "ignore", "old_column": column}


ONE = {"table": "city", "key_column": "name", "value_column": "id"}
TWO = {"table": "city", "key_columns": ["land", "name"], "value_column": "id"}
KEYS: dict[str, tuple[list[dict[str, object]], dict[str, int]]] = {
    "a column": (
        [{"old_column": "town", "lookup_table": ONE}, left("land")],
        {"LookupRejected": 4, "LookupGap": 1},
    ),
    "an expression": (
        [{"key_sql": "trim(old.town)", "lookup_table": ONE}, left("land")],
        {"LookupRejected": 4, "LookupGap": 1},
    ),
    "two columns": (
        [{"old_columns": ["land", "town"], "lookup_table": TWO}],
        {"LookupRejected": 3, "LookupGap": 2},
    ),
}


def causes(done: Any) -> set[tuple[str, str, int, bool]]:
    return {(t.label, c.what, c.rows, c.consequence) for t in done.tables for c in t.causes}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("batch_rows", [1, 1000])
async def test_a_rejected_entry_is_no_cause_of_its_own(
    make_pair: MakePair, tmp_path: Path, key: str, batch_rows: int
) -> None:
    """Two entries are rejected, one of them because of its key itself: too long a name."""
    (first, *others), expected = KEYS[key]
    entries = [{"action": "transform", "new_column": "city_id", **first}, *others]
    pair = await make_pair(CITIES, MADE)
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"city": BARE, "shop": entries}}))
    for live in (False, True):
        done = await migrate(
            pair, tmp_path, live=live, resolutions=str(tmp_path / "r.json"), batch_size=batch_rows
        )
        told = {(what, rows, gone) for label, what, rows, gone in causes(done) if label == "public.shop"}
        assert told == {(what, rows, what == "LookupRejected") for what, rows in expected.items()}
    words = await asyncio.to_thread(Path(done.rejects_file).read_text)
    assert "no entry in lookup table public.city for name = 'Nowhere'\"" in words or key == "two columns"
    assert "because its row was rejected" in words


async def test_a_value_that_the_run_adds_may_be_rejected(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE shop (id int PRIMARY KEY, town text);"
        " INSERT INTO shop VALUES (1, 'Rome'), (2, ''), (3, 'Oslo'), (4, '')",
        "CREATE TABLE city (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE CHECK (name <> ''));"
        " CREATE TABLE shop (id int PRIMARY KEY, city_id int REFERENCES city)",
    )
    table = {"table": "city", "key_column": "name", "value_column": "id", "add_missing": True}
    entry = {"action": "transform", "old_column": "town", "new_column": "city_id", "lookup_table": table}
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"shop": [entry]}}))
    assert causes(await migrate(pair, tmp_path, resolutions=str(tmp_path / "r.json"))) == {
        ("values looked up -> city", "CheckViolated", 1, False),
        ("public.shop", "LookupRejected", 2, True),
    }
