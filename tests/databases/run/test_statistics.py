"""Filled tables are analyzed at the end of a run, where its role may, and it is never a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair, Pair
from support.runs import migrate
from tranship.execution.switches import statistics
from tranship.model.names import TableName
from tranship.model.notes import NotAnalyzed
from tranship.model.progress import Event, Noted

OLD = "CREATE TABLE t (id int PRIMARY KEY, w text); INSERT INTO t SELECT n, 'w' FROM generate_series(1, 300) n; CREATE TABLE u (id int);"
NEW = "CREATE TABLE t (id int PRIMARY KEY, w text); CREATE TABLE u (id int);"


async def analyzed(pair: Pair) -> list[str]:
    rows = await pair.new.fetch(
        "SELECT relname::text FROM pg_class WHERE relname IN ('t', 'u') AND reltuples = 300"
    )
    return [row[0] for row in rows]


def told(events: list[Event]) -> list[NotAnalyzed]:
    return [
        event.what for event in events if isinstance(event, Noted) and isinstance(event.what, NotAnalyzed)
    ]


async def test_tables_that_got_rows(make_pair: MakePair, tmp_path: Path) -> None:
    pair, events = await make_pair(OLD, NEW), list[Event]()
    assert (await migrate(pair, tmp_path, events=events)).exit_status == 0
    assert await analyzed(pair) == ["t"]
    assert told(events) == []


async def test_not_wanted(make_pair: MakePair, tmp_path: Path) -> None:
    pair, events = await make_pair(OLD, NEW), list[Event]()
    await migrate(pair, tmp_path, events=events, analyze=False)
    assert (await analyzed(pair), told(events)) == ([], [])


@pytest.mark.parametrize(
    ("major", "grant", "may"), [(17, "MAINTAIN, ", True), (17, "", False), (15, "", False)]
)
async def test_a_role_that_does_not_own_the_table(
    make_pair: MakePair, tmp_path: Path, major: int, grant: str, may: bool
) -> None:
    pair, events = await make_pair(OLD, NEW, majors=(major, major)), list[Event]()
    role = f"writer_{pair.new.name}"
    await pair.new.run(
        f"""CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT CREATE ON DATABASE "{pair.new.name}" TO {role};
        GRANT {grant}SELECT, INSERT ON t, u TO {role}"""
    )
    ends = {"username": role, "password": "secret"}
    assert (await migrate(pair, tmp_path, events=events, new=ends)).exit_status == 0
    assert bool(await analyzed(pair)) is may
    assert [note.tables for note in told(events)] == ([] if may else [(TableName("public", "t"),)])


async def test_a_lock_of_another_session(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "_LOCK_TIMEOUT", "100ms")
    pair, events = await make_pair(OLD, NEW), list[Event]()
    async with pair.new.connect() as other, other.transaction():
        await other.execute("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE")
        assert (await migrate(pair, tmp_path, events=events)).exit_status == 0
    (note,) = told(events)
    assert "lock timeout" in note.why
