"""Faults of the row itself, as NEW's server sees them."""

from __future__ import annotations

import pytest

from support import MakePair
from support.asking import ask_all, make_job, transform


@pytest.mark.parametrize("majors", [(15, 15), (15, 18), (18, 17)])
async def test_every_sort_of_type_is_read_by_its_own_input(
    make_pair: MakePair, majors: tuple[int, int]
) -> None:
    values = """VALUES (1, '{"a": 1}'), (2, '{a}'), (3, '(1,x)'), (4, '2024-02-30'), (5, 'a'), (6, NULL),
            (7, '12345'), (8, ' ')"""
    types = {
        "jsonb": [2, 3, 4, 5, 8],
        "json": [2, 3, 4, 5, 8],
        "integer": [1, 2, 3, 4, 5, 8],
        "numeric(4,1)": [1, 2, 3, 4, 5, 7, 8],
        "date": [1, 2, 3, 4, 5, 7, 8],
        "mood": [1, 2, 3, 4, 7, 8],
        "pair": [1, 2, 4, 5, 7, 8],
        "text[]": [1, 3, 4, 5, 7, 8],
        "zip5": [1, 2, 3, 4, 5, 8],
        "varchar(2)": [1, 2, 3, 4, 7],
        "bit(5)": [1, 2, 3, 4, 5, 7, 8],
        "regclass": [1, 2, 3, 4, 5, 8],
    }
    new = """CREATE TYPE mood AS ENUM ('a'); CREATE TYPE pair AS (n int, t varchar(1));
        CREATE DOMAIN zip5 AS text CONSTRAINT zip5_ck CHECK (VALUE ~ '^[0-9]{5}$');"""
    pair = await make_pair(
        ";".join(
            f"CREATE TABLE t{n} (id int PRIMARY KEY, v text); INSERT INTO t{n} {values}"
            for n in range(len(types))
        ),
        new
        + ";".join(f"CREATE TABLE t{n} (id int PRIMARY KEY, v {pg_type})" for n, pg_type in enumerate(types)),
        majors=majors,
        template=False,
    )
    found = await ask_all(pair, {f"t{n}": [transform("v")] for n in range(len(types))})
    assert {pg_type: found.keys(f"public.t{n}") for n, pg_type in enumerate(types)} == types


async def test_the_first_fault_of_a_row_is_named(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, a text, b text);
            INSERT INTO t VALUES (1, 'x', 'toolong'), (2, '1', 'toolong'), (3, '1', NULL), (4, '-1', 'b')""",
        "CREATE TABLE t (id int PRIMARY KEY, a int CONSTRAINT positive CHECK (a > 0), b varchar(3) NOT NULL)",
    )
    found = (await ask_all(pair, {"t": [transform("a"), transform("b")]})).by_key("public.t")
    assert {key: (r["sqlstate"], r["column"], r["constraint"]) for key, r in found.items()} == {
        1: ("22P02", "a", None),
        2: ("22001", "b", None),
        3: ("23502", "b", None),
        4: ("23514", "a", "positive"),
    }


async def test_checks_see_generated_columns_and_defaults(make_pair: MakePair) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1), (2, 5), (3, NULL), (4, 0)",
        """CREATE TABLE t (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED NOT NULL,
                most int DEFAULT 8,
            CONSTRAINT small CHECK (twice < most), CONSTRAINT inverse CHECK (10 / a > 0))""",
    )
    found = (await ask_all(pair)).by_key("public.t")
    assert {key: (r["sqlstate"], r["constraint"]) for key, r in found.items()} == {
        2: ("23514", "small"),
        3: ("23502", None),
        4: ("22012", None),
    }


async def test_a_check_on_a_volatile_default_is_not_asked(make_pair: MakePair) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)",
        "CREATE TABLE t (id int PRIMARY KEY, r float8 DEFAULT random(), CONSTRAINT lucky CHECK (r > 0.5))",
    )
    findings = (await ask_all(pair)).findings["public.t"]
    assert not findings.rejected
    assert any("lucky" in what for what in findings.not_asked)


async def test_routing(make_pair: MakePair) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int, k text, PRIMARY KEY (id)); INSERT INTO t VALUES (1, 'a'),"
        " (2, 'b'), (3, NULL), (4, 'c')",
        """CREATE TABLE t (id int, k text) PARTITION BY LIST (k);
            CREATE TABLE t_a PARTITION OF t FOR VALUES IN ('a', NULL);
            CREATE TABLE t_c PARTITION OF t FOR VALUES IN ('c') PARTITION BY RANGE (id);
            CREATE TABLE t_c1 PARTITION OF t_c FOR VALUES FROM (0) TO (4)""",
    )
    found = (await ask_all(pair)).by_key("public.t")
    assert {key: r["sqlstate"] for key, r in found.items()} == {2: "23514", 4: "23514"}
    assert "no partition of relation" in found[2]["reason"]


@pytest.mark.parametrize("encoding", ["LATIN1", "EUC_JP"])
async def test_characters_that_new_lacks(make_pair: MakePair, encoding: str) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, v text, n int);
            INSERT INTO t VALUES (1, 'ascii', 1), (2, 'é', 1), (3, 'あ', 1), (4, '😀€', 1), (5, NULL, 1)""",
        "CREATE TABLE t (id int PRIMARY KEY, v varchar(5), n int CHECK (n > 0))",
        encodings=("UTF8", encoding),
        template=False,
    )
    found = (await ask_all(pair, {"t": [transform("v")]})).by_key("public.t")
    assert set(found) == ({3, 4} if encoding == "LATIN1" else {4})
    assert found[4]["sqlstate"] == "22P05"
    assert "has no equivalent in encoding" in found[4]["reason"]


async def test_bytes_of_a_sql_ascii_database(make_pair: MakePair) -> None:
    pair = await make_pair(
        r"""CREATE TABLE t (id int PRIMARY KEY, v text, n numeric);
            INSERT INTO t VALUES (1, 'a', 1), (2, E'\xe9', 2), (3, E'\xc3\xa9', 3), (4, NULL, 4.50),
                (5, E'b\xff"', 5)""",
        "CREATE TABLE t (id int PRIMARY KEY, v varchar(2), n numeric)",
        encodings=("SQL_ASCII", "UTF8"),
        template=False,
    )
    found = (await ask_all(pair, {"t": [transform("v")]})).by_key("public.t")
    assert {key: r["sqlstate"] for key, r in found.items()} == {2: "22021", 5: "22021"}
    assert found[5]["row"] == {"id": 5, "v": {"$bytes": "62ff22"}, "n": 5}


async def test_a_sql_ascii_database_counts_bytes(make_pair: MakePair) -> None:
    """What fits by its characters on OLD may not fit by its bytes, although no type changed;
    a widened text fits, or does not, by its bytes.
    """
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, v varchar(4), w text);
            CREATE TABLE u (id int PRIMARY KEY, w text, l varchar(4)[]);
            INSERT INTO t VALUES (1, 'café', 'x'), (2, 'abcd', 'x'), (3, NULL, NULL);
            INSERT INTO u VALUES (1, 'été!', '{abcd}'), (2, 'été', '{café}')""",
        "CREATE TABLE t (id int PRIMARY KEY, v varchar(4), w text);"
        " CREATE TABLE u (id int PRIMARY KEY, w varchar(5), l varchar(4)[])",
        encodings=("UTF8", "SQL_ASCII"),
        template=False,
    )
    found = await ask_all(pair, {"u": [transform("w")]})
    assert (found.keys("public.t"), found.keys("public.u")) == ([1], [1, 2])
    assert {r["sqlstate"] for table in ("t", "u") for r in found.records[f"public.{table}"]} == {"22001"}


async def test_what_old_never_validated(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE DOMAIN positive AS int; CREATE TABLE t (id int PRIMARY KEY, a positive, b int);
            INSERT INTO t VALUES (1, 1, 1), (2, -1, 1), (3, 1, -1);
            ALTER DOMAIN positive ADD CONSTRAINT above CHECK (VALUE > 0) NOT VALID;
            ALTER TABLE t ADD CONSTRAINT b CHECK (b > 0) NOT VALID""",
        """CREATE DOMAIN positive AS int CONSTRAINT above CHECK (VALUE > 0);
            CREATE TABLE t (id int PRIMARY KEY, a positive, b int CONSTRAINT b CHECK (b > 0))""",
    )
    found = (await ask_all(pair)).by_key("public.t")
    assert {key: r["constraint"] for key, r in found.items()} == {2: "above", 3: "b"}


async def test_a_not_null_that_old_never_validated(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1), (2, NULL);
            ALTER TABLE t ADD CONSTRAINT a NOT NULL a NOT VALID""",
        "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL)",
        majors=(18, 18),
    )
    assert (await ask_all(pair)).keys("public.t") == [2]


async def test_indexes_whose_expression_raises(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, a int, j jsonb, s text);
            CREATE INDEX kept ON t ((100 / (a + 1)));
            INSERT INTO t VALUES (1, 1, '{"n": "1"}', '1'), (2, 0, '{"n": "2"}', '1'),
                (3, 2, '{"n": "x"}', 'x'), (4, NULL, NULL, NULL),
              (5, 0, '{}', 'é'), (6, 3, '{"n": "x"}', 'x')""",
        """CREATE TABLE t (id int PRIMARY KEY, a int, j jsonb, s text CHECK (s <> 'é'));
            CREATE INDEX kept ON t ((100 / (a + 1)));
            CREATE INDEX ON t ((10 / a)) WHERE s IS NOT NULL;
            CREATE INDEX ON t (((j ->> 'n')::int)) WHERE a < 3; CREATE INDEX ON t (lower(s), id)""",
    )
    found = (await ask_all(pair)).by_key("public.t")
    assert {key: r["sqlstate"] for key, r in found.items()} == {2: "22012", 3: "22P02", 5: "23514"}


async def test_values_that_may_be_too_long_for_an_index_are_named(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, a text, b text, c text); CREATE INDEX t_b ON t (b);
            INSERT INTO t SELECT g, repeat('a', g * 2000), repeat('b', g * 2000),
                repeat('c', 20) FROM generate_series(1, 3) g""",
        """CREATE TABLE t (id int PRIMARY KEY, a text CHECK (length(a) < 6000), b text, c text);
            CREATE INDEX t_a ON t (a); CREATE INDEX t_b ON t (b); CREATE INDEX t_c ON t (c, id)""",
    )
    found = (await ask_all(pair)).findings["public.t"]
    assert [note for note in found.not_asked if "index" in note] == [
        "index t_a: 1 row holds long values for it; NEW refuses what does not fit its page (54000)"
    ]


async def test_a_check_on_where_the_row_lies_hides_no_other(make_pair: MakePair) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 0), (2, 5)",
        "CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a > 0), CONSTRAINT here CHECK (tableoid > 0))",
    )
    found = await ask_all(pair)
    assert found.keys("public.t") == [1]
    assert found.findings["public.t"].not_asked == ("check here: it reads where the row lies",)


async def test_foreign_keys_that_only_partitions_have_are_named(make_pair: MakePair) -> None:
    parents = "CREATE TABLE up (id int PRIMARY KEY)"
    pair = await make_pair(
        f"""{parents}; INSERT INTO up VALUES (1); CREATE TABLE t (id int PRIMARY KEY, up int);
            INSERT INTO t VALUES (1, 1), (2, 9), (15, 9)""",
        f"""{parents}; CREATE TABLE t (id int, up int) PARTITION BY RANGE (id);
            CREATE TABLE low PARTITION OF t FOR VALUES FROM (1) TO (10);
            CREATE TABLE high PARTITION OF t FOR VALUES FROM (10) TO (20);
            ALTER TABLE low ADD CONSTRAINT low_up FOREIGN KEY (up) REFERENCES up""",
    )
    note = "a row whose parent does not arrive is rejected when it is written"
    found = (await ask_all(pair)).findings["public.t"]
    assert found.not_asked == (f"foreign key low_up of partition public.low: {note}",)
    await pair.new.run("ALTER TABLE high ADD CONSTRAINT high_id FOREIGN KEY (id) REFERENCES up")
    found = (await ask_all(pair)).findings["public.t"]
    assert found.not_asked == (f"foreign key high_id of partition public.high and 1 more: {note}",)


async def test_a_foreign_key_that_every_partition_has_is_asked(make_pair: MakePair) -> None:
    """Also in a table that refers to itself, where it is named: the copy does not take it off."""
    pair = await make_pair(
        """CREATE TABLE up (id int PRIMARY KEY); INSERT INTO up VALUES (1);
            CREATE TABLE t (id int PRIMARY KEY, up int, t int); INSERT INTO t VALUES (1, 1), (2, 9), (15, 9)""",
        """CREATE TABLE up (id int PRIMARY KEY);
            CREATE TABLE t (id int PRIMARY KEY, up int, t int) PARTITION BY RANGE (id);
            CREATE TABLE low PARTITION OF t FOR VALUES FROM (1) TO (10);
            CREATE TABLE high PARTITION OF t FOR VALUES FROM (10) TO (20);
            ALTER TABLE low ADD CONSTRAINT low_up FOREIGN KEY (up) REFERENCES up;
            ALTER TABLE high ADD CONSTRAINT high_up FOREIGN KEY (up) REFERENCES up NOT VALID""",
    )
    found = await ask_all(pair)
    assert (found.keys("public.t"), found.findings["public.t"].not_asked) == ([2, 15], ())
    for leaf in ("low", "high"):
        await pair.new.run(f"ALTER TABLE {leaf} ADD CONSTRAINT {leaf}_t FOREIGN KEY (t) REFERENCES t")
    found = await ask_all(pair)
    assert found.keys("public.t") == [2, 15]
    assert [note.partition(":")[0] for note in found.findings["public.t"].not_asked] == [
        "foreign key high_t of partition public.high and 1 more"
    ]


async def test_what_reads_a_row_as_one_value_hides_no_other(make_pair: MakePair) -> None:
    """Its columns may stand in another order in a partition; and NEW's rows are read by an index, too."""
    pair = await make_pair(
        """CREATE TABLE p (id int PRIMARY KEY, a int); INSERT INTO p VALUES (1, 0), (2, 5), (3, NULL);
           CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 0), (2, 5), (3, NULL)""",
        """CREATE TABLE p (id int PRIMARY KEY, a int, CONSTRAINT pos CHECK (a > 0)) PARTITION BY RANGE (id);
           CREATE TABLE p1 (a int, id int NOT NULL, CONSTRAINT pos CHECK (a > 0));
           ALTER TABLE p1 ADD CONSTRAINT whole CHECK (p1.* IS NOT NULL);
           ALTER TABLE p ATTACH PARTITION p1 DEFAULT;
           CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a < 5));
           CREATE FUNCTION inverse(t) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1 / $1.a';
           CREATE FUNCTION same(t) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.id';
           CREATE INDEX ON t (inverse(t)); CREATE UNIQUE INDEX once ON t (same(t))""",
    )
    found = await ask_all(pair)
    assert (found.keys("public.p"), found.keys("public.t")) == ([1], [1, 2])
    notes = [found.findings[name].not_asked for name in ("public.p", "public.t")]
    assert notes[0] == ("check whole: it reads the row of a partition as one value",)
    assert "collisions (once): it reads the row as one value" in notes[1]


async def test_checks_that_yesterday_met(make_pair: MakePair) -> None:
    """The same CHECK as in OLD: time passed since the rows were let in."""
    schema = "CREATE DOMAIN young AS date{}; CREATE TABLE t (id int PRIMARY KEY, day date, born young); "
    check = "ALTER TABLE t ADD CONSTRAINT fresh CHECK (day > CURRENT_DATE - 30){};"
    valid = (
        "SET allow_system_table_mods = on; UPDATE pg_constraint SET convalidated = true"
        " WHERE conname IN ('fresh', 'yet')"
    )
    yet = "CONSTRAINT yet CHECK (VALUE > CURRENT_DATE - 30)"
    pair = await make_pair(
        schema.format("")
        + """INSERT INTO t VALUES (1, CURRENT_DATE, CURRENT_DATE), (2, CURRENT_DATE - 90, NULL),
                (3, NULL, CURRENT_DATE - 90);"""
        + f"ALTER DOMAIN young ADD {yet} NOT VALID; {check.format(' NOT VALID')} {valid}",
        schema.format(f" {yet}") + check.format(""),
    )
    found = (await ask_all(pair)).by_key("public.t")
    assert {key: r["constraint"] for key, r in found.items()} == {2: "fresh", 3: "yet"}


async def test_mapping_gaps_and_nulls(make_pair: MakePair) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, s text); INSERT INTO t VALUES (1, 'A'),"
        " (2, 'a'), (3, NULL), (4, '')",
        "CREATE TABLE t (id int PRIMARY KEY, s int NOT NULL)",
    )
    found = (await ask_all(pair, {"t": [transform("s", value_mapping={"A": 1})]})).by_key("public.t")
    assert {key: r["sqlstate"] for key, r in found.items()} == {2: "22023", 3: "23502", 4: "22023"}
    assert "'a'" in found[2]["reason"]


async def test_hostile_names(make_pair: MakePair) -> None:
    name = """a"b'c$$ %s {0} \\ <x> ✓"""
    quoted = '"' + name.replace('"', '""') + '"'
    pair = await make_pair(
        f"""CREATE SCHEMA {quoted}; CREATE TABLE {quoted}.{quoted} ({quoted} int PRIMARY KEY,
                "tranship row" text);
            INSERT INTO {quoted}.{quoted} VALUES (1, '1'), (2, 'x'), (3, '3')""",
        f"""CREATE SCHEMA {quoted}; CREATE TABLE {quoted}.{quoted} ({quoted} int PRIMARY KEY,
                "tranship row" int,
            CONSTRAINT {quoted} CHECK ({quoted} < 3 AND "tranship row" > 0))""",
    )
    found = await ask_all(pair, {f"{name}.{name}": [transform("tranship row")]})
    records = found.by_key(f"{name}.{name}", name)
    assert {key: r["constraint"] for key, r in records.items()} == {2: None, 3: name}


async def test_rows_already_in_new(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, code text, live bool, during int4range);
            INSERT INTO t VALUES (1, 'a', true, '[1,3)'), (2, 'B', true, '[4,5)'), (3, 'B', false, NULL),
                (4, 'd', NULL, '[7,8)'),
            (5, NULL, true, '[20,30)')""",
        """CREATE TABLE t (id int PRIMARY KEY, code text, live bool, during int4range,
                CONSTRAINT apart EXCLUDE USING gist (during WITH &&));
            CREATE UNIQUE INDEX live_code ON t (lower(code)) WHERE live;
            CREATE UNIQUE INDEX odd ON t (live) NULLS NOT DISTINCT WHERE id % 2 = 0;
            INSERT INTO t VALUES (1, 'z', false, NULL), (90, 'b', true, NULL), (91, 'x', NULL, '[25,26)'),
                (92, 'n', NULL, '[99,100)')""",
    )
    found = (await ask_all(pair)).by_key("public.t")
    assert {key: (r["sqlstate"], r["constraint"]) for key, r in found.items()} == {
        1: ("23505", "t_pkey"),
        2: ("23505", "live_code"),
        4: ("23505", "odd"),
        5: ("23P01", "apart"),
    }
    assert '"id" : 90' in found[2]["reason"]


async def test_a_role_that_may_only_select(make_pair: MakePair) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text, p int);"
        " INSERT INTO t VALUES (1, 'x', 1), (2, '2', 9), (3, '3', 1)",
        """CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
            CREATE TABLE t (id int PRIMARY KEY, v int, p int REFERENCES parent);
            DO $$ BEGIN CREATE ROLE only_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
            GRANT SELECT ON ALL TABLES IN SCHEMA public TO only_reader""",
        template=False,
    )
    job = await make_job(pair, {"t": [transform("v")]})
    found = await ask_all(pair, job=job, server_settings={"role": "only_reader"})
    assert {key: r["sqlstate"] for key, r in found.by_key("public.t").items()} == {1: "22P02", 2: "23503"}


async def test_losses_are_counted_over_rows_that_arrive(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, n numeric, s varchar(10), i int, d timestamp, f float8,
                ts timestamp);
            INSERT INTO t VALUES (1, 1.005, 'ab   ', 16777217, '2024-01-01 10:00', 1.5,
                '2024-01-01 00:00:00.6'),
            (2, 1.5, 'abc', 1, '2024-01-01', 2, '2024-01-01'),
                (3, 99999, 'ab     ', 16777217, NULL, 'NaN', NULL),
                    (4, 'NaN', NULL, NULL, 'infinity', NULL, 'infinity')""",
        "CREATE TABLE t (id int PRIMARY KEY, n numeric(5,2), s varchar(3), i real, d date,"
        " f int, ts timestamp(0))",
    )
    columns = ("n", "s", "d", "f", "ts")
    found = await ask_all(pair, {"t": [transform(c) for c in columns]})
    assert found.keys("public.t") == [3]
    losses = {loss.column: loss.rows for loss in found.findings["public.t"].losses}
    assert losses == {"n": 1, "s": 1, "i": 1, "d": 1, "f": 1, "ts": 1}


@pytest.mark.parametrize("batch_rows", [2, 1000])
async def test_a_transform_sql_that_raises_for_some_rows(make_pair: MakePair, batch_rows: int) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, a int, b int);
            INSERT INTO t SELECT g, g, CASE g % 100 WHEN 3 THEN 0 ELSE 1 END FROM generate_series(1, 500) g;
            INSERT INTO t VALUES (501, 1, NULL), (502, 70000, 1)""",
        "CREATE TABLE t (id int PRIMARY KEY, a int, b smallint NOT NULL)",
    )
    resolution = {
        "action": "transform",
        "old_column": "b",
        "new_column": "b",
        "transform_sql": "old.a / old.b",
    }
    found = (await ask_all(pair, {"t": [resolution]}, batch_rows=batch_rows)).by_key("public.t")
    assert {key: (r["sqlstate"], r["column"]) for key, r in found.items()} == {
        **dict.fromkeys((3, 103, 203, 303, 403), ("22012", "b")),
        501: ("23502", "b"),
        502: ("22003", "b"),
    }
