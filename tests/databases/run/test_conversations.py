"""How often a run asks: many tables are asked about together, so a hundred more cost a few round trips more, not hundreds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair, run_python
from support.counting import CountingProxy, Counts
from support.runs import migrate
from tranship.model.options import Verify

FEW, MANY = 10, 110
MOST_OF_OLD, MOST_OF_NEW = 140, 220
"""Round trips of a run over one empty table; OLD alone needed 279 while a session and a catalog were many
questions."""


def tables(count: int, columns: str = "id int PRIMARY KEY, a int, b text UNIQUE") -> str:
    return "".join(f"CREATE TABLE t{n} ({columns});" for n in range(count))


def filled(count: int) -> str:
    return "".join(
        f"INSERT INTO t{n} SELECT i, i, 'w' || i FROM generate_series(1, 5) i;" for n in range(count)
    )


async def counted(pair: Pair, folder: Path, **options: Any) -> tuple[Any, Counts, Counts]:
    """A run through two proxies that count; its result, and the counts of OLD and NEW."""
    with ExitStack() as stack:
        proxies = [
            stack.enter_context(CountingProxy(side.server.host, side.server.port))
            for side in (pair.old, pair.new)
        ]
        old, new = (proxy.address for proxy in proxies)
        result = await migrate(pair, folder, old=old, new=new, **{"batch_size": 50_000, **options})
        return result, proxies[0].counts, proxies[1].counts


async def per_table(
    make_pair: MakePair, folder: Path, make: Callable[[int], tuple[str, str]], **options: Any
) -> tuple[float, float]:
    """Returns the round trips to OLD and to NEW for each further table."""
    trips = []
    for count in (FEW, MANY):
        result, old, new = await counted(await make_pair(*make(count)), folder, **options)
        assert result.stats.rows_failed == 0
        trips.append((old.round_trips, new.round_trips))
    (few_old, few_new), (many_old, many_new) = trips
    return (many_old - few_old) / (MANY - FEW), (many_new - few_new) / (MANY - FEW)


async def test_a_dry_run_asks_about_many_tables_together(make_pair: MakePair, tmp_path: Path) -> None:
    old, new = await per_table(
        make_pair, tmp_path, lambda count: (tables(count) + filled(count), tables(count)), live=False
    )
    assert old < 1
    assert new < 0.5


async def test_sequences_are_read_and_moved_together(make_pair: MakePair, tmp_path: Path) -> None:
    def make(count: int) -> tuple[str, str]:
        made = "".join(f"CREATE SEQUENCE s{n};" for n in range(count)) + "CREATE TABLE t (id int)"
        return f"{made}; {'; '.join(f'SELECT setval($$s{n}$$, {n + 5})' for n in range(count))}", made

    old, new = await per_table(make_pair, tmp_path, make)
    assert old < 0.2
    assert new < 0.3


async def test_small_tables_share_transactions(make_pair: MakePair, tmp_path: Path) -> None:
    old, new = await per_table(
        make_pair,
        tmp_path,
        lambda count: (tables(count) + filled(count), tables(count)),
        verify=Verify.OFF,
    )
    # COPY alone takes one round trip on OLD and two on NEW.
    assert old < 3
    assert new < 5


async def test_a_batch_is_a_short_conversation(make_pair: MakePair, tmp_path: Path) -> None:
    trips, table = [], "CREATE TABLE t (id int PRIMARY KEY, w text);"
    for size in (1000, 100):
        rows = "INSERT INTO t SELECT n, 'w' FROM generate_series(1, 4000) n"
        result, old, new = await counted(
            await make_pair(table + rows, table), tmp_path, batch_size=size, verify=Verify.OFF
        )
        assert result.stats.rows_migrated == 4000
        trips.append((old.round_trips, new.round_trips))
    further = 40 - 4
    # OLD: the beginning, COPY, the end. NEW: the beginning, the fence, the claim, COPY twice, what is deferred,
    # triggers, the account, COMMIT.
    assert (trips[1][0] - trips[0][0]) / further <= 3.5
    assert (trips[1][1] - trips[0][1]) / further <= 9.5


async def test_a_run_begins_and_ends_with_few_round_trips(make_pair: MakePair, tmp_path: Path) -> None:
    table = "CREATE TABLE t (id int PRIMARY KEY, w text);"
    _, old, new = await counted(await make_pair(table, table), tmp_path, verify=Verify.OFF)
    assert old.round_trips <= MOST_OF_OLD
    assert new.round_trips <= MOST_OF_NEW


TREE = """CREATE TABLE root (id int PRIMARY KEY, w text);
{}
CREATE TABLE log (id int PRIMARY KEY, at timestamptz DEFAULT now(), w text);"""
BRANCHES = "".join(
    f"CREATE TABLE b{n} (id int PRIMARY KEY, up int REFERENCES {f'b{n - 1}' if n % 4 else 'root'}, w text);"
    for n in range(24)
)
ROWS = "INSERT INTO root SELECT n, 'r' FROM generate_series(1, 9) n;" + "".join(
    f"INSERT INTO b{n} SELECT i, i, 'x' || i FROM generate_series(1, 9) i;" for n in range(24)
)


async def content(pair: Pair) -> list[tuple[Any, ...]]:
    """Every row of every branch in NEW."""
    parts = (f"SELECT {n}, id, up, w FROM b{n}" for n in range(24))
    return await pair.new.fetch(" UNION ALL ".join(parts) + " ORDER BY 1, 2")


async def test_a_refused_row_leaves_its_transaction_to_single_tables(
    make_pair: MakePair, tmp_path: Path
) -> None:
    """A CHECK that only a writing transaction breaks: no data check can predict it."""
    sly = """CREATE FUNCTION sly(n int) RETURNS boolean LANGUAGE sql AS
        $$SELECT current_setting('transaction_read_only') = 'on' OR n <> 5$$;"""
    new = TREE.format(BRANCHES).replace(
        "TABLE b4 (id int PRIMARY KEY", "TABLE b4 (id int PRIMARY KEY CONSTRAINT sly CHECK (sly(id))"
    )
    pair = await make_pair(TREE.format(BRANCHES) + ROWS, sly + new)
    live = await migrate(pair, tmp_path)
    failed = {table.table: table.rows_failed for table in live.tables if table.rows_failed}
    # The row and its descendants.
    assert failed == {f"public.b{n}": 1 for n in (4, 5, 6, 7)}
    rows = await content(pair)
    assert len(rows) == 24 * 9 - 4
    assert not [row for row in rows if row[0] in (4, 5, 6, 7) and row[1] == 5]


@pytest.mark.parametrize(
    "at", ["batch.fenced:2", "batch.copied:1", "batch.counted:3", "batch.committed:2", "table.done:7"]
)
async def test_a_run_that_ended_between_shared_transactions_is_resumed(
    make_pair: MakePair, tmp_path: Path, at: str
) -> None:
    pair = await make_pair(TREE.format(BRANCHES) + ROWS, TREE.format(BRANCHES))
    config = pair.config(tmp_path)
    died = run_python(
        "-m", "tranship", "migrate", config, "--live", cwd=tmp_path, env={"TRANSHIP_FAILPOINT": f"{at}:kill"}
    )
    assert died.status == -9, died
    live = await migrate(pair, tmp_path)
    assert live.stats.rows_failed == 0
    rows = await content(pair)
    assert [row[1] for row in rows] == list(range(1, 10)) * 24


async def test_a_trigger_keeps_its_table_out_of_shared_transactions(
    make_pair: MakePair, tmp_path: Path
) -> None:
    """It was silenced when the table was alone, so it is silenced among many."""
    trigger = """CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.w := 'shouted'; RETURN NEW; END$$;
        CREATE TRIGGER shout BEFORE INSERT ON b3 FOR EACH ROW EXECUTE FUNCTION shout();"""
    pair = await make_pair(TREE.format(BRANCHES) + ROWS, TREE.format(BRANCHES) + trigger)
    await migrate(pair, tmp_path)
    assert {row[3] for row in await content(pair) if row[0] == 3} == {f"x{n}" for n in range(1, 10)}
