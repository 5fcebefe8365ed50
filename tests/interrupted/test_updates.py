"""A run that updates rows of NEW's own is killed in the middle of a batch, and run again: each row is updated once,
its image is that from before the run, and a rollback leaves NEW as it was.
"""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.forked import Command
from support.runs import owned_by_a_plain_role
from tranship import api
from tranship.config import load_config

TYPES = """id int PRIMARY KEY, name text NOT NULL, tags text[], body jsonb, raw bytea, at timestamptz, amount numeric,
  span int4range"""
OLD = f"""
CREATE TABLE item ({TYPES});
INSERT INTO item SELECT g, 'old ' || g, ARRAY['a', 'b"' || g], jsonb_build_object('n', g), decode('00ff', 'hex'),
  '2024-02-03 04:05:06.789+00', g / 3.0, int4range(g, g + 5) FROM generate_series(1, 1000) g;
"""
NEW = f"""
CREATE TABLE item ({TYPES}, note text DEFAULT 'added', twice int GENERATED ALWAYS AS (id * 2) STORED,
  CHECK (name <> 'old 500'));
INSERT INTO item (id, name, tags, body, raw, at, amount, span, note)
  SELECT g, CASE WHEN g % 5 = 0 THEN 'old ' || g ELSE 'new ' || g END, ARRAY['a', 'b"' || g],
  jsonb_build_object('n', g), decode('00ff', 'hex'), '2024-02-03 04:05:06.789+00', g / 3.0, int4range(g, g + 5), 'mine'
  FROM generate_series(1, 1500) g WHERE g % 2 = 0 AND g <> 500;
INSERT INTO item (id, name, note) VALUES (500, 'five hundred', 'mine');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.note := 'touched'; RETURN NEW; END$$;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON item FOR EACH ROW EXECUTE FUNCTION touch();
"""
CONTENTS = "SELECT row_to_json(i)::text FROM item i ORDER BY id"
COUNTS = "SELECT sum(written)::int, sum(updated)::int, sum(rejected)::int FROM _tranship.batch"
RESOLUTIONS = {"resolutions": {"item": [{"action": "existing", "rows": "update"}]}}


def _expected() -> list[tuple[int, str, str]]:
    """Id, name and note of every row of NEW in the end."""
    rows = [(n, f"old {n}", "mine" if n % 2 == 0 else "added") for n in range(1, 1001)]
    rows[499] = (500, "five hundred", "mine")
    return rows + [(n, f"old {n}" if n % 5 == 0 else f"new {n}", "mine") for n in range(1002, 1501, 2)]


async def _command(make_pair: MakePair, folder: Path, *, superuser: bool) -> tuple[Pair, Path, list[str]]:
    pair = await make_pair(OLD, NEW)
    new: dict[str, Any] = {} if superuser else await owned_by_a_plain_role(pair)
    config = Path(pair.config(folder, new=new))
    (folder / "resolutions.json").write_text(json.dumps(RESOLUTIONS))
    named = ["--resolutions", str(folder / "resolutions.json")]
    return pair, config, ["migrate", str(config), *named, "--live", "--batch-size", "200", "--jobs", "2"]


@pytest.mark.thinned(3)
@pytest.mark.parametrize("superuser", [True, False])
@pytest.mark.parametrize(
    "place", ["batch.images:2", "batch.updated:1", "batch.counted:3", "batch.committed:2", "table.done:1"]
)
async def test_killed_while_rows_are_updated(
    make_pair: MakePair, tmp_path: Path, superuser: bool, place: str
) -> None:
    pair, config, command = await _command(make_pair, tmp_path, superuser=superuser)
    before = await pair.new.fetch(CONTENTS)
    dying = Command.start(command, tmp_path, env={"TRANSHIP_FAILPOINT": f"{place}:kill"})
    assert (await asyncio.to_thread(dying.wait)).status == -signal.SIGKILL
    again = await asyncio.to_thread(Command.start(command, tmp_path).wait)
    assert again.status == 1, again
    found = await pair.new.fetch("SELECT id, name, note FROM item ORDER BY id")
    assert [tuple(row) for row in found] == _expected()
    # Of 500 rows that NEW held 99 are equal, and one breaks a check.
    assert await pair.new.fetch(COUNTS) == [(500, 400, 1)]
    images = "SELECT count(*)::int, count(*) FILTER (WHERE held::json ->> 'name' ~ '^new ')::int FROM _tranship.image"
    assert await pair.new.fetch(images) == [(400, 400)]
    back = await api.rollback(load_config(config), live=True)
    assert [(t.unchanged, t.updated, t.restored) for t in back.tables] == [(500, 400, 400)]
    assert await pair.new.fetch(CONTENTS) == before


async def test_what_others_changed_since_is_left(make_pair: MakePair, tmp_path: Path) -> None:
    pair, config, command = await _command(make_pair, tmp_path, superuser=True)
    done = await asyncio.to_thread(Command.start(command, tmp_path).wait)
    assert done.status == 1, done
    await pair.new.run("UPDATE item SET amount = 7 WHERE id IN (2, 4); DELETE FROM item WHERE id = 6")
    preview = await api.rollback(load_config(config), live=False)
    assert [(t.updated, t.restored, t.left) for t in preview.tables] == [(400, 397, 3)]
    back = await api.rollback(load_config(config), live=True)
    assert [(t.updated, t.restored, t.left) for t in back.tables] == [(400, 397, 3)]
    assert back.tables[0].not_restored == ({"id": "2"}, {"id": "4"}, {"id": "6"})
    found = await pair.new.fetch("SELECT id, name, amount::int FROM item WHERE id <= 8 ORDER BY id")
    assert [tuple(row) for row in found] == [(2, "old 2", 7), (4, "old 4", 7), (8, "new 8", 3)]
