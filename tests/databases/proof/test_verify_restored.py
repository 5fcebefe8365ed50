"""A NEW that is no longer what the run left: restored from a dump, so that rows do not say who wrote them, or with other
columns. Rows that are certainly missing or changed are named all the same, and nothing is called wrong that may be right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.runs import migrate, verify
from tranship.model.difference import DifferenceKind
from tranship.report.verification import table_lines

CHANGED, MISSING = DifferenceKind.CHANGED, DifferenceKind.MISSING
TABLES = "CREATE TABLE item (id int PRIMARY KEY, name {}); CREATE TABLE log (line text);"
OLD = f"""
{TABLES.format("text")}
INSERT INTO item SELECT g, CASE WHEN g % 50 = 5 THEN 'far too long' ELSE 'n' || g END FROM generate_series(1, 500) g;
INSERT INTO log SELECT 'line ' || g / 2 FROM generate_series(1, 300) g;
"""
DECISIONS = '{"resolutions": {"item": [{"action": "transform", "old_column": "name", "new_column": "name"}]}}'


async def restored(make_pair: MakePair, folder: Path, before: str = "") -> Pair:
    """A pair whose rows were moved, ten of them rejected, and whose NEW is on another server by now."""
    pair = await make_pair(OLD, TABLES.format("varchar(6)") + before)
    path = folder / "decisions.json"
    path.write_text(DECISIONS)
    assert (await migrate(pair, folder, resolutions=str(path))).exit_status == 1
    await pair.new.run("UPDATE _tranship.run SET new_identity = 'elsewhere'")
    return pair


def seen(result: Any) -> list[tuple[object, ...]]:
    """What differs: kind, key, columns, rows."""
    return [
        (one.kind, one.key and one.key["id"], one.columns, one.rows)
        for table in result.tables
        for one in table.differences
    ]


@pytest.mark.parametrize(
    ("change", "differences"),
    [
        ("UPDATE item SET name = 'x' WHERE id = 7", [(CHANGED, "7", ("name",), 1)]),
        ("DELETE FROM item WHERE id = 9", [(MISSING, "9", (), 1)]),
        (
            "DELETE FROM item WHERE id = 9; INSERT INTO item VALUES (900, 'x'), (901, 'y')",
            [(MISSING, "9", (), 1)],
        ),
        ("DELETE FROM log WHERE line = 'line 9'", [(MISSING, None, (), 2)]),
        ("UPDATE log SET line = 'x' WHERE line = 'line 9'", [(MISSING, None, (), 2)]),
    ],
)
async def test_rows_that_differ_are_named(
    make_pair: MakePair, tmp_path: Path, change: str, differences: list[tuple[object, ...]]
) -> None:
    """Also beside rows that OLD changed since, where its batch is another one."""
    pair = await restored(make_pair, tmp_path)
    assert (await verify(pair, tmp_path)).exit_status == 0
    await pair.new.run(change)
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status, seen(result)) == ("differs", 5, differences)
    assert [table.verified for table in result.tables].count(False) == 1


@pytest.mark.parametrize(
    "change",
    [
        "",
        "UPDATE item SET name = 'later' WHERE id IN (3, 4); DELETE FROM item WHERE id = 7",
        "DELETE FROM item WHERE id < 5; CLUSTER item USING item_pkey",
    ],
)
async def test_rows_that_may_have_been_there_before_are_no_alarm(
    make_pair: MakePair, tmp_path: Path, change: str
) -> None:
    pair = await restored(make_pair, tmp_path, "INSERT INTO item VALUES (1000, 'own')")
    if change:
        await pair.old.run(change)
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status, seen(result)) == ("not verified", 1, [])
    assert "1 row more" in result.tables[0].verified_why


@pytest.mark.parametrize("change", ["RENAME name TO title", "DROP name"])
async def test_a_column_that_new_has_no_more_is_named(
    make_pair: MakePair, tmp_path: Path, change: str
) -> None:
    """Once, and not row by row without a column."""
    table = "CREATE TABLE item (id int PRIMARY KEY, name text);"
    pair = await make_pair(f"{table} INSERT INTO item SELECT g, 'n' FROM generate_series(1, 300) g", table)
    assert (await migrate(pair, tmp_path)).exit_status == 0
    await pair.new.run(f"ALTER TABLE item {change}")
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("differs", 5)
    assert list(table_lines(result.tables[0])) == [
        "public.item: DIFFERS: NEW no longer has the column name",
        "  changed in public.item: 300 rows: name",
    ]
