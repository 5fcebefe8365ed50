"""``tranship verify``: what became of NEW's rows since a run is found at any time after it, whatever OLD is by
then, and what is equal is never alarmed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate, verify
from tranship.errors import UsageError
from tranship.execution.results.outcome import StoppedRun
from tranship.model.difference import DifferenceKind
from tranship.model.options import Verify
from tranship.report.verification import table_lines

OLD = """
CREATE TABLE item (id int PRIMARY KEY, name text, price numeric, kind text);
INSERT INTO item SELECT g, 'name ' || g, g + 0.50, CASE WHEN g % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 500) g;
INSERT INTO item VALUES (501, 'no such kind', 1, 'z');
CREATE TABLE log (line text); INSERT INTO log SELECT 'line ' || g / 2 FROM generate_series(0, 399) g;
"""
NEW = """
CREATE TYPE kind AS ENUM ('a', 'b', 'c');
CREATE TABLE item (id bigint PRIMARY KEY, name text, price numeric, kind kind);
CREATE TABLE log (line text);
"""
DECISIONS = '{"resolutions": {"item": [{"action": "transform", "old_column": "kind", "new_column": "kind"}]}}'


async def moved(make_pair: MakePair, folder: Path, **options: Any) -> Pair:
    """A pair whose rows a live run has moved; one row was rejected."""
    pair = await make_pair(OLD, NEW)
    result = await migrate(pair, folder, resolutions=decided(folder), **options)
    assert (result.status, result.exit_status) == ("rejects", 1)
    return pair


def decided(folder: Path) -> str:
    """The file with the decisions."""
    path = folder / "resolutions.json"
    path.write_text(DECISIONS)
    return str(path)


def seen(result: Any) -> set[tuple[object, ...]]:
    """What differs: table, kind, key, columns, rows, whether others did it, whether OLD was written to."""
    return {
        (
            one.table.removeprefix("public."),
            one.kind,
            one.key and one.key["id"],
            one.columns,
            one.rows,
            one.by_others,
            one.old_changed,
        )
        for table in result.tables
        for one in table.differences
    }


async def test_equal_rows_are_verified_without_old(make_pair: MakePair, tmp_path: Path) -> None:
    """NEW's journal suffices: OLD need not be there, and NEW's role may be read-only."""
    pair = await moved(make_pair, tmp_path)
    await pair.new.run(f'ALTER DATABASE "{pair.new.name}" SET default_transaction_read_only = on')
    result = await verify(pair, tmp_path, old={"port": 1})
    assert (result.status, result.exit_status, result.old_read) == ("verified", 0, False)
    assert [(t.rows, t.verified, t.cells_verified) for t in result.tables] == [
        (500, True, 2000),
        (400, True, 400),
    ]


async def test_each_difference_is_named(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await moved(make_pair, tmp_path)
    await pair.new.run("""
        UPDATE item SET name = name || ' ' WHERE id = 7; UPDATE item SET price = price * 1.0, kind = 'c' WHERE id = 8;
        DELETE FROM item WHERE id = 9; INSERT INTO item VALUES (900, 'theirs', 1, 'a');
        INSERT INTO log VALUES ('line 5'); DELETE FROM log WHERE line = 'line 9';
    """)
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status, result.old_read) == ("differs", 5, True)
    changed, missing, added = DifferenceKind.CHANGED, DifferenceKind.MISSING, DifferenceKind.ADDED
    assert seen(result) == {
        ("item", changed, "7", ("name",), 1, True, False),
        ("item", changed, "8", ("price", "kind"), 1, True, False),
        ("item", missing, "9", (), 1, False, False),
        ("item", added, "900", (), 1, True, False),
        ("log", missing, None, (), 2, False, False),
        ("log", added, None, (), 1, True, False),
    }
    assert not any(one.expected or one.found for table in result.tables for one in table.differences)
    shown = await verify(pair, tmp_path, show_values=True)
    (one,) = (o for table in shown.tables for o in table.differences if o.key == {"id": "7"})
    assert (one.expected, one.found) == (("name 7",), ("name 7 ",))


async def test_without_old_a_difference_is_still_one(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await moved(make_pair, tmp_path)
    await pair.new.run("UPDATE item SET name = 'x' WHERE id = 7; DELETE FROM log WHERE line = 'line 9'")
    result = await verify(pair, tmp_path, old={"port": 1})
    assert (result.status, result.exit_status, result.old_read) == ("differs", 5, False)
    assert [table.verified for table in result.tables] == [False, False]
    assert {table.verified_why for table in result.tables} != {""}
    # Nobody else wrote to the log; which row of the items is another one cannot be told.
    assert seen(result) == {
        ("item", DifferenceKind.MISSING_OR_CHANGED, None, (), 1, False, False),
        ("log", DifferenceKind.MISSING, None, (), 2, False, False),
    }
    lines = [line for table in result.tables for line in table_lines(table)]
    assert "  missing or changed in public.item: a row" in lines


async def test_what_old_changed_since_is_no_difference(make_pair: MakePair, tmp_path: Path) -> None:
    """Neither by itself, nor beside a row of NEW that differs, which is named exactly."""
    pair = await moved(make_pair, tmp_path)
    await pair.old.run("""
        UPDATE item SET name = 'later' WHERE id IN (3, 4); DELETE FROM item WHERE id = 5;
        INSERT INTO item VALUES (700, 'later', 1, 'a'); UPDATE log SET line = 'later' WHERE line = 'line 3';
    """)
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("verified", 0)
    await pair.new.run("UPDATE item SET name = 'x' WHERE id = 7; DELETE FROM log WHERE line = 'line 9'")
    result = await verify(pair, tmp_path)
    assert seen(result) == {
        ("item", DifferenceKind.CHANGED, "7", ("name",), 1, True, False),
        ("log", DifferenceKind.MISSING, None, (), 2, False, False),
    }
    assert [table.rows_changed_in_old for table in result.tables] == [3, 2]


async def test_a_row_that_both_sides_changed_is_told_as_such(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await moved(make_pair, tmp_path)
    await pair.old.run("UPDATE item SET name = 'later' WHERE id IN (3, 4)")
    await pair.new.run("UPDATE item SET name = 'x' WHERE id = 3")
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("differs", 5)
    assert any(one.old_changed for table in result.tables for one in table.differences)
    assert result.tables[0].rows_changed_in_old == 2


async def test_rows_written_anew_are_equal(make_pair: MakePair, tmp_path: Path) -> None:
    """By people, by the server that rewrites a table, in both databases: content decides."""
    pair = await moved(make_pair, tmp_path)
    await pair.new.run("UPDATE item SET id = id WHERE id < 50; UPDATE log SET line = line")
    await pair.new.run("ALTER TABLE item ALTER price TYPE numeric(12, 2), ALTER id TYPE int")
    async with pair.new.connect() as conn:
        await conn.execute("VACUUM FULL log")
    async with pair.old.connect() as conn:
        await conn.execute("VACUUM FULL item")
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("verified", 0), seen(result)


async def test_what_others_do_to_a_new_in_use_is_told(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await moved(make_pair, tmp_path)
    await pair.new.run("INSERT INTO item VALUES (900, 'theirs'); UPDATE item SET name = 'x' WHERE id = 5")
    result = await verify(pair, tmp_path, new_in_use=True)
    assert (result.status, result.exit_status) == ("differs", 1)
    assert result.tables[0].verified == "except rows that others added or changed since: 2"
    await pair.new.run("DELETE FROM item WHERE id = 6")
    result = await verify(pair, tmp_path, new_in_use=True)
    assert (result.status, result.exit_status) == ("differs", 5)


async def test_a_restored_dump_is_compared_as_a_whole(make_pair: MakePair, tmp_path: Path) -> None:
    """There, rows do not carry the transactions that the journal has."""
    pair = await moved(make_pair, tmp_path)
    await pair.new.run("UPDATE _tranship.run SET new_identity = 'elsewhere'")
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("verified", 0)
    assert {table.verified_why for table in result.tables} == {
        "by the sums of the whole table, since NEW was restored from another server"
    }
    await pair.new.run("DELETE FROM item WHERE id = 6")
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("differs", 5)


async def test_a_table_that_is_gone(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await moved(make_pair, tmp_path)
    await pair.new.run("DROP TABLE log")
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("differs", 5)
    assert seen(result) == {("log", DifferenceKind.MISSING, None, (), 400, False, False)}


async def test_rows_of_later_runs_are_no_strangers(make_pair: MakePair, tmp_path: Path) -> None:
    """A rejects-only run, and another OLD into the same table: each is compared with its own rows."""
    pair = await moved(make_pair, tmp_path)
    await pair.old.run("UPDATE item SET kind = 'c' WHERE id = 501")
    again = await migrate(pair, tmp_path, resolutions=decided(tmp_path), rejects_only=True)
    assert (again.status, again.stats.rows_migrated) == ("done", 1)
    more = "CREATE TABLE log (line text); INSERT INTO log SELECT 'other ' || g FROM generate_series(1, 250) g"
    other = Pair((await make_pair(more, "")).old, pair.new)
    (tmp_path / "other").mkdir()
    assert (await migrate(other, tmp_path / "other")).exit_status == 0
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("verified", 0), seen(result)
    assert sorted(table.rows for table in result.tables) == [1, 250, 400, 500]
    await pair.new.run("DELETE FROM log WHERE line = 'other 7'; DELETE FROM item WHERE id = 501")
    result = await verify(pair, tmp_path)
    assert result.exit_status == 5
    assert {(t.rows, sum(d.rows for d in t.differences)) for t in result.tables if t.differences} == {
        (1, 1),
        (250, 1),
    }


async def test_what_cannot_be_proven_is_said(make_pair: MakePair, tmp_path: Path, observe: Observe) -> None:
    """No sums were recorded, or the run is not finished: never equal."""
    pair = await moved(make_pair, tmp_path, verify=Verify.COUNTS)
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("not verified", 1)
    assert {table.verified for table in result.tables} == {None}
    pair = await make_pair(OLD, NEW)
    with pytest.raises(UsageError) as unknown:
        await verify(pair, tmp_path)
    assert unknown.value.code == "TS130"
    observe.fail("batch.committed", 3)
    with pytest.raises(StoppedRun):
        await migrate(pair, tmp_path, resolutions=decided(tmp_path))
    observe.stop()
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("not verified", 1)
    assert "not finished" in result.tables[0].verified_why


async def test_rows_that_a_later_run_updated(make_pair: MakePair, tmp_path: Path) -> None:
    """As its decisions say: they are no difference of the first run, and are counted."""
    table = "CREATE TABLE item (id int PRIMARY KEY, name text);"
    rows = "INSERT INTO item SELECT g, '{} ' || g FROM generate_series({}, {}) g"
    pair = await make_pair(table + rows.format("first", 1, 300), table)
    assert (await migrate(pair, tmp_path)).exit_status == 0
    other = Pair((await make_pair(table + rows.format("second", 290, 400), "")).old, pair.new)
    (tmp_path / "other").mkdir()
    decisions = tmp_path / "update.json"
    decisions.write_text(
        '{"resolutions": {"item": [{"action": "existing", "key": ["id"], "rows": "update"}]}}'
    )
    second = await migrate(other, tmp_path / "other", resolutions=str(decisions))
    assert (second.stats.rows_updated, second.exit_status) == (11, 0)
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("verified", 0), seen(result)
    assert [table.verified for table in result.tables] == [
        "except rows of public.item that a later run updated: 11",
        True,
    ]
    await pair.new.run("DELETE FROM item WHERE id IN (5, 295)")
    result = await verify(pair, tmp_path)
    assert (result.exit_status, len(seen(result))) == (5, 2)


async def test_many_rows_of_others_are_counted(make_pair: MakePair, tmp_path: Path) -> None:
    """A NEW in use may have millions of them: the first are named, whatever NEW filled in."""
    table = "CREATE TABLE item (id int PRIMARY KEY, name text);"
    rows = "INSERT INTO item SELECT g, 'name' FROM generate_series(1, 300) g"
    pair = await make_pair(
        table + rows, "CREATE TABLE item (id int PRIMARY KEY, name text, seen boolean DEFAULT false)"
    )
    assert (await migrate(pair, tmp_path)).exit_status == 0
    await pair.new.run("INSERT INTO item SELECT g, 'theirs', true FROM generate_series(1001, 3500) g")
    result = await verify(pair, tmp_path, new_in_use=True)
    assert (result.status, result.exit_status) == ("differs", 1)
    (found,) = [table.differences for table in result.tables]
    assert (len(found), sum(one.rows for one in found)) == (1001, 2500)
    assert {(one.kind, one.by_others) for one in found} == {(DifferenceKind.ADDED, True)}
