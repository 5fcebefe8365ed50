"""A table of which every row differs: the first rows are named, the others counted, and few are held at once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from support import MakePair
from support.observe import Observe
from support.runs import migrate, verify
from tranship.execution.proof import naming, narrowed, new_rows, old_batch, row_store, strangers
from tranship.execution.verification import differing
from tranship.model.difference import Difference, DifferenceKind
from tranship.model.options import Verify
from tranship.sql import row_store as statements

KEYED = "CREATE TABLE item (id int PRIMARY KEY, name text)"
LOOSE = "CREATE TABLE item (id int, name text)"
ROWS = "; INSERT INTO item SELECT g, 'name ' || g FROM generate_series(1, 2000) g"
MISSING, CHANGED, ADDED = DifferenceKind.MISSING, DifferenceKind.CHANGED, DifferenceKind.ADDED


def counted(differences: tuple[Difference, ...]) -> dict[tuple[DifferenceKind, bool], int]:
    """Rows by kind, and whether others wrote them."""
    found: Counter[tuple[DifferenceKind, bool]] = Counter()
    for one in differences:
        found[one.kind, one.by_others] += one.rows
    return dict(found)


@pytest.fixture(
    params=[(100_000, 3), (10, 3), (10, 0)], ids=["few strangers", "many strangers", "all at once"]
)
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    few, readings = request.param
    for module in (naming, differing):
        monkeypatch.setattr(module, "NAMED", 50)
    monkeypatch.setattr(strangers, "FEW", few)
    monkeypatch.setattr(strangers, "MOST_READINGS", readings)


@pytest.fixture(params=[False, True], ids=["as one", "in parts"])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 500 rows as if they were large: read in parts, and a few rows at once."""
    if request.param:
        monkeypatch.setattr(narrowed, "SMALL", 5)
        for module in (narrowed, old_batch, new_rows, row_store, strangers):
            monkeypatch.setattr(module, "AT_ONCE", 7)


@pytest.mark.usefixtures("small", "pieces")
@pytest.mark.parametrize("table", [KEYED, LOOSE], ids=["keyed", "loose"])
async def test_rows_beyond_the_first_are_counted(make_pair: MakePair, tmp_path: Path, table: str) -> None:
    pair = await make_pair(table + ROWS, table)
    assert (await migrate(pair, tmp_path, batch_size=500)).exit_status == 0
    await pair.new.run("""
        UPDATE item SET name = 'other ' || id WHERE id <= 1500; UPDATE item SET name = name WHERE id BETWEEN 1600 AND 1700;
        DELETE FROM item WHERE id > 1900; INSERT INTO item SELECT g, 'more' FROM generate_series(5001, 5200) g
    """)
    result = await verify(pair, tmp_path)
    (one,) = result.tables
    assert (result.exit_status, one.verified) == (5, False)
    named = [difference for difference in one.differences if difference.key is not None]
    if table == KEYED:
        assert counted(one.differences) == {(CHANGED, True): 1500, (MISSING, False): 100, (ADDED, True): 200}
        assert len(named) == 50 and all(difference.columns == ("name",) for difference in named)
    else:
        assert counted(one.differences) == {(MISSING, False): 1600, (ADDED, True): 1700}
    assert len(one.differences) <= 60


@pytest.mark.usefixtures("small")
async def test_the_run_itself_counts_them_too(make_pair: MakePair, tmp_path: Path, observe: Observe) -> None:
    pair = await make_pair(KEYED + ROWS, KEYED)

    struck = observe.once(
        "table.done", lambda: pair.new.run("UPDATE item SET name = upper(name) WHERE id > 7")
    )
    result = await migrate(pair, tmp_path, new_in_use=True)
    (one,) = result.tables
    assert struck and result.exit_status == 1
    assert counted(one.differences) == {(CHANGED, True): 1993}
    assert len(one.differences) <= 60


SCATTERED = """
    UPDATE item SET name = 'other ' || id WHERE id % 400 = 7; DELETE FROM item WHERE id % 500 = 13;
    UPDATE item SET name = name WHERE id % 10 = 0
"""
NAMED_KEYS = {
    CHANGED: {"7", "407", "807", "1207", "1607"},
    MISSING: {"13", "513", "1013", "1513"},
}


@pytest.mark.usefixtures("small", "pieces")
@pytest.mark.parametrize("verified", [Verify.HASH, Verify.FULL])
async def test_few_rows_of_many_batches_are_named(
    make_pair: MakePair, tmp_path: Path, verified: Verify
) -> None:
    """Also where NEW has to print what it should hold."""
    pair = await make_pair(KEYED + ROWS, KEYED)
    assert (await migrate(pair, tmp_path, batch_size=500, verify=verified)).exit_status == 0
    await pair.new.run(SCATTERED)
    (one,) = (await verify(pair, tmp_path)).tables
    found: dict[DifferenceKind, set[str | None]] = {}
    for difference in one.differences:
        found.setdefault(difference.kind, set()).add(difference.key and difference.key["id"])
    assert found == NAMED_KEYS


PARTED = "CREATE TABLE item (id int, name text, PRIMARY KEY (id)) PARTITION BY HASH (id)"
PARTITIONS = "".join(
    f"; CREATE TABLE item_{n} PARTITION OF item FOR VALUES WITH (MODULUS 3, REMAINDER {n})" for n in range(3)
)


@pytest.mark.usefixtures("pieces")
async def test_rows_of_partitions_are_named(make_pair: MakePair, tmp_path: Path) -> None:
    """Rows of several partitions lie at the same places."""
    pair = await make_pair(KEYED + ROWS, PARTED + PARTITIONS)
    assert (await migrate(pair, tmp_path, batch_size=500)).exit_status == 0
    await pair.new.run("UPDATE item SET name = 'other' WHERE id IN (7, 8, 9, 1900)")
    result = await verify(pair, tmp_path, show_values=True)
    (one,) = result.tables
    found = {(d.key and d.key["id"], d.columns, d.expected, d.found) for d in one.differences}
    assert found == {(str(n), ("name",), (f"name {n}",), ("other",)) for n in (7, 8, 9, 1900)}


async def test_a_full_folder_for_temporary_files_leaves_a_batch_unnamed(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(KEYED + ROWS, KEYED)
    assert (await migrate(pair, tmp_path)).exit_status == 0
    await pair.new.run("UPDATE item SET name = upper(name)")
    monkeypatch.setattr(statements, "MADE", f"PRAGMA max_page_count = 20; {statements.MADE}")
    result = await verify(pair, tmp_path)
    (one,) = result.tables
    assert (result.exit_status, one.verified) == (5, False)
    assert one.verified_why.startswith("the folder for temporary files is full")
    assert counted(one.differences) == {(DifferenceKind.MISSING_OR_CHANGED, False): 2000}


TWO_TABLES = """
    CREATE TABLE customer (id int PRIMARY KEY, name text, credit int);
    INSERT INTO customer SELECT g, 'customer ' || g, g FROM generate_series(1, 300) g;
    CREATE TABLE supplier (id int PRIMARY KEY, name text, days int);
    INSERT INTO supplier SELECT g, 'supplier ' || g, g FROM generate_series(1001, 1300) g
"""
ONE_TABLE = "CREATE TABLE party (id int PRIMARY KEY, name text, credit int, days int)"
INTO_ONE = {
    "resolutions": {
        name: [{"action": "rename_table", "new_table": "party"}] for name in ("customer", "supplier")
    }
}


@pytest.mark.usefixtures("small", "pieces")
async def test_rows_of_another_flow_are_not_called_added(make_pair: MakePair, tmp_path: Path) -> None:
    """Each flow fills other columns of one table, so that the same row has other hashes for each."""
    pair = await make_pair(TWO_TABLES, ONE_TABLE)
    (tmp_path / "decided.json").write_text(json.dumps(INTO_ONE))
    moved = await migrate(pair, tmp_path, resolutions=str(tmp_path / "decided.json"), batch_size=100)
    assert moved.exit_status == 0
    await pair.new.run("""
        UPDATE party SET name = name WHERE id % 10 = 0; UPDATE party SET name = 'other' WHERE id IN (7, 1207);
        DELETE FROM party WHERE id IN (8, 1208); INSERT INTO party VALUES (5000, 'more', 1, 2)
    """)
    result = await verify(pair, tmp_path)
    found = {
        (one.kind, one.key and one.key["id"], one.columns)
        for table in result.tables
        for one in table.differences
    }
    assert found == {
        (CHANGED, "7", ("name",)),
        (CHANGED, "1207", ("name",)),
        (MISSING, "8", ()),
        (MISSING, "1208", ()),
        (ADDED, "5000", ()),
    }


@pytest.mark.usefixtures("small")
async def test_added_rows_hold_what_they_want_in_columns_that_new_fills(
    make_pair: MakePair, tmp_path: Path
) -> None:
    """Also where there are more of them than are named."""
    pair = await make_pair(KEYED + ROWS, f"{KEYED.removesuffix(')')}, note text)")
    assert (await migrate(pair, tmp_path)).exit_status == 0
    await pair.new.run("""
        INSERT INTO item SELECT g, 'more', 'theirs' FROM generate_series(5001, 5200) g;
        UPDATE item SET note = 'ours' WHERE id = 7; UPDATE item SET name = 'other' WHERE id = 8
    """)
    (one,) = (await verify(pair, tmp_path)).tables
    assert counted(one.differences) == {(CHANGED, True): 2, (ADDED, True): 200}
    changed = {d.key["id"]: d.columns for d in one.differences if d.kind is CHANGED and d.key}
    assert changed == {"7": ("note",), "8": ("name",)}
