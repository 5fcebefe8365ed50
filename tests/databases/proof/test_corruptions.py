"""What becomes of NEW's rows between the copy and the proof is found, with table, key and columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate
from tranship.execution.results.outcome import StoppedRun
from tranship.model.difference import DifferenceKind
from tranship.model.options import Verify

OLD = """
CREATE TABLE item (id int PRIMARY KEY, name text, price numeric, weight float8, at timestamptz, span interval, doc json,
  raw bytea, list int[], kind text);
INSERT INTO item SELECT g, CASE g WHEN 7 THEN NULL WHEN 8 THEN '' ELSE 'name ' || g END, g + 0.50, g / 3.0,
  TIMESTAMPTZ '2024-01-01' + g * INTERVAL '1 hour', g * INTERVAL '1 day', '{"a": 1}', decode(md5(g::text), 'hex'), ARRAY[g, 2],
  CASE WHEN g % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 500) g;
CREATE TABLE log (line text); INSERT INTO log SELECT 'line ' || g / 2 FROM generate_series(0, 399) g;
"""
NEW = """
CREATE TYPE kind AS ENUM ('a', 'b', 'c');
CREATE TABLE item (id bigint PRIMARY KEY, name text, price numeric, weight float8, at timestamptz, span interval, doc json,
  raw bytea, list int[], kind kind);
CREATE TABLE log (line text);
"""
DECISIONS = '{"resolutions": {"item": [{"action": "transform", "old_column": "kind", "new_column": "kind"}]}}'

CHANGED = {
    "name": ["name || ' '", "upper(name)", "NULL", "''", "'NULL'", "'é'"],
    "price": ["price * 1.0", "price + 0.01", "-price", "NULL"],
    "weight": ["weight + weight * 1e-15", "'NaN'", "-weight"],
    "at": ["at + interval '1 microsecond'", "at + interval '1 hour'"],
    "span": ["justify_days(span)"],
    "doc": ["'{\"a\":1}'"],
    "raw": ["set_byte(raw, 15, get_byte(raw, 15) # 1)"],
    "list": ["('[0:1]=' || list::text)::int[]"],
    "kind": ["'c'"],
}


async def corrupted(
    pair: Pair, folder: Path, observe: Observe, statement: str, *, decisions: str = DECISIONS, **options: Any
) -> Any:
    """A live run during which somebody runs a statement in NEW after the copy is proven."""
    (folder / "resolutions.json").write_text(decisions)
    observe.once("phase.entered", lambda: pair.new.run(statement), passage=2)
    return await migrate(pair, folder, resolutions=str(folder / "resolutions.json"), **options)


@pytest.mark.parametrize("verify", [Verify.HASH, Verify.FULL])
async def test_each_changed_cell_is_named(
    make_pair: MakePair, tmp_path: Path, observe: Observe, verify: Verify
) -> None:
    """Every kind of small change at once, each in a row of its own; values are shown only where asked."""
    changes = {str(n): one for n, one in enumerate(((c, v) for c, vs in CHANGED.items() for v in vs), 100)}
    updates = "; ".join(f"UPDATE item SET {c} = {v} WHERE id = {key}" for key, (c, v) in changes.items())
    pair = await make_pair(OLD, NEW)
    result = await corrupted(pair, tmp_path, observe, updates, verify=verify)
    assert (result.status, result.exit_status) == ("differs", 5)
    found = [one for table in result.tables for one in table.differences]
    assert {(one.table, one.kind) for one in found} == {("public.item", DifferenceKind.CHANGED)}
    assert {one.key["id"]: one.columns for one in found} == {k: (c,) for k, (c, _) in changes.items()}
    assert not any(one.found or one.expected for one in found)
    item = next(table for table in result.tables if table.table == "public.item")
    assert (item.verified, item.cells_verified) == (False, 0)
    assert item.verified_why == f"{len(changes)} of its rows in NEW differ"


async def test_rows_that_are_gone_doubled_or_swapped(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    statement = """
        DELETE FROM item WHERE id = 3;
        INSERT INTO item (id, name) VALUES (900, 'stranger');
        UPDATE item SET name = CASE id WHEN 10 THEN 'name 11' ELSE 'name 10' END WHERE id IN (10, 11);
        INSERT INTO log VALUES ('line 5'); DELETE FROM log WHERE line = 'line 9';
    """
    result = await corrupted(pair, tmp_path, observe, statement)
    found = [one for table in result.tables for one in table.differences]
    seen = {(one.table, one.kind, one.key and one.key["id"], one.columns, one.rows) for one in found}
    assert seen == {
        ("public.item", DifferenceKind.MISSING, "3", (), 1),
        ("public.item", DifferenceKind.ADDED, "900", (), 1),
        ("public.item", DifferenceKind.CHANGED, "10", ("name",), 1),
        ("public.item", DifferenceKind.CHANGED, "11", ("name",), 1),
        ("public.log", DifferenceKind.MISSING, None, (), 2),
        ("public.log", DifferenceKind.ADDED, None, (), 1),
    }


async def test_rows_that_somebody_wrote_anew_are_equal(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    """Transactions only narrow: content decides."""
    pair = await make_pair(OLD, NEW)
    result = await corrupted(
        pair, tmp_path, observe, "UPDATE item SET id = id WHERE id < 50; UPDATE log SET line = line"
    )
    assert (result.status, result.exit_status) == ("done", 0)
    assert [table.verified for table in result.tables] == [True, True]


async def test_values_are_shown_where_asked(make_pair: MakePair, tmp_path: Path, observe: Observe) -> None:
    pair = await make_pair(OLD, NEW)
    statement = "UPDATE item SET name = 'other', price = 1 WHERE id = 20"
    result = await corrupted(pair, tmp_path, observe, statement, show_values=True)
    (found,) = [one for table in result.tables for one in table.differences]
    assert (found.columns, found.expected, found.found) == (
        ("name", "price"),
        ("name 20", "20.50"),
        ("other", "1"),
    )


async def test_without_a_verification_the_result_says_so(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    (tmp_path / "resolutions.json").write_text(DECISIONS)
    result = await migrate(
        pair, tmp_path, resolutions=str(tmp_path / "resolutions.json"), verify=Verify.COUNTS
    )
    assert (result.exit_status, {table.verified for table in result.tables}) == (0, {None})
    assert {table.verified_why for table in result.tables} == {
        "counted on both servers, contents not compared"
    }


async def test_what_others_do_to_a_new_in_use_is_told(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    """Rows that others added or changed are named and end with 1; a row that is gone is wrong all the same."""
    pair = await make_pair(OLD, NEW)
    statement = "INSERT INTO item (id, name) VALUES (900, 'theirs'); UPDATE item SET name = 'x' WHERE id = 5"
    result = await corrupted(pair, tmp_path, observe, statement, new_in_use=True)
    assert (result.status, result.exit_status) == ("differs", 1)
    item = next(table for table in result.tables if table.table == "public.item")
    assert item.verified == "except rows that others added or changed since: 2"
    seen = {(one.kind, one.key["id"], one.by_others) for one in item.differences}
    assert seen == {(DifferenceKind.ADDED, "900", True), (DifferenceKind.CHANGED, "5", True)}
    pair = await make_pair(OLD, NEW)
    statement += "; DELETE FROM item WHERE id = 6"
    result = await corrupted(pair, tmp_path, observe, statement, new_in_use=True)
    assert (result.status, result.exit_status) == ("differs", 5)


KEYS = {
    "integer": "g",
    "numeric": "g + 0.50",
    "text": "'key ' || g",
    "bpchar(9)": "'key ' || g",
    "uuid": "md5(g::text)::uuid",
    "date": "date '2024-01-01' + g",
    "timestamp": "timestamp '2024-01-01' + g * interval '1 hour'",
    "timestamptz": "timestamptz '2024-01-01' + g * interval '1 hour'",
}


@pytest.mark.parametrize("key", KEYS)
async def test_a_row_that_others_changed_is_theirs_under_a_key_of_any_type(
    make_pair: MakePair, tmp_path: Path, observe: Observe, key: str
) -> None:
    """The second opinion names it by the same key as the comparison by sums."""
    table = f"CREATE TABLE item (id {key} PRIMARY KEY, name text)"
    rows = f"INSERT INTO item SELECT {KEYS[key]}, 'name ' || g FROM generate_series(1, 20) g"
    pair = await make_pair(f"{table}; {rows}", table)
    changed = "UPDATE item SET name = 'theirs' WHERE name = 'name 7'"
    result = await corrupted(
        pair, tmp_path, observe, changed, decisions='{"resolutions": {}}', new_in_use=True
    )
    assert (result.status, result.exit_status) == ("differs", 1)


async def test_the_rows_of_another_run_are_no_strangers(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    """Two OLDs into one table: the whole second run takes place before the first one's proof."""
    pair = await make_pair(OLD, NEW)
    more = "CREATE TABLE log (line text); INSERT INTO log SELECT 'other ' || g FROM generate_series(1, 250) g"
    other = Pair((await make_pair(more, "")).old, pair.new)
    (tmp_path / "other").mkdir()
    passed, beside = 0, []

    async def strike(place: str) -> None:
        nonlocal passed
        passed += place == "phase.entered"
        if passed == 2 and not beside:
            beside.append(None)
            beside[0] = await migrate(other, tmp_path / "other")

    observe(strike)
    (tmp_path / "resolutions.json").write_text(DECISIONS)
    result = await migrate(pair, tmp_path, resolutions=str(tmp_path / "resolutions.json"))
    assert (beside[0].exit_status, result.status, result.exit_status) == (0, "done", 0)
    assert [table.verified for table in (*result.tables, *beside[0].tables)] == [True] * 3
    assert await pair.new.value("SELECT count(*) FROM log") == 650


async def test_a_new_restored_elsewhere_is_counted_and_not_proven(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    """There, rows do not carry the transactions that the journal has: no alarm, and no proof claimed."""
    pair = await make_pair(OLD, NEW)
    (tmp_path / "resolutions.json").write_text(DECISIONS)
    observe.fail("batch.committed", 3)
    with pytest.raises(StoppedRun):
        await migrate(pair, tmp_path, resolutions=str(tmp_path / "resolutions.json"))
    observe.stop()
    await pair.new.run("UPDATE _tranship.run SET new_identity = 'elsewhere'")
    result = await migrate(pair, tmp_path, resolutions=str(tmp_path / "resolutions.json"))
    assert (result.status, result.exit_status) == ("done", 0)
    assert {table.verified for table in result.tables} == {None}
