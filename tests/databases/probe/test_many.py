"""Many small tables and partitions: few statements ask about all of them, and find what one each would."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair, Pair
from support.asking import ask_all
from support.runs import migrate
from tranship.execution.probe import reading
from tranship.model.locator import Whole
from tranship.model.names import TableName
from tranship.model.plan import Source, TablePlan
from tranship.server import small
from tranship.server.cut import measure_several, versions

PARTS = "\n".join(f"CREATE TABLE p{n} PARTITION OF p FOR VALUES IN ({n});" for n in range(12))


@pytest.mark.parametrize("together", [1, 5, 50])
async def test_faults_in_partitions(
    make_pair: MakePair, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(reading, "_TOGETHER", together)
    pair = await make_pair(
        f"""CREATE TABLE p (id int, k int, word text, PRIMARY KEY (k, id)) PARTITION BY LIST (k); {PARTS}
            INSERT INTO p SELECT n, n % 12, 'w' || n FROM generate_series(1, 60) n WHERE n % 12 <> 5""",
        """CREATE TABLE p (id int, k int, word text, PRIMARY KEY (k, id), CONSTRAINT odd CHECK (id % 9 <> 0),
            CONSTRAINT short CHECK (word ~ '^w[0-9]$' OR id > 20))""",
    )
    found = await ask_all(pair)
    refused = [n for n in range(1, 61) if n % 12 != 5 and (n % 9 == 0 or 10 <= n <= 20)]
    assert found.keys("public.p") == refused


async def test_each_small_heap_has_its_rows_and_its_digest(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small, "_AT_ONCE", 2)
    await pair.old.run(
        """CREATE TABLE a (id int); INSERT INTO a SELECT generate_series(1, 10); DELETE FROM a WHERE id < 4;
        CREATE TABLE b (id int); CREATE TABLE c (t text); INSERT INTO c VALUES ('x');
        CREATE TABLE large (t text); INSERT INTO large SELECT n::text FROM generate_series(1, 50000) n"""
    )
    plans = []
    for name in ("a", "b", "c", "large"):
        table, oid = (
            TableName("public", name),
            await pair.old.value("SELECT $1::text::regclass::oid::int", name),
        )
        plans.append(TablePlan(table, table, (), (), (Source(table, table, oid),)))
    async with pair.old.connect() as old, old.transaction(isolation="repeatable_read", readonly=True):
        cuts = await measure_several(old, plans, 50_000)
        assert [cut.rows for cut in cuts] == [7, 0, 1, 50_000]
        assert [[batch.range for batch in cut.batches] for cut in cuts[:3]] == [[Whole(0)], [], [Whole(0)]]
        for plan, cut in zip(plans, cuts, strict=True):
            assert (cut.rows, cut.digest) == await versions(old, plan, cut.digest, 0)


async def test_tables_with_keys_that_new_holds(make_pair: MakePair, tmp_path: Path) -> None:
    tables = [f"t{n}" for n in range(30)]
    pair = await make_pair(
        "".join(
            f"CREATE TABLE {t} (id int PRIMARY KEY, w text); INSERT INTO {t} VALUES (1, 'o'), (2, 'p');"
            for t in tables
        ),
        "".join(f"CREATE TABLE {t} (id bigint PRIMARY KEY, w text UNIQUE);" for t in tables)
        + "INSERT INTO t7 VALUES (1, 'other'); INSERT INTO t8 VALUES (9, 'p');",
    )
    dry = await migrate(pair, tmp_path, live=False)
    live = await migrate(pair, tmp_path)
    failed = {table.table: table.rejects_by_reason for table in live.tables if table.rows_failed}
    assert failed == {"public.t7": {"23505 t7_pkey": 1}, "public.t8": {"23505 t8_w_key": 1}}
    assert failed == {table.table: table.rejects_by_reason for table in dry.tables if table.rows_failed}
    assert live.stats.rows_migrated == 58
