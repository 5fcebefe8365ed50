"""Foreign keys whose values are found in the table to which they lead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair, Pair
from support.foreseeing import foreseen

OLD = (
    "CREATE TABLE t (id int PRIMARY KEY, k text); INSERT INTO t SELECT g, {key} FROM generate_series(0, 9) g"
)
NEW = """
CREATE TABLE l (id int PRIMARY KEY, name text UNIQUE);
INSERT INTO l SELECT g, 'k' || g FROM generate_series(1, 5) g;
{more}
CREATE TABLE t (id int PRIMARY KEY, l_id {type} REFERENCES l);
"""


async def prepare(
    make_pair: MakePair,
    folder: Path,
    *,
    more: str = "",
    type_: str = "int",
    value: str = "id",
    **entry: object,
) -> tuple[Pair, str]:
    """A pair, and its resolutions."""
    key = "CASE WHEN g <> 9 THEN 'k' || g END"
    pair = await make_pair(OLD.format(key=key), NEW.format(more=more, type=type_))
    where = {"table": "l", "key_column": "name", "value_column": value}
    found = {"action": "transform", "old_column": "k", "new_column": "l_id", "lookup_table": where}
    file = folder / "r.json"
    file.write_text(json.dumps({"resolutions": {"t": [{**found, **entry}]}}))
    return pair, str(file)


async def arrived(pair: Pair) -> dict[int, int | None]:
    return dict(await pair.new.fetch("SELECT id, l_id FROM t ORDER BY id"))


@pytest.mark.parametrize("type_", ["int", "int NOT NULL"])
async def test_an_entry_is_its_own_parent_and_nobody_asks(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type_: str
) -> None:
    monkeypatch.setattr("tranship.execution.probe.faults.ask", None)
    pair, decided = await prepare(make_pair, tmp_path, type_=type_)
    assert (await foreseen(pair, tmp_path, resolutions=decided))["exit"] == 1
    kept = {g: g for g in range(1, 6)}
    assert await arrived(pair) == (kept if "NOT" in type_ else {**kept, 9: None})


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ({"default_value": "77"}, {**{g: g for g in range(1, 6)}, 9: None}),
        ({"default_value": "5"}, {0: 5, **{g: min(g, 5) for g in range(1, 9)}, 9: None}),
        ({"default_value": None}, {g: g if 1 <= g <= 5 else None for g in range(10)}),
        ({"null_value": "77"}, {g: g for g in range(1, 6)}),
        ({"null_value": "4"}, {**{g: g for g in range(1, 6)}, 9: 4}),
    ],
)
async def test_what_a_person_writes_in_its_place_has_to_be_one(
    make_pair: MakePair, tmp_path: Path, entry: dict[str, object], kept: dict[int, int | None]
) -> None:
    pair, decided = await prepare(make_pair, tmp_path, **entry)
    ended = await foreseen(pair, tmp_path, resolutions=decided)
    assert await arrived(pair) == kept
    assert ended["exit"] == (0 if len(kept) == 10 else 1)


async def test_an_entry_of_a_table_that_inherits_is_no_parent(make_pair: MakePair, tmp_path: Path) -> None:
    more = "CREATE TABLE heir () INHERITS (l); INSERT INTO heir VALUES (6, 'k6'), (7, 'k7');"
    pair, decided = await prepare(make_pair, tmp_path, more=more)
    assert (await foreseen(pair, tmp_path, resolutions=decided))["exit"] == 1
    assert await arrived(pair) == {**{g: g for g in range(1, 6)}, 9: None}


async def test_a_value_of_another_column_need_not_be_one(make_pair: MakePair, tmp_path: Path) -> None:
    more = "ALTER TABLE l ADD code text UNIQUE; UPDATE l SET code = id + (id / 5) * 4 || '';"
    pair, decided = await prepare(make_pair, tmp_path, more=more, value="code")
    assert (await foreseen(pair, tmp_path, resolutions=decided))["exit"] == 1
    assert await arrived(pair) == {**{g: g for g in range(1, 5)}, 9: None}
