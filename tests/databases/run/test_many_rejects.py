"""The rejects file of a dry run has the first of each cause; that of a live run has all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest
from msgspec import UNSET

from support import MakePair, run_python
from support.runs import migrate
from tranship.execution.probe import remaining
from tranship.execution.probe.reject_book import Book
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.verdict import MigrationResult
from tranship.sql.old.rows import count_where

OLD = """
CREATE TABLE t (id int PRIMARY KEY, a int, b int);
INSERT INTO t SELECT g, CASE WHEN g % 2 = 0 THEN g END, g FROM generate_series(1, 40) g;
"""
NEW = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b int CHECK (b < 21))"


def written(result: MigrationResult) -> list[tuple[int, str]]:
    assert result.rejects_file is not None
    lines = map(json.loads, Path(result.rejects_file).read_text(encoding="utf-8").splitlines())
    return [(line["key"]["id"], line["sqlstate"]) for line in lines]


async def test_a_dry_run_writes_the_first_of_each_cause(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tranship.model.options.FIRST_OF_EACH_CAUSE", 3)
    pair = await make_pair(OLD, NEW)
    dry = await migrate(pair, tmp_path, live=False)
    assert written(dry) == [
        (1, "23502"),
        (3, "23502"),
        (5, "23502"),
        (22, "23514"),
        (24, "23514"),
        (26, "23514"),
    ]
    assert (dry.stats.rows_failed, dry.rejects_in_file) == (30, 6)
    assert [(cause.what, cause.rows) for cause in dry.tables[0].causes] == [
        ("NullRefused", 20),
        ("CheckViolated", 10),
    ]
    everything = await migrate(pair, tmp_path, live=False, all_rejects=True)
    assert len(written(everything)) == 30
    live = await migrate(pair, tmp_path)
    assert written(live) == written(everything)
    assert live.tables[0].causes == dry.tables[0].causes
    # The run is on record now: the dry run tells what it rejected, by the journal.
    again = await migrate(pair, tmp_path, live=False)
    assert written(again) == written(dry)


async def test_a_dry_run_estimates_the_time_by_the_last_run(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)
    await pair.old.run("CREATE TABLE u AS SELECT generate_series(1, 20) AS id")
    await pair.new.run("CREATE TABLE u (id int)")
    unknown = await migrate(pair, tmp_path, live=False)
    assert unknown.estimated_seconds is UNSET
    monkeypatch.setattr("tranship.execution.start.pace.ENOUGH_ROWS", 40)
    known = await migrate(pair, tmp_path, live=False)
    assert known.estimated_seconds > 0


async def test_what_collides_is_looked_at_once(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows that are out of the question were made into a set again for each row that collides, so that
    the time grew with the square of the rejects.
    """
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, code int); INSERT INTO t SELECT g, g / 2 FROM generate_series(1, 400) g",
        "CREATE TABLE t (id int PRIMARY KEY, code int UNIQUE)",
    )
    asked = 0
    real = Book.not_written

    def counted(book: Book, flow: FlowId) -> AbstractSet[Locator]:
        nonlocal asked
        asked += 1
        return real(book, flow)

    monkeypatch.setattr(Book, "not_written", counted)
    result = await migrate(pair, tmp_path, live=False)
    assert result.stats.rows_failed == 199
    assert asked < 20


SCATTERED = """
CREATE TABLE t (id int NOT NULL, a int, f int) PARTITION BY RANGE (id);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (400);
CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (400) TO (500);
CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (500) TO (2000);
INSERT INTO t SELECT g, CASE WHEN g % 3 > 0 OR g BETWEEN 400 AND 500 THEN g END,
  CASE WHEN g % 2 = 0 THEN 16777217 ELSE 1 END FROM generate_series(1, 1500) g;
"""


async def test_what_rows_lose_is_counted_in_parts_without_the_rejected_ones(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One statement named every rejected row."""
    pair = await make_pair(SCATTERED, "CREATE TABLE t (id int, a int NOT NULL, f real)")
    together = await migrate(pair, tmp_path, live=False)
    assert together.stats.rows_failed == 467
    statements = 0

    def counted(*given: object) -> str:
        nonlocal statements
        statements += 1
        return str(count_where(*given))

    monkeypatch.setattr(remaining, "MOST_GONE", 50)
    monkeypatch.setattr(remaining, "count_where", counted)
    parts = await migrate(pair, tmp_path, live=False)
    assert statements > 6
    assert parts.tables[0].losses == together.tables[0].losses
    assert [loss.rows for loss in parts.tables[0].losses] == [517]


TWO = """
CREATE TABLE parent (id int PRIMARY KEY, ok int);
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent);
INSERT INTO parent SELECT n, 0 FROM generate_series(1, 100) n;
INSERT INTO child SELECT n, 1 + n % 100 FROM generate_series(1, {rows}) n;
"""
NEW_TWO = """
CREATE TABLE parent (id int PRIMARY KEY, ok int CHECK (ok = 1));
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent);
"""
TREE = """
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES child, ok int);
INSERT INTO child SELECT n, CASE WHEN n > 1 THEN n / 2 END, (n > 1)::int FROM generate_series(1, {rows}) n;
"""
NEW_TREE = "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES child, ok int CHECK (ok = 1))"


MEASURED = """
import re
from pathlib import Path
from tranship.cli import main
main()
print("most memory:", re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the memory")
@pytest.mark.parametrize(("old", "new"), [(TWO, NEW_TWO), (TREE, NEW_TREE)], ids=["few parents", "a tree"])
async def test_a_child_of_a_rejected_parent_takes_little_memory(
    make_pair: MakePair, tmp_path: Path, old: str, new: str
) -> None:
    """It took 400 to 1200 bytes while its key was looked at with those of all others."""
    most = []
    for rows in (20_000, 60_000):
        pair = await make_pair(old.format(rows=rows), new)
        command = ("-c", MEASURED, "migrate", pair.config(tmp_path), "--results-dir", tmp_path)
        done = await asyncio.to_thread(run_python, *command, cwd=tmp_path)
        assert f"{rows} of" in done.stdout or f"Failed: {rows}" in done.stdout, done
        most.append(int(done.stdout.rpartition("most memory:")[2]) * 1024)
    assert (most[1] - most[0]) / 40_000 < 250
