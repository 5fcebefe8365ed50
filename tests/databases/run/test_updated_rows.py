"""Rows of NEW's own that get OLD's values: what NEW refuses only then, through the session's table and, for a
role that may make none, as JSON.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate, owned_by_a_plain_role
from tranship import api
from tranship.config import load_config

OLD = """
CREATE TABLE item (id int PRIMARY KEY, name varchar(9), body jsonb, tags text[], at timestamptz, price numeric);
INSERT INTO item SELECT g, 'old ' || g, jsonb_build_object('n', g), ARRAY['a', 'b"' || g, NULL],
  '2024-02-03 04:05:06.789+00', g / 3.0 FROM generate_series(1, 60) g;
"""
# The data checks leave a function alone that reads a table which the run fills.
NEW = """
CREATE TABLE item (id bigint PRIMARY KEY, name varchar(9), body jsonb, tags text[], at timestamptz, price numeric);
INSERT INTO item (id, name) SELECT g, 'new ' || g FROM generate_series(1, 60) g WHERE g <> 50;
CREATE FUNCTION allowed(name text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN
  PERFORM FROM item WHERE false; RETURN name NOT IN ('old 7', 'old 20'); END$$;
ALTER TABLE item ADD CHECK (allowed(name));
"""
CONTENTS = "SELECT row_to_json(i)::text FROM item i ORDER BY id"


def decisions(folder: Path, *more: dict[str, str]) -> str:
    """The file with the decision that OLD's values win."""
    path = folder / "decisions.json"
    path.write_text(json.dumps({"resolutions": {"item": [{"action": "existing", "rows": "update"}, *more]}}))
    return str(path)


async def _role(pair: Pair, *, staged: bool) -> dict[str, object]:
    """A role that may make temporary tables, or may not."""
    if not staged:
        await pair.new.run(f'REVOKE TEMPORARY ON DATABASE "{pair.new.name}" FROM PUBLIC')
    return await owned_by_a_plain_role(pair)


@pytest.mark.parametrize("staged", [True, False])
async def test_rows_that_new_refuses_while_they_are_updated(
    make_pair: MakePair, tmp_path: Path, observe: Observe, *, staged: bool
) -> None:
    pair = await make_pair(OLD, NEW)
    new = await _role(pair, staged=staged)
    gone = observe.once("run.prepared", lambda: pair.new.run("DELETE FROM item WHERE id = 30"))
    result = await migrate(pair, tmp_path, resolutions=decisions(tmp_path), new=new)
    assert gone
    (table,) = result.tables
    counts = (table.rows_read, table.rows_migrated, table.rows_failed, table.rows_updated)
    assert (result.exit_status, *counts) == (1, 60, 1, 3, 56), result
    rejects = await pair.new.fetch("SELECT old_key::text, sqlstate FROM _tranship.reject ORDER BY page, line")
    assert [(bytes.fromhex(key[2:]).decode(), state) for key, state in rejects] == [
        ('{"id": 7}', "23514"),
        ('{"id": 20}', "23514"),
        ('{"id": 30}', "02000"),
    ]
    copied = "SELECT id, name, body, tags, at, price FROM item WHERE id NOT IN (7, 20, 30) ORDER BY id"
    assert await pair.new.fetch(copied) == await pair.old.fetch(copied)
    kept = await pair.new.fetch("SELECT name FROM item WHERE id IN (7, 20) ORDER BY id")
    assert [name for (name,) in kept] == ["new 7", "new 20"]
    assert await pair.new.fetch("SELECT count(*)::int FROM _tranship.image") == [(56,)]


@pytest.mark.parametrize("staged", [True, False])
async def test_the_images_bring_the_rows_back(make_pair: MakePair, tmp_path: Path, *, staged: bool) -> None:
    pair = await make_pair(OLD, NEW)
    new = await _role(pair, staged=staged)
    before = await pair.new.fetch(CONTENTS)
    await migrate(pair, tmp_path, resolutions=decisions(tmp_path), new=new)
    back = await api.rollback(load_config(Path(pair.config(tmp_path, new=new))), live=True)
    assert [(table.updated, table.restored) for table in back.tables] == [(57, 57)]
    assert await pair.new.fetch(CONTENTS) == before


@pytest.mark.parametrize("staged", [True, False])
async def test_items_and_rows_of_a_query_update_as_well(
    make_pair: MakePair, tmp_path: Path, *, staged: bool
) -> None:
    """Their places in the journal are no ctids alone."""
    old = "CREATE TABLE src (id int PRIMARY KEY, tags text);" + (
        "INSERT INTO src SELECT g, 'x' || g || ',y' || g FROM generate_series(1, 20) g"
    )
    held = "generate_series(1, 20) g"
    pair = await make_pair(
        old,
        f"""
        CREATE TABLE tag (src int, n int, tag text, PRIMARY KEY (src, n));
        INSERT INTO tag SELECT g, n, 'mine' FROM {held}, generate_series(1, 2) n WHERE g % 3 > 0;
        CREATE TABLE total (src int PRIMARY KEY, chars bigint);
        INSERT INTO total SELECT g, 0 FROM {held} WHERE g % 2 > 0;
        """,
    )
    new = await _role(pair, staged=staged)
    split = "string_to_table(old.tags, ',') WITH ORDINALITY AS item(tag, n)"
    path = tmp_path / "decisions.json"
    sums = "SELECT s.id AS src, length(s.tags)::bigint AS chars FROM public.src AS s"
    entries = {
        "src -> tag": [
            {"action": "rows", "from": split},
            {"action": "existing", "rows": "update"},
            {"action": "transform", "old_column": "id", "new_column": "src"},
            {"action": "transform", "new_column": "n", "transform_sql": "item_number"},
            {"action": "transform", "new_column": "tag", "transform_sql": "item.tag"},
        ],
        "sums -> total": [
            {"action": "query", "key": ["src"], "sql": sums},
            {"action": "existing", "rows": "update"},
        ],
    }
    path.write_text(json.dumps({"resolutions": entries}))
    result = await migrate(pair, tmp_path, resolutions=str(path), new=new)
    assert result.exit_status == 0, result
    assert {t.new_table: (t.rows_migrated, t.rows_updated) for t in result.tables} == {
        "public.tag": (12, 28),
        "public.total": (10, 10),
    }
    tags = "SELECT id, n::int, t FROM src, unnest(string_to_array(tags, ',')) WITH ORDINALITY AS i(t, n) ORDER BY 1, 2"
    assert await pair.new.fetch("SELECT * FROM tag ORDER BY 1, 2") == await pair.old.fetch(tags)
    assert await pair.new.fetch("SELECT * FROM total ORDER BY 1") == await pair.old.fetch(
        sums + " ORDER BY 1"
    )
    images = "SELECT count(*) FILTER (WHERE item > 0)::int, count(*) FILTER (WHERE key <> '')::int FROM _tranship.image"
    assert await pair.new.fetch(images) == [(28, 10)]
    back = await api.rollback(load_config(Path(pair.config(tmp_path, new=new))), live=True)
    assert sorted((table.updated, table.restored) for table in back.tables) == [(10, 10), (28, 28)]


async def test_a_row_whose_parent_new_refuses_is_not_updated(make_pair: MakePair, tmp_path: Path) -> None:
    """What refuses the parent is found out while it is copied, when the update is on record."""
    old = """
        CREATE TABLE shop (id int PRIMARY KEY, name text);
        INSERT INTO shop SELECT g, 'shop ' || g FROM generate_series(1, 9) g;
        CREATE TABLE item (id int PRIMARY KEY, shop int REFERENCES shop);
        INSERT INTO item SELECT g, g FROM generate_series(1, 9) g;"""
    new = """
        CREATE TABLE shop (id int PRIMARY KEY, name text);
        CREATE FUNCTION allowed(name text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN
          PERFORM FROM shop WHERE false; RETURN name <> 'shop 7'; END$$;
        ALTER TABLE shop ADD CHECK (allowed(name));
        CREATE TABLE item (id int PRIMARY KEY, shop int REFERENCES shop);
        INSERT INTO item SELECT g, NULL FROM generate_series(1, 8) g;"""
    pair = await make_pair(old, new)
    result = await migrate(pair, tmp_path, resolutions=decisions(tmp_path))
    assert {t.table: (t.rows_migrated, t.rows_failed, t.rows_updated) for t in result.tables} == {
        "public.shop": (8, 1, 0),
        "public.item": (1, 1, 7),
    }
    expected = [(n, None if n == 7 else n) for n in range(1, 10)]
    assert await pair.new.fetch("SELECT id, shop FROM item ORDER BY id") == expected
