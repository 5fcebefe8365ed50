"""``analyze`` says how many old rows break a new constraint, wherever OLD alone can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from tranship import api
from tranship.config import load_config

OLD = """
CREATE TABLE town (code int PRIMARY KEY, name text);
CREATE TABLE person (id int PRIMARY KEY, mail text, "born in" int, age int, nick text, size varchar(9));
INSERT INTO town SELECT n, 'town ' || n FROM generate_series(1, 5) n;
INSERT INTO person SELECT n, 'p' || n / 3, n % 7, n, CASE WHEN n < 3 THEN NULL ELSE 'n' || n END,
    'large' FROM generate_series(1, 20) n;
INSERT INTO person VALUES (21, NULL, NULL, NULL, 'n', 'large'), (22, NULL, 1, 22, 'n', 'large');
"""
NEW = """
CREATE TABLE town (code int PRIMARY KEY, name text);
CREATE TABLE person (id int PRIMARY KEY, mail text CONSTRAINT one_mail UNIQUE, "Born In" int REFERENCES town,
  age int CONSTRAINT grown CHECK (age > 17), nick text NOT NULL, size varchar(20) CHECK (length(size) > 9));
"""


async def lines(make_pair: MakePair, folder: Path, old: str, new: str) -> dict[str, list[str]]:
    """What stands below each new constraint in the report."""
    pair = await make_pair(old, new)
    analysis = await api.analyze(load_config(pair.config(folder)), results_dir=str(folder))
    assert analysis.problems == ()
    section = analysis.report.partition("NEW CONSTRAINTS")[2].partition("\n\n===")[0]
    found: dict[str, list[str]] = {}
    for line in section.splitlines():
        if "New " in line:
            name = line.partition("New ")[2]
            found[name] = []
        elif found and line.strip():
            found[name].append(line.strip())
    return found


async def test_counted(make_pair: MakePair, tmp_path: Path) -> None:
    found = await lines(make_pair, tmp_path, OLD, NEW)
    assert {
        name.partition(" ")[0]: [line for line in notes if " of OLD " in line]
        for name, notes in found.items()
        if "size" not in name
    } == {
        "NOT": ["2 rows of OLD break it"],
        "UNIQUE": ["13 rows of OLD break it"],
        "CHECK": ["17 rows of OLD break it"],
        "FOREIGN": ["5 rows of OLD break it"],
    }
    assert [notes[-1] for name, notes in found.items() if "size" in name] == ["22 rows of OLD break it"]


@pytest.mark.parametrize("change", ["CREATE TABLE person (id int PRIMARY KEY, mail text)"])
async def test_nothing_new(make_pair: MakePair, tmp_path: Path, change: str) -> None:
    assert await lines(make_pair, tmp_path, change, change) == {}
