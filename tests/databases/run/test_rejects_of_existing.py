"""``--rejects-only`` where NEW held rows before the first run: the rejected rows find what is left of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.runs import migrate, verify
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused

# Of 1 to 8, NEW holds the odd ones and 2, which is equal; the prices of 3, 4, 7 and 8 are no numbers.
OLD = """
CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, price text);
INSERT INTO item SELECT g, 'item ' || g, CASE WHEN g % 4 IN (3, 0) THEN 'free' ELSE g::text END
  FROM generate_series(1, 8) g;
CREATE TABLE line (id int PRIMARY KEY, item int NOT NULL REFERENCES item);
INSERT INTO line SELECT g, g FROM generate_series(1, 8) g;
"""
NEW = """
CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, price numeric, own text);
INSERT INTO item SELECT g, 'item ' || g, CASE WHEN g = 2 THEN 2 ELSE 0 END, 'mine'
  FROM generate_series(1, 8) g WHERE g % 2 = 1 OR g = 2;
CREATE TABLE line (id int PRIMARY KEY, item int NOT NULL REFERENCES item);
"""
MENDED = "CASE old.price WHEN 'free' THEN '0.5' ELSE old.price END"
CONTENTS = "SELECT id, price::text, own FROM item ORDER BY id"
BEFORE = [(1, "0", "mine"), (2, "2", "mine"), (3, "0", "mine"), (5, "0", "mine"), (7, "0", "mine")]


def decided(folder: Path, rows: str, *, mended: bool = False, **existing: object) -> str:
    """The file with the decisions."""
    price = {"action": "transform", "old_column": "price", "new_column": "price"}
    price |= {"transform_sql": MENDED} if mended else {}
    path = folder / "decisions.json"
    entries = [{"action": "existing", "rows": rows, **existing}, price]
    path.write_text(json.dumps({"resolutions": {"item": entries}}))
    return str(path)


def counts(result: Any) -> Mapping[str, tuple[int, ...]]:
    """Per table: read, added, rejected, already there, kept, updated."""
    return {
        t.table: (
            t.rows_read,
            t.rows_migrated,
            t.rows_failed,
            t.rows_already_there,
            t.rows_kept,
            t.rows_updated,
        )
        for t in result.tables
    }


async def _both(pair: Pair, folder: Path, path: str, expected: Mapping[str, tuple[int, ...]]) -> Any:
    """Foresees, tries and makes a rejects-only run."""
    for mode in ({"live": False}, {"live": False, "rehearse": True}, {}):
        result = await migrate(pair, folder, resolutions=path, rejects_only=True, **mode)
        assert counts(result) == expected, mode
    return result


async def test_mended_rows_update_and_join_and_the_tables_are_covered(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    first = await migrate(pair, tmp_path, resolutions=decided(tmp_path, "update"))
    assert counts(first) == {"public.item": (8, 1, 4, 1, 0, 2), "public.line": (8, 4, 4, 0, 0, 0)}
    path = decided(tmp_path, "update", mended=True)
    again = await _both(
        pair, tmp_path, path, {"public.item": (4, 2, 0, 0, 0, 2), "public.line": (4, 4, 0, 0, 0, 0)}
    )
    assert again.exit_status == 0, again
    assert await pair.new.fetch(CONTENTS) == [
        (1, "1", "mine"),
        (2, "2", "mine"),
        (3, "0.5", "mine"),
        (4, "0.5", None),
        (5, "5", "mine"),
        (6, "6", None),
        (7, "0.5", "mine"),
        (8, "0.5", None),
    ]
    assert await pair.new.fetch("SELECT id, item FROM line ORDER BY 1") == [(n, n) for n in range(1, 9)]
    whole = await migrate(pair, tmp_path, resolutions=path)
    assert (whole.exit_status, all(table.already_migrated for table in whole.tables)) == (0, True)
    assert counts(whole) == {"public.item": (8, 3, 0, 1, 0, 4), "public.line": (8, 8, 0, 0, 0, 0)}
    assert (await verify(pair, tmp_path)).exit_status == 0
    config = load_config(pair.config(tmp_path))
    second = await api.rollback(config, live=True)
    assert sorted((t.updated, t.restored) for t in second.tables) == [(0, 0), (2, 2)]
    await api.rollback(config, live=True)
    assert await pair.new.fetch(CONTENTS) == BEFORE


@pytest.mark.parametrize("then", ["update", "keep"])
async def test_rows_that_differ_may_be_settled_now(make_pair: MakePair, tmp_path: Path, then: str) -> None:
    pair = await make_pair(OLD, NEW)
    first = await migrate(pair, tmp_path, resolutions=decided(tmp_path, "same"))
    assert counts(first)["public.item"] == (8, 1, 6, 1, 0, 0)
    path = decided(tmp_path, then, mended=True)
    held = (4, 0) if then == "keep" else (0, 4)
    await _both(pair, tmp_path, path, {"public.item": (6, 2, 0, 0, *held), "public.line": (6, 6, 0, 0, 0, 0)})
    found = {n: price for n, price, _ in await pair.new.fetch(CONTENTS)}
    assert (found[1], found[3], found[4]) == (("0", "0", "0.5") if then == "keep" else ("1", "0.5", "0.5"))
    with pytest.raises(Refused):
        await migrate(pair, tmp_path, resolutions=decided(tmp_path, "same", mended=True), rejects_only=True)


@pytest.mark.parametrize("rows", ["update", "keep"])
@pytest.mark.parametrize("gone", [False, True])
async def test_what_another_row_found_before_is_found_no_more(
    make_pair: MakePair, tmp_path: Path, rows: str, *, gone: bool
) -> None:
    keeps = rows == "keep"
    # A row that NEW keeps would be another one under the mended decision, too, which is refused.
    third = "3" if keeps else "free"
    old = f"""
        CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, price text);
        INSERT INTO item
          VALUES (1, 'x', '1'), (2, 'x', '2'), (3, 'y', '{third}'), (4, 'z', '4'), (5, 'z', 'free');"""
    new = """
        CREATE TABLE item (id int PRIMARY KEY, name text UNIQUE NOT NULL, price numeric, own text);
        INSERT INTO item VALUES (101, 'x', 0, 'mine'), (103, 'y', 0, 'mine');"""
    pair = await make_pair(old, new)
    existing = {"key": ["name"], "repoint_children": True}
    first = await migrate(pair, tmp_path, resolutions=decided(tmp_path, rows, **existing))
    assert counts(first)["public.item"] == ((5, 1, 2, 0, 2, 0) if keeps else (5, 1, 3, 0, 0, 1))
    if gone:
        await pair.old.run("DELETE FROM item WHERE id = 1")
    path = decided(tmp_path, rows, mended=True, **existing)
    # Of a kept row nothing in NEW says that a row of OLD found it, so that it may stand for another one later.
    late = 0 if gone and keeps else 1
    expected = (2, 0, 1 + late, 0, 1 - late, 0) if keeps else (3, 0, 2, 0, 0, 1)
    again = await _both(pair, tmp_path, path, {"public.item": expected})
    assert len(again.tables[0].causes) == 1 + late
    found = await pair.new.fetch("SELECT id, price::text FROM item ORDER BY id")
    assert found == [(4, "4"), (101, "0" if keeps else "1"), (103, "0" if keeps else "0.5")]


async def test_children_that_are_led_are_still_refused(make_pair: MakePair, tmp_path: Path) -> None:
    new = NEW.replace("SELECT g, 'item ' || g", "SELECT 100 + g, 'item ' || g")
    pair = await make_pair(OLD, new)
    existing = {"key": ["name"], "repoint_children": True}
    await migrate(pair, tmp_path, resolutions=decided(tmp_path, "update", **existing))
    path = decided(tmp_path, "update", mended=True, **existing)
    with pytest.raises(Refused, match=r"they refer to rows of public\.item") as refused:
        await migrate(pair, tmp_path, resolutions=path, rejects_only=True)
    assert refused.value.code == "TS398"
