"""Values that NEW refuses although both types have one name: the dry run predicts each, and the run rejects
its row and goes on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.asking import ask_all
from support.runs import migrate

Reject = tuple[Any, str | None, str]


async def predicted(pair: Pair, table: str) -> list[Reject]:
    records = (await ask_all(pair)).records[f"public.{table}"]
    return sorted((r["key"]["id"], r["column"], r["sqlstate"]) for r in records)


async def met(pair: Pair, folder: Path) -> list[Reject]:
    result = await migrate(pair, folder)
    assert result.exit_status == 1
    (path,) = list(folder.glob("*rejects_live*.jsonl"))  # noqa: ASYNC240
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return sorted((r["key"]["id"], r["column"], r["sqlstate"]) for r in records)


async def test_names_of_objects_that_new_lacks(make_pair: MakePair, tmp_path: Path) -> None:
    columns = (
        "rel regclass, call regproc, sign regprocedure, op regoper, ops regoperator,"
        " role regrole, space regnamespace,"
    )
    columns += " kind regtype, conf regconfig, dict regdictionary, acl aclitem, list regclass[]"
    lone = f"lone_{tmp_path.name[:20]}"
    pair = await make_pair(
        f"""CREATE SCHEMA attic; CREATE VIEW attic.box AS SELECT 1 AS id;
        CREATE FUNCTION attic.once(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
        CREATE OPERATOR attic.<~> (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl);
        CREATE TEXT SEARCH CONFIGURATION attic.terse (COPY = simple);
        CREATE TEXT SEARCH DICTIONARY attic.words (TEMPLATE = simple);
        CREATE TABLE log (id int PRIMARY KEY, {columns});
        INSERT INTO log (id, rel) VALUES (1, 'attic.box'), (2, 'pg_class'), (3, NULL);
        INSERT INTO log (id, call) VALUES (4, 'attic.once'), (5, 'pg_backend_pid');
        INSERT INTO log (id, sign) VALUES (6, 'attic.once(int)'), (7, 'lower(text)');
        INSERT INTO log (id, op) VALUES (8, 'attic.<~>'); INSERT INTO log (id, ops) VALUES (9,
        'attic.<~>(int,int)'); INSERT INTO log (id, space) VALUES (10, 'attic'), (11, 'public');
        INSERT INTO log (id, kind) VALUES (12, 'attic.box'), (13, 'varchar');
        INSERT INTO log (id, conf) VALUES (14, 'attic.terse'), (15, 'english');
        INSERT INTO log (id, dict) VALUES (16, 'attic.words'), (17, 'simple');
        INSERT INTO log (id, list) VALUES (18, '{{pg_class,attic.box}}'), (19, '{{pg_class}}');""",
        f"CREATE TABLE log (id bigint PRIMARY KEY, {columns});",
        majors=(18, 17),
        template=False,
    )
    await pair.old.run(f"CREATE ROLE {lone}; INSERT INTO log (id, role) VALUES (20, '{lone}')")
    await pair.old.run(
        f"INSERT INTO log (id, acl) VALUES (21, '{lone}=r/postgres'), (22, 'postgres=r/postgres')"
    )
    try:
        found = await predicted(pair, "log")
        assert found == [
            (1, "rel", "42P01"),
            (4, "call", "42883"),
            (6, "sign", "42883"),
            (8, "op", "42883"),
            (9, "ops", "42883"),
            (10, "space", "3F000"),
            (12, "kind", "3F000"),
            (14, "conf", "42704"),
            (16, "dict", "42704"),
            (18, "list", "42P01"),
            (20, "role", "42704"),
            (21, "acl", "42704"),
        ]
        assert await met(pair, tmp_path) == found
        assert await pair.new.value("SELECT count(*) FROM log") == 22 - len(found)
    finally:
        await pair.old.run(f"DELETE FROM log; DROP ROLE {lone}")


@pytest.mark.parametrize("majors", [(17, 15), (18, 15)])
async def test_infinite_intervals_before_17(
    make_pair: MakePair, tmp_path: Path, majors: tuple[int, int]
) -> None:
    """In the bytes of interval_send infinity is the largest interval of earlier versions."""
    pair = await make_pair(
        """CREATE DOMAIN span AS interval; CREATE TYPE stay AS (since date, lasting interval);
        CREATE TYPE spans AS RANGE (SUBTYPE = interval);
        CREATE TABLE t (id int PRIMARY KEY, i interval, l interval[], d span, c stay, r spans);
        INSERT INTO t (id, i) VALUES (1, '1 day'), (2, 'infinity'), (3, '-infinity'), (4, NULL), (5,
        '170000000 years'); INSERT INTO t (id, l) VALUES (6, '{1 day,infinity}'), (7, '{1 day}'); INSERT INTO
        t (id, d) VALUES (8, 'infinity');
        INSERT INTO t (id, c) VALUES (9, '(2020-01-01,infinity)'); INSERT INTO t (id, r) VALUES (10, '[1
        day,infinity)')""",
        """CREATE DOMAIN span AS interval; CREATE TYPE stay AS (since date, lasting interval);
        CREATE TYPE spans AS RANGE (SUBTYPE = interval);
        CREATE TABLE t (id int PRIMARY KEY, i interval, l interval[], d span, c stay, r spans)""",
        majors=majors,
    )
    expected = [(2, "i"), (3, "i"), (6, "l"), (8, "d"), (9, "c"), (10, "r")]
    found = await predicted(pair, "t")
    assert found == [(key, column, "22007") for key, column in expected]
    assert await met(pair, tmp_path) == found
    assert await pair.new.fetch("SELECT id, i::text FROM t WHERE i IS NOT NULL ORDER BY id") == [
        (1, "1 day"),
        (5, "170000000 years"),
    ]


async def test_the_largest_interval_before_17_is_not_infinity(make_pair: MakePair, tmp_path: Path) -> None:
    largest = "178956970 years 7 mons 2147483647 days 2562047788:00:54.775807"
    table = "CREATE TABLE t (id int PRIMARY KEY, i interval);"
    pair = await make_pair(
        table + f"INSERT INTO t VALUES (1, '{largest}'), (2, '1 hour')", table, majors=(15, 17)
    )
    found = await predicted(pair, "t")
    assert [key for key, _, _ in found] == [1]
    assert await met(pair, tmp_path) == found
    assert await pair.new.fetch("SELECT id, i::text FROM t") == [(2, "01:00:00")]


async def test_a_type_of_an_extension_on_another_version(make_pair: MakePair, tmp_path: Path) -> None:
    """ltree raises its own codes (42601), and takes hyphens from PostgreSQL 16 on."""
    table = "CREATE EXTENSION ltree; CREATE TABLE t (id int PRIMARY KEY, path ltree);"
    pair = await make_pair(
        table + "INSERT INTO t VALUES (1, 'top.science'), (2, 'top.sci-fi'), (3, NULL)",
        table,
        majors=(18, 15),
        template=False,
    )
    found = await predicted(pair, "t")
    assert found == [(2, "path", "42601")]
    assert await met(pair, tmp_path) == found


@pytest.mark.parametrize("code", ["42883", "42P01", "3F000", "0A000"])
async def test_a_code_of_a_single_value_does_not_stop_the_run(
    make_pair: MakePair, tmp_path: Path, code: str
) -> None:
    """A function that a CHECK calls may raise any code, and in a read-only transaction it may raise none."""
    new = f"""
        CREATE FUNCTION sly(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
          IF n % 37 = 5 AND current_setting('transaction_read_only') = 'off' THEN
            RAISE EXCEPTION 'no such thing: %', n USING ERRCODE = '{code}';
          END IF; RETURN true; END $$;
        CREATE TABLE t (id int PRIMARY KEY, n int CHECK (sly(n)));"""
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, n int);"
        " INSERT INTO t SELECT g, g FROM generate_series(1, 200) g",
        new,
        template=False,
    )
    expected = [(n, code) for n in range(1, 201) if n % 37 == 5]
    assert [(key, code) for key, _, code in await met(pair, tmp_path)] == expected
    assert await pair.new.value("SELECT count(*) FROM t") == 200 - len(expected)
