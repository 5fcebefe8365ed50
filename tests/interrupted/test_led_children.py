"""A run whose children are led to rows that NEW holds under other keys is killed and run again: where they are led is
found out once, and every child refers to the same row of NEW as in a run that nobody disturbed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair
from support.foreseeing import foreseen, killed
from support.runs import migrate
from tranship import api
from tranship.config import load_config

# More rows are led than go along with every batch, and inside of one table, too.
OLD = """
CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL UNIQUE, boss int REFERENCES person);
CREATE TABLE visit (id int PRIMARY KEY, person_id int NOT NULL REFERENCES person);
INSERT INTO person SELECT g, 'p' || g, nullif(g - 1, 0) FROM generate_series(1, 5000) g;
INSERT INTO visit SELECT g, 1 + g % 5000 FROM generate_series(1, 6000) g;
"""
NEW = """
CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL UNIQUE, boss int REFERENCES person);
CREATE TABLE visit (id int PRIMARY KEY, person_id int NOT NULL REFERENCES person);
INSERT INTO person SELECT 10000 - g, 'p' || g FROM generate_series(1, 5000) g WHERE g % 5 <> 0;
INSERT INTO person VALUES (5, 'stranger');
"""
RESOLUTIONS = {
    "resolutions": {
        "person": [{"action": "existing", "key": ["name"], "rows": "keep", "repoint_children": True}]
    }
}
# OLD's person 5 finds the key taken: it and its visits are rejected, and whoever has it for a boss is kept by NEW.
VISITS = "SELECT v.id, p.name FROM visit v JOIN person p ON p.id = v.person_id ORDER BY 1"
BOSSES = "SELECT p.name, b.name FROM person p JOIN person b ON b.id = p.boss ORDER BY 1"
FOUND = [(n, f"p{1 + n % 5000}") for n in range(1, 6001) if 1 + n % 5000 != 5]
ABOVE = sorted((f"p{n}", f"p{n - 1}") for n in range(10, 5001, 5))


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    "place", ["run.prepared:1", "batch.committed:3", "table.done:1", "batch.committed:15"]
)
async def test_killed_and_run_again(make_pair: MakePair, tmp_path: Path, place: str) -> None:
    pair = await make_pair(OLD, NEW)
    before = await pair.new.fetch("SELECT * FROM person ORDER BY id")
    decided = tmp_path / "resolutions.json"
    decided.write_text(json.dumps(RESOLUTIONS))
    await killed(pair, tmp_path, place, "--batch-size", "300", "--resolutions", str(decided))
    ended = await foreseen(pair, tmp_path, resolutions=str(decided))
    assert ended["exit"] == 1
    assert [tuple(row) for row in await pair.new.fetch(VISITS)] == FOUND
    assert [tuple(row) for row in await pair.new.fetch(BOSSES)] == ABOVE
    await api.rollback(load_config(pair.config(tmp_path)), live=True)
    assert await pair.new.fetch("SELECT * FROM person ORDER BY id") == before
    assert await pair.new.fetch("SELECT * FROM visit") == []


async def test_children_of_a_table_that_is_finished(make_pair: MakePair, tmp_path: Path) -> None:
    """A later run leads by what the earlier one found out: by then NEW holds all rows."""
    pair = await make_pair(OLD, NEW + "DROP TABLE visit;")
    decided = tmp_path / "resolutions.json"
    alone = {"visit": [{"action": "drop_table", "because": "later"}]}
    decided.write_text(json.dumps({"resolutions": {**RESOLUTIONS["resolutions"], **alone}}))
    await migrate(pair, tmp_path, live=True, resolutions=str(decided))
    await pair.new.run("CREATE TABLE visit (id int PRIMARY KEY, person_id int NOT NULL REFERENCES person)")
    decided.write_text(json.dumps(RESOLUTIONS))
    await migrate(pair, tmp_path, live=True, resolutions=str(decided))
    assert [tuple(row) for row in await pair.new.fetch(VISITS)] == FOUND
