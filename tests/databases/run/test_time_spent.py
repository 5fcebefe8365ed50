"""``--profile``: a result says in which phases and questions the time went."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec import UNSET

from support import MakePair
from support.runs import migrate, verify

OLD = "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT n, n FROM generate_series(1, 250) n"
NEW = "CREATE TABLE t (id int PRIMARY KEY, n int CONSTRAINT small CHECK (n < 1000))"


def written_result(folder: Path) -> Any:
    (path,) = folder.glob("migration_result_live_*.json")
    return json.loads(path.read_text())


async def test_a_live_run_names_its_phases_and_questions(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    result = await migrate(pair, tmp_path, profile=True)
    phases = [one.phase for one in result.profile if not one.question]
    assert phases == [
        "compare the databases",
        "before the start",
        "take the snapshot",
        "prepare",
        "copy",
        "count",
        "verify",
        "end",
    ]
    asked = {(one.phase, one.question): one.times for one in result.profile}
    assert asked["copy", "COPY, over all streams"] == 3
    assert asked["prepare", "count and divide public.t"] == 1
    written = written_result(tmp_path)["profile"]
    assert [one["phase"] for one in written if not one["question"]] == phases


async def test_a_dry_run_copies_nothing(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    result = await migrate(pair, tmp_path, live=False, profile=True)
    assert "copy" not in {one.phase for one in result.profile}
    assert "prepare" in {one.phase for one in result.profile}


async def test_nobody_asked(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    assert (await migrate(pair, tmp_path)).profile is UNSET
    assert "profile" not in written_result(tmp_path)


async def test_a_verification_says_how_long_it_took_to_name_rows(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)
    assert (await verify(pair, tmp_path)).profile is UNSET
    await pair.new.run("UPDATE t SET n = 7 WHERE id = 8")
    result = await verify(pair, tmp_path, profile=True)
    asked = [(one.phase, one.question) for one in result.profile or ()]
    assert asked == [
        ("compare the rows", ""),
        ("compare the rows", "sums of public.t"),
        ("compare the rows", "name the rows that differ"),
        ("compare the rows", "second opinion"),
        ("ask the constraints", ""),
    ]
