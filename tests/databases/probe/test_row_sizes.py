"""Which rows are certainly too large for a page, and which only NEW can judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from support.asking import make_job
from support.runs import migrate
from tranship.sql.old.safe_values import may_be_too_large

COLUMNS = "(SELECT string_agg({each}, ', ' ORDER BY n) FROM generate_series(1, {count}) n)"


def making(table: str, each: str, count: int, more: str = "") -> str:
    """SQL that makes a table of many columns."""
    columns = COLUMNS.format(each=f"format('c%s {each}', n)", count=count)
    return f"EXECUTE 'CREATE TABLE {table} (id bigint PRIMARY KEY, ' || {columns} || '{more})';"


def filling(table: str, values: str, count: int) -> str:
    """SQL that enters one row; ``values`` is SQL over the number ``n`` for the text of each value."""
    listed = COLUMNS.format(each=f"quote_literal({values})", count=count)
    return f"EXECUTE 'INSERT INTO {table} SELECT 1, ' || {listed};"


def block(*statements: str) -> str:
    return f"DO $do$ BEGIN {' '.join(statements)} END $do$;"


MORE = ", " + ", ".join(f"d{n} bigint DEFAULT 0" for n in range(60))
WAYS = {
    # Values, columns of OLD's rows, options of NEW's columns, whether the row arrives.
    "nothing compresses": ("md5(n::text)", 430, "", False),
    "all compresses": ("repeat('a', 60)", 460, "", True),
}


@pytest.mark.parametrize("way", WAYS)
async def test_rows_that_only_new_can_judge_are_counted(
    make_pair: MakePair, tmp_path: Path, way: str
) -> None:
    values, count, options, arrives = WAYS[way]
    old = block(making("t", "text", count), filling("t", values, count))
    pair = await make_pair(old, block(making("t", f"text {options}", count, MORE)))
    dry = await migrate(pair, tmp_path, live=False)
    assert dry.stats.rows_failed == 0
    assert dry.tables[0].not_asked == (
        "1 row may be too large for a page: whether NEW compresses them far enough shows when they are"
        " written (54000)",
    )
    assert (await migrate(pair, tmp_path)).stats.rows_migrated == int(arrives)


async def test_values_that_are_never_compressed_are_judged(make_pair: MakePair, tmp_path: Path) -> None:
    """EXTERNAL columns; short values stay in the row, and so do those of columns that were dropped."""
    external = " ".join(f"EXECUTE 'ALTER TABLE t ALTER c{n} SET STORAGE EXTERNAL';" for n in range(1, 431))
    old = block(making("t", "text", 430), filling("t", "md5(n::text)", 430))
    pair = await make_pair(old, block(making("t", "text", 430, MORE), external))
    dry = await migrate(pair, tmp_path, live=False)
    assert dry.tables[0].rejects_by_reason == {"54000": 1}
    assert (await migrate(pair, tmp_path)).tables[0].rejects_by_reason == {"54000": 1}


async def test_plain_columns_keep_their_long_values(make_pair: MakePair, tmp_path: Path) -> None:
    old = "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, repeat('a', 9000)), (2, repeat('b', 8000)), (3, NULL)"
    new = "CREATE TABLE t (id int PRIMARY KEY, a text, b int DEFAULT 7); ALTER TABLE t ALTER a SET STORAGE PLAIN"
    pair = await make_pair(old, new)
    dry = await migrate(pair, tmp_path, live=False)
    assert dry.tables[0].rejects_by_reason == {"54000": 1}
    assert (await migrate(pair, tmp_path)).tables[0].rejects_by_reason == {"54000": 1}


async def test_a_table_as_it_was_is_not_measured(make_pair: MakePair, tmp_path: Path) -> None:
    old = block(making("t", "text", 460), filling("t", "repeat('a', 60)", 460))
    pair = await make_pair(old, block(making("t", "text", 460)))
    dry = await migrate(pair, tmp_path, live=False)
    assert (dry.stats.rows_failed, dry.tables[0].not_asked) == (0, ())


async def test_keys_that_fit_no_index_are_rejected_and_others_noted(
    make_pair: MakePair, tmp_path: Path
) -> None:
    """Row 2 is compressed to fit, row 3 is not; nothing makes row 4 short enough, nor the plain key of row 3
    of ``u``. Their children go with them.
    """
    old = """CREATE TABLE t (id int PRIMARY KEY, a text); CREATE TABLE u (id int PRIMARY KEY, a text);
        INSERT INTO t VALUES (1, 'a'), (2, repeat('a', 9000)), (3, (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 200) n)),
            (4, repeat('b', 900000));
        INSERT INTO u SELECT id, a FROM t WHERE id < 4;
        CREATE TABLE v (id int PRIMARY KEY, u int); INSERT INTO v VALUES (1, 1), (2, 2), (3, 3)"""
    new = """CREATE TABLE t (id bigint PRIMARY KEY, a text); CREATE INDEX t_a ON t (a);
        CREATE TABLE u (id bigint PRIMARY KEY, a text); ALTER TABLE u ALTER a SET STORAGE EXTERNAL; CREATE UNIQUE INDEX u_a ON u (a);
        CREATE TABLE v (id bigint PRIMARY KEY, u bigint REFERENCES u)"""
    pair = await make_pair(old, new)
    dry = await migrate(pair, tmp_path, live=False)
    assert {t.table: t.rejects_by_reason for t in dry.tables} == {
        "public.t": {"54000 t_a": 1},
        "public.u": {"54000 u_a": 2},
        "public.v": {"23503 v_u_fkey": 2},
    }
    (t, _, _) = dry.tables
    assert t.not_asked == (
        "index t_a: 2 rows hold long values for it; NEW refuses what does not fit its page (54000)",
    )
    live = await migrate(pair, tmp_path)
    assert {t.table: t.rejects_by_reason for t in live.tables} == {
        "public.t": {"54000 t_a": 2},
        "public.u": {"54000 u_a": 2},
        "public.v": {"23503 v_u_fkey": 2},
    }


async def test_rows_that_are_mostly_null_are_not_sent_to_new(make_pair: MakePair) -> None:
    """NULLs take no room, whatever the number of columns."""
    columns = ", ".join(f"c{n} text" for n in range(1500))
    old = f"CREATE TABLE t (id int PRIMARY KEY, {columns}); INSERT INTO t VALUES (1, 'a'); INSERT INTO t (id) VALUES (2)"
    long = ", ".join(f"c{n}" for n in range(400))
    more = f"INSERT INTO t (id, {long}) SELECT 3, {', '.join(['repeat(md5(random()::text), 3)'] * 400)}"
    pair = await make_pair(f"{old}; {more}", f"CREATE TABLE t (id bigint PRIMARY KEY, {columns})")
    job = await make_job(pair)
    (plan,) = job.plan.tables
    large = may_be_too_large(plan, job.before(plan), job.after(plan))
    assert await pair.old.fetch(f"SELECT id FROM t AS old WHERE {large}") == [(3,)]
