"""Rows that NEW held are found together, or one by one where the client has to write them: both say the same of
every row. NEW in LATIN1 is asked one by one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair
from support.runs import migrate

# A row of each kind: equal, differing in a column that may be set and in one that may not, found twice, one that
# raises in OLD and one that NEW does not read, and rows that NEW lacks.
OLD = """
CREATE TABLE thing (id int PRIMARY KEY, name text, size text, code int, at timestamptz, div int, quoted text);
INSERT INTO thing SELECT g, 'thing ' || g, g::text, g, '2024-02-03 04:05:06+00', 1, 'q"\\' || chr(9) || g
  FROM generate_series(1, 40) g;
UPDATE thing SET size = 'large' WHERE id IN (7, 8);
UPDATE thing SET div = 0 WHERE id IN (9, 39);
UPDATE thing SET code = 1000 WHERE id IN (10, 11);
UPDATE thing SET name = 'THING 12' WHERE id = 13;
UPDATE thing SET name = 'THING 14' WHERE id IN (12, 15);
UPDATE thing SET quoted = NULL WHERE id % 7 = 0;
CREATE TABLE part (id int PRIMARY KEY, thing int REFERENCES thing);
INSERT INTO part SELECT g, g FROM generate_series(1, 40) g;
"""
NEW = """
CREATE TABLE thing (id int PRIMARY KEY, name text NOT NULL, size int, code int UNIQUE, at timestamptz, div int, quoted text);
CREATE UNIQUE INDEX ON thing (lower(name));
INSERT INTO thing SELECT {id}, 'thing ' || g, g + g % 2, g, '2024-02-03 04:05:06+00', 1, 'q"\\' || chr(9) || g
  FROM generate_series(1, 30) g;
UPDATE thing SET quoted = NULL WHERE name ~ '[74]$';
CREATE TABLE code (code int REFERENCES thing (code));
CREATE TABLE part (id int PRIMARY KEY, thing int REFERENCES thing);
"""
NAME = {"action": "transform", "new_column": "name", "old_column": "name", "transform_sql": "lower(old.name)"}
SIZE = {"action": "transform", "new_column": "size", "old_column": "size"}
DIVIDED = {"action": "transform", "new_column": "div", "old_column": "div", "transform_sql": "1 / old.div"}


def _outcome(table: Any) -> tuple[object, ...]:
    counts = (
        table.rows_migrated,
        table.rows_failed,
        table.rows_already_there,
        table.rows_kept,
        table.rows_updated,
    )
    return table.table, counts, table.causes


@pytest.mark.parametrize("rows", ["update", "same", "keep", "reject"])
@pytest.mark.parametrize("other_ids", [False, True])
async def test_both_ways_say_the_same(
    make_pair: MakePair, tmp_path: Path, rows: str, *, other_ids: bool
) -> None:
    existing = {"action": "existing", "key": ["name"], "rows": rows, "repoint_children": True}
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps({"resolutions": {"thing": [existing, NAME, SIZE, DIVIDED]}}))
    new = NEW.format(id="100 + g" if other_ids else "g")
    found = []
    for encoding in ("UTF8", "LATIN1"):
        pair = await make_pair(OLD, new, encodings=("UTF8", encoding))
        folder = tmp_path / encoding
        folder.mkdir()
        for live in (False, True):
            result = await migrate(pair, folder, resolutions=str(path), live=live, batch_size=8)
            assert result.exit_status == 1, result
            found.append([_outcome(table) for table in result.tables])
        lines = (folder / Path(result.rejects_file).name).read_text().splitlines()
        found.append(sorted(lines))
        things = await pair.new.fetch("SELECT row_to_json(t)::text FROM thing t ORDER BY id")
        found.append([*things, *await pair.new.fetch("SELECT * FROM part ORDER BY 1")])
    dry, live_run, rejects, contents = found[:4]
    assert [dry, live_run, rejects, contents] == found[4:]
    assert dry == live_run
    assert len(rejects) > 5
