"""Evidence from real data: bounded, read-only, and what the suggestions make of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from support import CliResult, Database, MakePair
from tranship.analysis.asker import Asker
from tranship.analysis.evidence import gather
from tranship.analysis.sides import Connections
from tranship.codec import encode
from tranship.model.catalog import Catalog
from tranship.model.evidence import Evidence
from tranship.model.names import ColumnRef, Side, TableName
from tranship.planning.deciding.suggest import Suggestions, suggest
from tranship.planning.matching.scope import make_scope
from tranship.server.catalog import read_catalog

RunCli = Callable[..., CliResult]

OLD = """
CREATE TABLE artists (id int PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO artists SELECT 1000 + g, 'artist ' || g FROM generate_series(1, 30) g;
CREATE TABLE albums (id int PRIMARY KEY, artist int REFERENCES artists, label int, status text,
    "Cat egory" text,
  title varchar(100), stock bigint, legacy text);
INSERT INTO albums SELECT 500 + g, 1001 + g % 30, 1 + g % 25, (ARRAY['ACTIVE','Closed'])[1 + g % 2],
    (ARRAY['Rock','Jazz','it''s'])[1 + g % 3],
  repeat('x', g), CASE WHEN g = 7 THEN 3000000000 ELSE g END, CASE WHEN g <= 4 THEN 'kept' END
      FROM generate_series(1, 60) g;
CREATE TABLE labels (id int PRIMARY KEY, title text);
INSERT INTO labels SELECT g, 'label ' || g FROM generate_series(1, 25) g;
CREATE TABLE few (id int PRIMARY KEY);
INSERT INTO few SELECT g FROM generate_series(1, 5) g;
"""
NEW = """
CREATE TYPE st AS ENUM ('active', 'closed');
CREATE TABLE categories (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text NOT NULL UNIQUE);
INSERT INTO categories (name) VALUES ('Rock'), ('Jazz');
CREATE TABLE albums (id int PRIMARY KEY, artist text, label text, status st,
    category_id int REFERENCES categories, title varchar(50), stock int);
CREATE TABLE labels (id int PRIMARY KEY, title text);
CREATE TABLE few (id int PRIMARY KEY);
"""
ALBUMS = TableName("public", "albums")


async def _read(database: Database) -> Catalog:
    async with database.connect() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        return await read_catalog(conn, None)


async def _gather(make_pair: MakePair, seconds: float = 20.0) -> tuple[Evidence, Suggestions]:
    pair = await make_pair(OLD, NEW)
    old, new = await _read(pair.old), await _read(pair.new)
    scope, _ = make_scope(old, new, None)
    async with pair.old.connect() as old_conn, pair.new.connect() as new_conn:
        evidence = await gather(Connections(old_conn, new_conn), old, new, scope, probe_seconds=seconds)
    return evidence, suggest(old, new, scope, evidence)


async def test_facts_and_what_becomes_of_them(make_pair: MakePair) -> None:
    evidence, made = await _gather(make_pair)
    assert evidence.not_asked == ()
    status = evidence.of(ALBUMS, "status")
    assert status is not None
    assert [(v.value, v.rows) for v in status.values] == [("ACTIVE", 30), ("Closed", 30)]
    legacy = evidence.of(ALBUMS, "legacy")
    assert legacy is not None
    assert (legacy.rows, legacy.nulls, legacy.complete) == (60, 56, True)
    assert {(m.old.column, m.rows) for m in evidence.misfits} == {("title", 10), ("stock", 1)}
    assert [(r.column, r.table) for r in evidence.references] == [
        (ColumnRef(ALBUMS, "label"), TableName("public", "labels"))
    ]
    entries = {
        entry["old_column"]: entry for entry in json.loads(encode(made.document))["resolutions"]["albums"]
    }
    assert entries["artist"]["lookup_table"] == {
        "table": "artists",
        "key_column": "id",
        "value_column": "name",
        "schema": "public",
        "database": "old",
    }
    assert entries["status"]["value_mapping"] == {"ACTIVE": "active", "Closed": "closed"}
    assert entries["label"]["lookup_table"] == {
        "table": "labels",
        "key_column": "id",
        "value_column": "title",
        "schema": "public",
        "database": "old",
    }
    assert "looks like a key of public.labels" in str(entries["label"]["_evidence"])
    category = entries["Cat egory"]
    assert category["action"] == "SPECIFY_ACTION"
    assert category["_suggestion"]["lookup_table"]["table"] == "categories"
    assert made.inserts == ("""INSERT INTO "public"."categories" ("name") VALUES ('it''s');""",)
    assert entries["title"]["action"] == entries["stock"]["action"] == "SPECIFY_ACTION"


async def test_names_are_looked_up_among_the_rows_that_the_run_brings(make_pair: MakePair) -> None:
    kinds = "CREATE TABLE kinds (no int PRIMARY KEY, title text);"
    pair = await make_pair(
        f"""{kinds} INSERT INTO kinds VALUES (3, 'book'), (4, 'map'), (5, 'map');
        CREATE TABLE good (id int PRIMARY KEY, kind text); INSERT INTO good VALUES (1, 'book'), (2, NULL);
        CREATE TABLE twice (id int PRIMARY KEY, kind text); INSERT INTO twice VALUES (1, 'map');""",
        f"""{kinds} CREATE TABLE good (id int PRIMARY KEY, kind_id int REFERENCES kinds);
        CREATE TABLE twice (id int PRIMARY KEY, kind_id int REFERENCES kinds);""",
    )
    old, new = await _read(pair.old), await _read(pair.new)
    scope, _ = make_scope(old, new, None)
    async with pair.old.connect() as old_conn, pair.new.connect() as new_conn:
        evidence = await gather(Connections(old_conn, new_conn), old, new, scope, probe_seconds=20)
    made = suggest(old, new, scope, evidence)
    entries = json.loads(encode(made.document))["resolutions"]
    lookup = {"table": "kinds", "key_column": "title", "value_column": "no", "schema": "public"}
    assert entries["good"][0]["lookup_table"] == lookup
    assert "which OLD's public.kinds fills, covers 100 % of 1 distinct value, 1 of 1 row" in str(
        entries["good"]
    )
    assert entries["twice"][0]["action"] == "SPECIFY_ACTION"
    assert made.inserts == ()


async def test_the_inserts_close_the_gap(make_pair: MakePair) -> None:
    pair = await make_pair(OLD, NEW)
    for _ in range(2):
        old, new = await _read(pair.old), await _read(pair.new)
        scope, _problems = make_scope(old, new, None)
        async with pair.old.connect() as old_conn, pair.new.connect() as new_conn:
            evidence = await gather(Connections(old_conn, new_conn), old, new, scope, probe_seconds=20)
        made = suggest(old, new, scope, evidence)
        for statement in made.inserts:
            await pair.new.run(statement)
    entries = {
        entry["old_column"]: entry for entry in json.loads(encode(made.document))["resolutions"]["albums"]
    }
    assert entries["Cat egory"]["action"] == "transform"
    assert not made.inserts


async def test_a_time_limit_of_nothing_asks_nothing_and_says_so(make_pair: MakePair) -> None:
    evidence, made = await _gather(make_pair, 0.0)
    assert evidence.columns == ()
    assert any("time limit" in line for line in evidence.not_asked)
    assert made.questions


EXPRESSIONS = (
    ("d text", "d date", "'31.12.2020'"),
    ("d text", "d date", "CASE g WHEN 1 THEN '' ELSE '12/31/2020' END"),
    ("d text", "d timestamp", "'31.12.2020 10:15'"),
    ("d int", "d date", "20201231"),
    ("n text", "n numeric(10,2)", "'1.234,56'"),
    ("n text", "n numeric(10,2)", "'€ 12,50'"),
    ("at bigint", "at timestamptz", "1600000000000"),
    ("at bigint", "at timestamp", "1600000000"),
    ("minutes int", "minutes interval", "90"),
    ("tags text", "tags text[]", "'a; b'"),
    ("coords text", "lat float8, lng float8", "'52.5, 13.4'"),
    ("address text", "street text, zip text, city text", "'Weg 1, 10115 Berlin'"),
    ("address text", "street text, city text, state text, zip text", "'1 Main St, Springfield, IL 62701'"),
    ("phone text", "country_code text, phone_number text", "'+49 30 12'"),
    ("name text", "first_name text, last_name text", "'Doe, Jane'"),
    ("name text", "first_name text, last_name text", "'Jane Doe'"),
    ("price text", "amount numeric(9,2), currency text", "'12.50 EUR'"),
    ("size text", "size_width int, size_height int", "'10x20'"),
    ("starts_at timestamp", "day date, hour time", "timestamp '2020-01-01 10:00'"),
    ("period daterange", "start_on date, end_on date", "daterange('2020-01-01', '2020-02-01')"),
)
MERGES = (
    ("day date, hour time", "starts_at timestamp", "date '2020-01-01', time '10:00'"),
    ("first_name text, last_name text", "full_name text", "'Jane', 'Doe'"),
    ("street text, zip text, city text", "address text NOT NULL", "'Weg 1', '10115', 'Berlin'"),
    ("lat float8, lng float8", "coordinates text", "52.5, 13.4"),
    ("amount numeric, currency text", "price text", "12.5, 'EUR'"),
    ("start_on date, end_on date", "period daterange", "date '2020-01-01', date '2020-02-01'"),
)


async def test_every_expression_that_is_offered_runs_and_fits(
    make_pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = list(enumerate((*EXPRESSIONS, *MERGES)))
    created = [f"CREATE TABLE t{n} (id int PRIMARY KEY, {old}, z text);" for n, (old, _, _) in shapes]
    filled = [
        f"INSERT INTO t{n} SELECT g, {value}, 'z' FROM generate_series(1, 3) g;"
        for n, (_, _, value) in shapes
    ]
    wanted = [f"CREATE TABLE t{n} (id int PRIMARY KEY, {new}, z text);" for n, (_, new, _) in shapes]
    pair = await make_pair("\n".join(created + filled), "\n".join(wanted))
    old, new = await _read(pair.old), await _read(pair.new)
    scope, _ = make_scope(old, new, None)
    for sampled in (False, True):
        async with pair.old.connect() as old_conn, pair.new.connect() as new_conn:
            evidence = await gather(Connections(old_conn, new_conn), old, new, scope, probe_seconds=60)
        assert evidence.not_asked == ()
        tried = {facts.question.table.name for facts in evidence.trials}
        assert {shape for n, shape in shapes if f"t{n}" not in tried} == set()
        assert [
            facts.question for facts in evidence.trials if facts.failed or not 0 < facts.rows == facts.fitting
        ] == []
        assert [facts.question for facts in evidence.trials if facts.holds is sampled] == []
        monkeypatch.setattr("tranship.analysis.evidence.percent_read", lambda table: 100.0)


async def test_what_several_columns_refer_to_is_named_by_a_table_that_is_left_out(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    old = """
    CREATE TABLE depts (region int, no int, title text NOT NULL, PRIMARY KEY (region, no));
    INSERT INTO depts VALUES (1, 1, 'Sales'), (1, 2, 'Works'), (2, 1, 'Lab');
    CREATE TABLE staff (id int PRIMARY KEY, dept_region int, dept_no int, FOREIGN KEY (dept_region, dept_no)
        REFERENCES depts);
    INSERT INTO staff VALUES (1, 1, 2), (2, 2, 1), (3, NULL, NULL);
    """
    pair = await make_pair(old, "CREATE TABLE staff (id int PRIMARY KEY, dept_title text);")
    config = pair.config(tmp_path)
    assert run_cli("analyze", config).status == 0
    assert run_cli("resolve", "generate", "results/migration_changes.json").status == 0
    path = tmp_path / "results/manual_resolutions.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    (entry,) = document["resolutions"]["staff"]
    assert (entry["action"], entry["old_columns"]) == ("transform", ["dept_region", "dept_no"])
    (gone,) = document["resolutions"]["depts"]
    gone["action"] = "drop_table"
    path.write_text(json.dumps(document), encoding="utf-8")
    live = run_cli("migrate", config, "--resolutions", path, "--live")
    assert live.status == 0, live
    assert await pair.new.fetch("SELECT id, dept_title FROM staff ORDER BY id") == [
        (1, "Works"),
        (2, "Lab"),
        (3, None),
    ]


async def test_a_connection_that_ends_is_no_answer(make_pair: MakePair) -> None:
    """Else a question that the connection took with it would stand as one that nobody could ask, and a plain
    column would need a decision.
    """
    pair = await make_pair("CREATE TABLE t (id int)", "")
    ending = "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)"
    async with pair.old.connect() as conn:
        asker = Asker({Side.OLD: conn}, 30)
        assert await asker.ask(Side.OLD, "a column", "SELECT nothing") is None
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await asker.ask(Side.OLD, "another", ending)
    assert asker.not_asked == ('a column: OLD says: column "nothing" does not exist (SQLSTATE 42703)',)


async def test_what_a_conversion_changes_is_counted_before_it_is_decided(make_pair: MakePair) -> None:
    """A value that is taken, and is another one afterwards, is a loss that a person has to know of."""
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, price numeric(10,2), at timestamp, doc json, was numeric(8,3));
        INSERT INTO t SELECT g, g * 0.25, '2020-01-01'::timestamp + g * interval '6 hours',
          CASE WHEN g % 2 = 0 THEN '{"a": 1, "a": 2}' ELSE '{"a": 1}' END::json, g * 0.5 FROM generate_series(1, 8) AS g""",
        "CREATE TABLE t (id int PRIMARY KEY, price numeric(10,1), at date, doc jsonb, became int)",
    )
    old, new = await _read(pair.old), await _read(pair.new)
    scope, _ = make_scope(old, new, None)
    async with pair.old.connect() as old_conn, pair.new.connect() as new_conn:
        evidence = await gather(Connections(old_conn, new_conn), old, new, scope, probe_seconds=20.0)
    found = {one.old.column: (one.loss, one.rows, one.sampled) for one in evidence.changed}
    assert found == {
        "price": ("rounded", 4, False),
        "at": ("time of day dropped", 6, False),
        "doc": ("repeated keys dropped", 4, False),
    }
    said = "4 rows hold a value that a transform without SQL changes: rounded"
    asked = suggest(old, new, scope, evidence).questions
    assert any(said in map(str, question.evidence) for question in asked if "'price'" in question.text)


async def test_one_text_in_two_thousand_is_not_overlooked(make_pair: MakePair) -> None:
    """The file lists some of the values; what a text may have meant is looked at in all that NEW is asked about."""
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, since text, n varchar(10), at text, sure text);
        INSERT INTO t SELECT g, to_char(date '2000-01-01' + g, 'YYYY-MM-DD'), 10000 + g,
          to_char(timestamp '2000-01-01' + g * interval '1 hour', 'YYYY-MM-DD HH24:MI:SS'), 70000 + g FROM generate_series(1, 2000) AS g;
        UPDATE t SET since = '03/04/2024', n = '01234' WHERE id = 1777;
        UPDATE t SET at = '2024-03-31 02:30:00-07' WHERE id = 1888""",
        "CREATE TABLE t (id int PRIMARY KEY, since date, n int, at timestamp, sure int)",
    )
    old, new = await _read(pair.old), await _read(pair.new)
    scope, _ = make_scope(old, new, None)
    async with pair.old.connect() as old_conn, pair.new.connect() as new_conn:
        evidence = await gather(Connections(old_conn, new_conn), old, new, scope, probe_seconds=20.0)
    found = {one.old.column: (one.otherwise_rows, one.otherwise) for one in evidence.refusals}
    assert found == {
        "since": (1, ("03/04/2024",)),
        "n": (1, ("01234",)),
        "at": (1, ("2024-03-31 02:30:00-07",)),
        "sure": (0, ()),
    }
    answered = {
        question.text.split("'")[1]: question.answered
        for question in suggest(old, new, scope, evidence).questions
    }
    assert answered == {"since": False, "n": False, "at": False, "sure": True}
