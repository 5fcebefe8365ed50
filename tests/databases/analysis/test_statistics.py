"""What ANALYZE knows, read back from real servers."""

from __future__ import annotations

import pytest

from support import Servers
from tranship.analysis.statistics import read_statistics
from tranship.model.names import TableName
from tranship.model.statistics import Statistics
from tranship.server.catalog import read_catalog

SETUP = """
create type mood as enum ('sad', 'ok');
create table t (id int primary key, word text, feel mood, tags text[], none int, seen timestamptz, same date,
    b box, secret int);
insert into t select g, 'w' || g % 3, case when g % 4 = 0 then 'sad'::mood else 'ok' end, array['a,b', '"q"'],
    null,
  '2020-01-01 00:00+00'::timestamptz + g * interval '1 h', '2020-05-06', box '((0,0),(1,1))',
      g from generate_series(1, 400) g;
create table part (id int, x text) partition by list (id);
create table part_1 partition of part for values in (1);
create table part_2 partition of part for values in (2);
insert into part select 1 + g % 2, 'x' || g % 2 from generate_series(1, 100) g;
create table "Never ""analyzed" (a int);
analyze t; analyze part;
"""


async def read(
    servers: Servers, major: int, *, role: str = "postgres", values: int = 50, more: str = ""
) -> Statistics:
    database = await servers.create(major, SETUP + more)
    async with database.connect() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        await conn.execute(
            f"set session authorization {role}; set local datestyle = 'SQL, DMY';"
            " set local timezone = 'Asia/Kolkata'"
        )
        catalog = await read_catalog(conn, None)
        return await read_statistics(conn, catalog.tables, values=values)


@pytest.mark.parametrize("major", [15, 17, 18])
async def test_columns(servers: Servers, major: int) -> None:
    statistics = await read(servers, major)
    table = TableName("public", "t")
    number, word, feel, tags, none, seen, same = (
        statistics.of(table, c) for c in ("id", "word", "feel", "tags", "none", "seen", "same")
    )
    assert number is not None and (
        number.distinct_values,
        number.minimum,
        number.maximum,
        number.common_values,
    ) == (400, "1", "400", ())
    assert number.correlation == 1 and number.rows == 400
    assert (
        word is not None
        and set(word.common_values) == {"w0", "w1", "w2"}
        and word.covered == pytest.approx(1)
    )
    assert feel is not None and (feel.common_values, feel.common_frequencies) == (("ok", "sad"), (0.75, 0.25))
    assert tags is not None and tags.common_values == ('{"a,b","\\"q\\""}',)
    assert none is not None and (none.null_fraction, none.distinct_values, none.covered) == (1, None, 1)
    assert seen is not None and seen.minimum == "2020-01-01 01:00:00+00", (
        "in UTC and ISO whatever the session has"
    )
    assert same is not None and same.common_values == ("2020-05-06",)
    assert statistics.of(table, "missing") is None


async def test_a_partitioned_table_is_its_whole_tree(servers: Servers) -> None:
    found = (await read(servers, 18)).of(TableName("public", "part"), "x")
    assert found is not None and set(found.common_values) == {"x0", "x1"} and found.rows == 100


async def test_at_most_so_many_values(servers: Servers) -> None:
    found = (await read(servers, 18, values=2)).of(TableName("public", "t"), "word")
    assert found is not None and len(found.common_values) == len(found.common_frequencies) == 2


async def test_what_the_role_may_not_read_is_missing(servers: Servers) -> None:
    statistics = await read(
        servers, 18, role="pg_monitor", more="grant select (id, word) on t to pg_monitor;"
    )
    assert {c.column.column for c in statistics.columns if c.column.table.name == "t"} == {"id", "word"}
    assert {c.column.table.name for c in statistics.columns} == {"t"}
