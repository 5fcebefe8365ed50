"""Large tables of which nothing is asked beforehand are counted while they are copied."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.portions import UNCOUNTED
from support.runs import interrupted, migrate, owned_by_a_plain_role
from tranship.errors import Stopped
from tranship.execution.copying import split
from tranship.execution.copying.assignment import Assignment, Report
from tranship.execution.copying.batch import Worker
from tranship.execution.resilience.failpoints import FailpointReached
from tranship.execution.switches import indexes
from tranship.model.notes import BatchDivided, IndexesToRemove, IndexRemoved, Retrying
from tranship.model.progress import BatchDone, Event, Noted, TableStarted

OLD = """
CREATE TABLE t (id integer PRIMARY KEY, word text) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT n, repeat('w', n % 50) FROM generate_series(1, 20000) n;
DELETE FROM t WHERE id BETWEEN 4000 AND 9000 OR id % 7 = 0; UPDATE t SET word = 'u' WHERE id % 11 = 0;
"""
NEW = "CREATE TABLE t (id bigint PRIMARY KEY, word text, added date DEFAULT '2026-01-01')"
SAME = "SELECT count(*)::int, sum(hashtextextended(t.id::text || t.word, 0))::text FROM t"
LEFT = "SELECT count(*) FILTER (WHERE state = 'todo')::int, sum(row_count)::int FROM _tranship.batch"


pytestmark = pytest.mark.usefixtures("small_portions")


async def same(pair: Pair) -> None:
    """Checks that NEW holds OLD's rows, and that the journal knows how many."""
    assert await pair.new.fetch(SAME) == await pair.old.fetch(SAME)
    rows = await pair.old.value("SELECT count(*)::int FROM t")
    task = "SELECT row_count::int, digest LIKE 'recent:%', state FROM _tranship.task"
    assert await pair.new.fetch(task) == [(rows, True, "done")]
    assert await pair.new.fetch(LEFT) == [(0, rows)]


async def test_the_first_batch_is_committed_before_the_last_row_is_counted(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    events: list[Event] = []
    counted = asyncio.Event()

    @observe
    async def count_waits(name: str) -> None:
        if name == "count.found":
            await counted.wait()
        if name == "batch.committed":
            assert counted.is_set() or await pair.new.value(UNCOUNTED) == 1
            counted.set()

    result = await migrate(pair, tmp_path, events=events, batch_size=300)
    assert result.exit_status == 0
    assert result.tables[0].rows_read == await pair.old.value("SELECT count(*)::int FROM t")
    await same(pair)
    told = [event.rows for event in events if isinstance(event, TableStarted)]
    assert len(told) > 3
    assert told[-1] == sum(event.read for event in events if isinstance(event, BatchDone))


@pytest.mark.parametrize("place", ["count.found", "count.journalled", "batch.committed"])
@pytest.mark.parametrize("passage", [1, 3])
@pytest.mark.usefixtures("quiet")
async def test_an_interrupted_run_counts_on_where_its_snapshot_is_seen_again(
    make_pair: MakePair, tmp_path: Path, observe: Observe, place: str, passage: int
) -> None:
    pair = await make_pair(OLD, NEW)
    await interrupted(pair, tmp_path, observe, place, passage=passage, batch_size=300)
    assert await pair.new.value(UNCOUNTED) == 1
    assert (await migrate(pair, tmp_path, batch_size=300, live=False)).exit_status == 0
    assert await pair.new.value(UNCOUNTED) == 1, "a dry run writes nothing"
    assert (await migrate(pair, tmp_path, batch_size=700)).exit_status == 0
    await same(pair)


@pytest.mark.parametrize("live", [True, False])
async def test_what_was_not_counted_is_not_taken_for_unchanged(
    make_pair: MakePair, tmp_path: Path, observe: Observe, live: bool
) -> None:
    """A row that is deleted and nothing else leaves no trace among the rows that are there."""
    pair = await make_pair(OLD, NEW)
    await interrupted(pair, tmp_path, observe, "count.journalled", passage=2, batch_size=300)
    await pair.old.run("DELETE FROM t WHERE id = (SELECT max(id) FROM t)")
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, batch_size=300, live=live)
    assert "before all rows of public.t were counted" in str(stopped.value)
    assert "--new-snapshot unfinished" in str(stopped.value.hint)
    result = await migrate(pair, tmp_path, batch_size=300, new_snapshot="unfinished", live=live)
    assert result.exit_status == 0
    if live:
        await same(pair)


async def test_once_all_is_counted_a_run_goes_on_in_another_snapshot(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)

    @observe
    async def dies_when_all_is_counted(name: str) -> None:
        if name == "batch.committed" and not await pair.new.value(UNCOUNTED):
            raise FailpointReached(name)

    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, batch_size=300)
    observe.stop()
    assert (await pair.new.fetch(LEFT))[0][0] > 0
    await pair.old.run("SELECT txid_current()")
    assert (await migrate(pair, tmp_path, batch_size=300)).exit_status == 0
    await same(pair)


async def test_batches_that_are_divided_meanwhile_have_numbers_of_their_own(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    real = Worker._once

    async def once(self: Worker, assignment: Assignment) -> Report:
        if assignment.batch.rows > 150:
            raise asyncpg.OutOfMemoryError("no memory")
        return await real(self, assignment)

    monkeypatch.setattr(Worker, "_once", once)
    monkeypatch.setattr(split, "SMALLEST_BATCH", 10)
    events: list[Event] = []
    assert (await migrate(pair, tmp_path, batch_size=500, events=events)).exit_status == 0
    assert [event for event in events if isinstance(event, Noted) and isinstance(event.what, BatchDivided)]
    await same(pair)


@pytest.mark.usefixtures("quiet")
async def test_a_rollback_leaves_what_was_not_counted(
    make_pair: MakePair, tmp_path: Path, observe: Observe, run_cli: Any
) -> None:
    pair = await make_pair(OLD, NEW)
    await interrupted(pair, tmp_path, observe, "count.journalled", passage=2, batch_size=300)
    said = run_cli("rollback", pair.config(tmp_path), "--live")
    assert said.status == 0, said
    assert await pair.new.value("SELECT count(*)::int FROM t") == 0
    assert (await migrate(pair, tmp_path, batch_size=300)).exit_status == 0
    await same(pair)


async def test_status_shows_a_run_that_is_not_counted(
    make_pair: MakePair, tmp_path: Path, observe: Observe, run_cli: Any
) -> None:
    pair = await make_pair(OLD, NEW)
    await interrupted(pair, tmp_path, observe, "batch.committed", passage=1, batch_size=300)
    said = run_cli("status", pair.config(tmp_path), "--format", "json")
    assert said.status in (0, 1), said
    assert json.loads(said.stdout)


PARTITIONED = """
CREATE TABLE t (id integer, word text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (MINVALUE) TO (8000);
CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (8000) TO (8010);
CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (8010) TO (MAXVALUE);
"""


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.usefixtures("quiet")
async def test_each_partition_is_counted_by_itself(
    make_pair: MakePair, tmp_path: Path, observe: Observe, killed: bool
) -> None:
    rows = "INSERT INTO t SELECT n, repeat('w', n % 50) FROM generate_series(1, 20000) n;"
    pair = await make_pair(f"{PARTITIONED} {rows} ALTER TABLE t ADD CHECK (id > 0)", NEW)
    if killed:
        await interrupted(pair, tmp_path, observe, "count.journalled", passage=2, batch_size=300)
        assert await pair.new.value(UNCOUNTED) == 2
    assert (await migrate(pair, tmp_path, batch_size=300)).exit_status == 0
    assert await pair.new.fetch(SAME) == await pair.old.fetch(SAME)


NOT_LATER = {
    "a new CHECK, and an index may refuse": "ALTER TABLE t ADD CHECK (id > 0); CREATE INDEX ON t (word)",
    "a new key": "ALTER TABLE t ADD UNIQUE (word)",
    "numbers of a sequence": "ALTER TABLE t ADD number serial",
    "a new foreign key": "CREATE TABLE p (id bigint PRIMARY KEY); ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES p NOT VALID",
}


@pytest.mark.parametrize("change", NOT_LATER)
async def test_a_table_of_which_something_is_asked_is_counted_before(
    make_pair: MakePair, tmp_path: Path, observe: Observe, change: str
) -> None:
    pair = await make_pair(OLD, f"{NEW}; {NOT_LATER[change]}")
    passed: list[str] = []

    @observe
    async def note(name: str) -> None:
        passed.append(name)

    await migrate(pair, tmp_path, batch_size=20_000)
    assert not [name for name in passed if name.startswith("count.")]


@pytest.mark.usefixtures("quiet")
async def test_a_share_of_rejects_is_one_of_all_rows(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    """The command that resumes has a limit, which is compared once all rows are counted."""
    pair = await make_pair(OLD, NEW)
    await interrupted(pair, tmp_path, observe, "count.journalled", passage=2, batch_size=300)
    passed: list[str] = []

    @observe
    async def note(name: str) -> None:
        passed.append(name)

    assert (await migrate(pair, tmp_path, batch_size=300, max_rejects="1%")).exit_status == 0
    last = len(passed) - 1 - passed[::-1].index("count.journalled")
    assert last < passed.index("batch.committed")
    await same(pair)


async def test_a_person_who_stops_does_not_wait_for_the_count(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    stop, never = asyncio.Event(), asyncio.Event()

    @observe
    async def hangs(name: str) -> None:
        if name == "count.found":
            stop.set()
            await never.wait()

    with pytest.raises(Stopped) as stopped:
        await asyncio.wait_for(migrate(pair, tmp_path, batch_size=300, stop=stop), 60)
    assert "stopped as asked" in str(stopped.value)


async def test_what_ends_the_count_ends_the_run(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    observe.fail("count.found", passage=2)
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, batch_size=300)
    assert "count.found" in str(stopped.value)


KEEP = """
CREATE TABLE kept AS SELECT * FROM _tranship.batch; CREATE TABLE kept_number AS SELECT next_number FROM _tranship.task;
"""
LOSE = """
DELETE FROM _tranship.batch; INSERT INTO _tranship.batch SELECT * FROM kept;
UPDATE _tranship.task SET next_number = k.next_number FROM kept_number k;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name LIKE 'tranship%';
"""
"""As a standby would stand that has no portion later than what is kept."""


@pytest.mark.parametrize("portions_lost", [1, 2])
@pytest.mark.usefixtures("quiet")
async def test_a_new_that_lost_a_portion_stops_the_run(
    make_pair: MakePair, tmp_path: Path, observe: Observe, portions_lost: int
) -> None:
    pair = await make_pair(OLD, NEW)
    lost, counted = asyncio.Event(), 0

    @observe
    async def loses(name: str) -> None:
        nonlocal counted
        counted += name == "count.journalled"
        if name == "count.journalled" and counted == 1:
            await pair.new.run(KEEP)
        if name == "count.journalled" and counted == 1 + portions_lost:
            await pair.new.run(LOSE)
            lost.set()
        if name == "batch.begun":
            await lost.wait()

    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, batch_size=300)
    observe.stop()
    assert stopped.value.code == "TS426"
    assert (await migrate(pair, tmp_path, batch_size=300)).exit_status == 0
    await same(pair)


async def test_many_small_tables_do_not_take_one_that_is_not_counted(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    """Its first pages hold no row."""
    few = "".join(f"CREATE TABLE s{n} (id integer PRIMARY KEY); " for n in range(20))
    rows = "".join(f"INSERT INTO s{n} VALUES ({n}); " for n in range(20))
    old = f"{few} {rows} {OLD} DELETE FROM t WHERE id < 9000;"
    pair = await make_pair(old, f"{few} {NEW}")
    assert (await migrate(pair, tmp_path, batch_size=300)).exit_status == 0
    assert await pair.new.fetch(SAME) == await pair.old.fetch(SAME)
    # One transaction of each stream has them all: a heap that is counted to its end is a small one.
    transactions = (
        "SELECT count(DISTINCT xids)::int FROM _tranship.batch b JOIN _tranship.task t USING (run, position)"
    )
    assert await pair.new.value(f"{transactions} WHERE t.old_table NOT LIKE '%\"t\"%'") == 2


async def test_what_is_not_counted_is_estimated_by_the_statistics(
    make_pair: MakePair, tmp_path: Path
) -> None:
    """All rows at the beginning of a heap may have been deleted."""
    pair = await make_pair(f"{OLD} DELETE FROM t WHERE id < 9500; ANALYZE t", NEW)
    events: list[Event] = []
    assert (await migrate(pair, tmp_path, batch_size=300, events=events)).exit_status == 0
    rows = await pair.old.value("SELECT count(*)::int FROM t")
    told = [event.rows for event in events if isinstance(event, TableStarted)]
    assert all(rows * 0.9 < one < rows * 1.1 for one in told), (rows, told)
    await same(pair)


async def test_the_first_batch_is_one_of_each_sample(make_pair: MakePair, tmp_path: Path) -> None:
    """Also where the pages that are counted before the first row hold none."""
    pair = await make_pair(f"{OLD} DELETE FROM t WHERE id < 9500", NEW)
    assert (await migrate(pair, tmp_path, batch_size=300, sample="0.001%")).exit_status == 0
    hashed = "SELECT number::int FROM _tranship.batch WHERE hash0 IS NOT NULL"
    assert await pair.new.fetch(hashed) == [(0,)]
    await same(pair)


@pytest.mark.parametrize("deleted", ["id < 9500", "id > 3900"])
@pytest.mark.parametrize("least", [1000, 10_000])
async def test_a_live_run_removes_the_indexes_that_the_dry_run_names(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deleted: str, least: int
) -> None:
    """It depends on the number of rows, which a dry run has counted, and not on an estimate."""
    monkeypatch.setattr(indexes, "AUTO_ROWS", least)
    old = f"{OLD} DELETE FROM t WHERE {deleted}"
    pair = await make_pair(old, f"{NEW}; CREATE INDEX by_day ON t (added)")
    found: list[bool] = []
    for live, kind in ((False, IndexesToRemove), (True, IndexRemoved)):
        events: list[Event] = []
        await migrate(pair, tmp_path, batch_size=300, events=events, live=live)
        found.append(any(isinstance(event, Noted) and isinstance(event.what, kind) for event in events))
    assert found == [least == 1000] * 2
    await same(pair)


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.usefixtures("quiet")
async def test_where_there_is_no_connection_beside_the_streams_all_is_counted_before(
    make_pair: MakePair, tmp_path: Path, observe: Observe, killed: bool
) -> None:
    """Else a stream would wait for the connection that counts, or the count for that of a stream."""
    pair = await make_pair(OLD, NEW)
    reader, owner = f"few_{pair.old.name}", await owned_by_a_plain_role(pair)
    await pair.old.run(f"CREATE ROLE {reader} LOGIN PASSWORD 'secret' CONNECTION LIMIT 3")
    await pair.old.run(f"GRANT SELECT ON t TO {reader}")
    ends = {"old": {"username": reader, "password": "secret"}, "new": owner}
    if killed:
        observe.fail("count.journalled", passage=2)
        with pytest.raises(Stopped):
            await migrate(pair, tmp_path, batch_size=300, **ends)
        observe.stop()
    await pair.new.run(f"ALTER ROLE {owner['username']} CONNECTION LIMIT 3")
    events: list[Event] = []
    assert (await migrate(pair, tmp_path, batch_size=300, events=events, **ends)).exit_status == 0
    await same(pair)
    again = [one.what for one in events if isinstance(one, Noted) and isinstance(one.what, Retrying)]
    assert not [note for note in again if "OLD" in note.error]
