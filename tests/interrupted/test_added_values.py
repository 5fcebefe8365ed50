"""Runs that add values to lookup tables are killed and run again: each value is added once, and every row refers to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.foreseeing import foreseen, killed
from support.runs import migrate
from tranship import api
from tranship.analysis import added_values
from tranship.config import load_config
from tranship.errors import Refused

OLD = """
CREATE TABLE sale (id int PRIMARY KEY, city text);
INSERT INTO sale SELECT n, CASE WHEN n % 9 <> 0 THEN 'city ' || n * 7 % 211 END FROM generate_series(1, 800) n;
CREATE TABLE shop (id int PRIMARY KEY, city text);
INSERT INTO shop SELECT n, 'city ' || n * 5 % 230 FROM generate_series(1, 300) n;
"""
NEW = """
CREATE TABLE city (id serial PRIMARY KEY, name text NOT NULL UNIQUE CHECK (name <> 'city 13'));
INSERT INTO city (name) SELECT 'city ' || n FROM generate_series(0, 40, 4) n;
CREATE TABLE sale (id int PRIMARY KEY, city_id int REFERENCES city);
CREATE TABLE shop (id int PRIMARY KEY, city_id int NOT NULL REFERENCES city);
"""
ENTRY: dict[str, Any] = {
    "action": "transform",
    "old_column": "city",
    "new_column": "city_id",
    "lookup_table": {"table": "city", "key_column": "name", "value_column": "id", "add_missing": True},
}
SALES = "SELECT s.id, c.name FROM sale s LEFT JOIN city c ON c.id = s.city_id ORDER BY 1"
SHOPS = "SELECT s.id, c.name FROM shop s LEFT JOIN city c ON c.id = s.city_id ORDER BY 1"
CITIES = "SELECT name FROM city ORDER BY name"


def named(rows: range, factor: int, among: int, *, some_without: bool) -> list[tuple[int, str | None]]:
    """The rows that arrive, with the city that each names."""
    cities = [(n, f"city {n * factor % among}" if not some_without or n % 9 else None) for n in rows]
    return [(n, city) for n, city in cities if city != "city 13"]


WANTED = {
    SALES: named(range(1, 801), 7, 211, some_without=True),
    SHOPS: named(range(1, 301), 5, 230, some_without=False),
}


def decisions(folder: Path) -> str:
    """The resolutions file."""
    file = folder / "answers.json"
    file.write_text(json.dumps({"resolutions": {"sale": [ENTRY], "shop": [ENTRY]}}))
    return str(file)


async def end_of(pair: Pair) -> dict[str, list[tuple[Any, ...]]]:
    """What the rows of NEW refer to."""
    return {query: [tuple(row) for row in await pair.new.fetch(query)] for query in WANTED}


@pytest.mark.parametrize("place", ["run.prepared", "batch.copied:1", "table.done:1", "batch.committed:4"])
async def test_killed_and_run_again(make_pair: MakePair, tmp_path: Path, place: str) -> None:
    pair = await make_pair(OLD, NEW)
    before = await pair.new.fetch(CITIES)
    decided = decisions(tmp_path)
    await killed(pair, tmp_path, place, "--batch-size", "100", "--resolutions", decided)
    ended = await foreseen(pair, tmp_path, resolutions=decided)
    assert ended["exit"] == 1
    assert await end_of(pair) == WANTED
    cities = {city for rows in WANTED.values() for _, city in rows if city is not None}
    cities |= {row[0] for row in before}
    assert [row[0] for row in await pair.new.fetch(CITIES)] == sorted(cities)
    await api.rollback(load_config(pair.config(tmp_path)), live=True)
    assert await pair.new.fetch(CITIES) == before


async def test_a_twin_that_adds_a_value_twice_is_refused(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    distinct = added_values.distinct_values
    monkeypatch.setattr(
        added_values,
        "distinct_values",
        lambda readers: distinct(readers).replace("SELECT DISTINCT", "SELECT"),
    )
    with pytest.raises(Refused):
        await migrate(pair, tmp_path, resolutions=decisions(tmp_path))
