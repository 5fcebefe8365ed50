"""A Python that was built without SQLite compares rows; which rows differ it cannot say, and says that."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support import MakePair
from support.runs import migrate, verify

ROWS = "CREATE TABLE t (id int PRIMARY KEY, word text)"


async def test_equal_rows_need_no_sqlite(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    pair = await make_pair(f"{ROWS}; INSERT INTO t SELECT g, 'w' || g FROM generate_series(1, 50) g", ROWS)
    assert (await migrate(pair, tmp_path)).exit_status == 0
    assert (await verify(pair, tmp_path)).exit_status == 0


async def test_rows_that_differ_end_with_what_is_missing(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(f"{ROWS}; INSERT INTO t SELECT g, 'w' || g FROM generate_series(1, 50) g", ROWS)
    assert (await migrate(pair, tmp_path)).exit_status == 0
    await pair.new.run("UPDATE t SET word = 'x' WHERE id = 7")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "sqlite3", None)
        result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("differs", 5)
    assert "to say which, Python needs its module sqlite3" in result.tables[0].verified_why
    (named, *_) = [one for one in (await verify(pair, tmp_path)).tables[0].differences if one.key]
    assert named.key == {"id": "7"}
