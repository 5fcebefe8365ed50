"""What ``tranship verify`` finds of runs that recorded less than all sums, and of one run among several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.runs import migrate, verify
from tranship.model.difference import DifferenceKind
from tranship.model.options import Verify

TABLE = "CREATE TABLE item (id int PRIMARY KEY, name text);"
ROWS = "INSERT INTO item SELECT g, 'n' || g FROM generate_series(1, 1000) g"
MISSING, ADDED = DifferenceKind.MISSING, DifferenceKind.ADDED
PARTLY: dict[str, dict[str, Any]] = {"counts": {"verify": Verify.COUNTS}, "sample": {"sample": "20%"}}


def seen(result: Any) -> list[tuple[object, ...]]:
    """What differs: kind, key, rows."""
    return [
        (one.kind, one.key and one.key["id"], one.rows)
        for table in result.tables
        for one in table.differences
    ]


@pytest.mark.parametrize("how", PARTLY)
async def test_rows_that_are_gone_are_found_without_sums(
    make_pair: MakePair, tmp_path: Path, how: str
) -> None:
    """The journal knows how many rows each transaction wrote: a row of ours that is gone ends with 5 always."""
    pair = await make_pair(TABLE + ROWS, TABLE)
    assert (await migrate(pair, tmp_path, **PARTLY[how])).exit_status == 0
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status, seen(result)) == ("not verified", 1, [])
    await pair.new.run("DELETE FROM item WHERE id = 957")
    key = "957" if how == "sample" else None
    for old in ({}, {"port": 1}):
        result = await verify(pair, tmp_path, old=old, new_in_use=True)
        assert (result.status, result.exit_status) == ("differs", 5), old
        assert seen(result) == [(MISSING, None if old else key, 1)]
    await pair.new.run("UPDATE item SET id = id WHERE id % 3 = 1")
    result = await verify(pair, tmp_path)
    assert (result.exit_status, seen(result)) == (5, [(MISSING, key, 1)])
    await pair.new.run("INSERT INTO item VALUES (957, 'n957')")
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status, seen(result)) == ("not verified", 1, [])
    await pair.new.run("INSERT INTO item VALUES (5000, 'theirs')")
    result = await verify(pair, tmp_path)
    assert (result.exit_status, seen(result)) == (5, [(ADDED, "5000" if key else None, 1)])


async def test_rows_of_a_run_that_is_not_asked_for_are_no_strangers(
    make_pair: MakePair, tmp_path: Path
) -> None:
    """Also those that somebody wrote anew."""
    log = "CREATE TABLE log (line text);"
    pair = await make_pair(log + "INSERT INTO log SELECT 'a ' || g FROM generate_series(1, 300) g", log)
    first = await migrate(pair, tmp_path)
    more = "INSERT INTO log SELECT 'b ' || g FROM generate_series(1, 300) g"
    other = Pair((await make_pair(log + more, "")).old, pair.new)
    (tmp_path / "other").mkdir()
    assert (await migrate(other, tmp_path / "other")).exit_status == 0
    await pair.new.run("UPDATE log SET line = line WHERE line LIKE '% 7'")
    result = await verify(pair, tmp_path, run=first.run_id)
    assert (result.status, result.exit_status, seen(result)) == ("verified", 0, [])
    await pair.new.run("DELETE FROM log WHERE line = 'b 9'")
    result = await verify(pair, tmp_path, run=first.run_id)
    assert (result.status, result.exit_status, seen(result)) == ("verified", 0, [])
    await pair.new.run("UPDATE log SET line = 'c' WHERE line = 'a 9'")
    result = await verify(pair, tmp_path, run=first.run_id)
    # Of two rows of others, two may be the rows that the other run lacks, which its own OLD would name.
    assert (result.exit_status, seen(result)) == (5, [(MISSING, None, 1)])
