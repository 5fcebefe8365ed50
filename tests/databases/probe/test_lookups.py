"""Lookups: keys per batch, content that this run will add, duplicates refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair
from support.asking import ask_all
from support.foreseeing import foreseen
from support.runs import migrate
from tranship.errors import Refused
from tranship.model.progress import BatchDone, Event


def lookup(
    old: str | list[str], new: str, table: str, key: str | list[str], value: str = "id", **more: object
) -> dict[str, object]:
    columns: dict[str, object] = {"old_columns": old} if isinstance(old, list) else {"old_column": old}
    keys: dict[str, object] = {"key_columns": key} if isinstance(key, list) else {"key_column": key}
    database = {"database": more.pop("database")} if "database" in more else {}
    return {
        "action": "transform",
        **columns,
        "new_column": new,
        "lookup_table": {"table": table, "value_column": value, **keys, **database},
        **more,
    }


async def test_composite_keys_and_nulls(make_pair: MakePair) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, a text, b int);"
        " INSERT INTO t VALUES (1, 'x', 1), (2, 'x', 2), (3, NULL, 1), (4, 'y', 1),"
        " (5, 'X', 1)",
        """CREATE TABLE l (id int PRIMARY KEY, a varchar(1), b bigint);
            INSERT INTO l VALUES (1, 'x', 1), (2, 'x', 2), (3, 'x', 2);
            UPDATE l SET id = 2 WHERE false;"""
        "DELETE FROM l WHERE id = 3; CREATE TABLE t (id int PRIMARY KEY, r int)",
    )
    found = await ask_all(pair, {"t": [lookup(["a", "b"], "r", "l", ["a", "b"])]}, batch_rows=2)
    assert found.keys("public.t") == [4, 5]
    assert "(y,1)" in found.by_key("public.t")[4]["reason"]


@pytest.mark.parametrize("majors", [(15, 15), (17, 18)])
async def test_filled_by_the_same_run(make_pair: MakePair, majors: tuple[int, int]) -> None:
    """NEW holds one entry, OLD adds two more of which one is rejected."""
    pair = await make_pair(
        """CREATE TABLE zcat (id text PRIMARY KEY, name text, n text);
            INSERT INTO zcat VALUES ('1', 'Books', '1'), ('2', 'Games', 'bad'), ('03', 'Music', '3');
            CREATE TABLE item (id int PRIMARY KEY, cat text);
            INSERT INTO item VALUES (1, 'Games'), (2, 'Books'), (3, 'Music'), (4, 'There'), (5, 'None')""",
        """CREATE TABLE zcat (id int PRIMARY KEY, name text, n int); INSERT INTO zcat VALUES (9, 'There', 1);
            CREATE TABLE item (id int PRIMARY KEY, cat_id int NOT NULL REFERENCES zcat)""",
        majors=majors,
    )
    bare = [{"action": "transform", "old_column": c, "new_column": c} for c in ("id", "n")]
    found = await ask_all(pair, {"zcat": bare, "item": [lookup("cat", "cat_id", "zcat", "name")]})
    assert (found.keys("public.zcat"), found.keys("public.item")) == (["2"], [1, 5])


async def test_ids_that_the_server_will_make_are_not_asked(make_pair: MakePair) -> None:
    pair = await make_pair(
        """CREATE TABLE cat (name text PRIMARY KEY); INSERT INTO cat VALUES ('a');
            CREATE TABLE item (id int PRIMARY KEY, cat text);
            INSERT INTO item VALUES (1, 'a'), (2, 'none')""",
        """CREATE TABLE cat (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE);
            CREATE TABLE item (id int PRIMARY KEY, cat_id int NOT NULL REFERENCES cat)""",
    )
    found = await ask_all(pair, {"item": [lookup("cat", "cat_id", "cat", "name")]})
    assert found.keys("public.item") == [2]
    assert found.findings["public.item"].not_asked


async def test_an_exclusion_over_ids_that_the_server_will_make_is_said_not_to_be_asked(
    make_pair: MakePair,
) -> None:
    pair = await make_pair(
        """CREATE TABLE room (name text PRIMARY KEY); INSERT INTO room VALUES ('a');
            CREATE TABLE stay (id int PRIMARY KEY, room text, during int4range);
            INSERT INTO stay VALUES (1, 'a', '[1,5)'), (2, 'a', '[3,6)')""",
        """CREATE EXTENSION btree_gist;
            CREATE TABLE room (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE);
            CREATE TABLE stay (id int PRIMARY KEY, room_id int REFERENCES room, during int4range,
                CONSTRAINT apart EXCLUDE USING gist (room_id WITH =, during WITH &&))""",
        template=False,
    )
    found = await ask_all(pair, {"stay": [lookup("room", "room_id", "room", "name")]})
    said = "collisions on apart: room_id: NEW's server alone will know the lookup's value"
    assert said in found.findings["public.stay"].not_asked


async def test_duplicates_are_refused_by_name(make_pair: MakePair) -> None:
    old = """CREATE TABLE t (id int PRIMARY KEY, c text); INSERT INTO t VALUES (1, 'a');
    CREATE TABLE n (id int, name text);
    INSERT INTO n VALUES (1, 'dup'), (2, 'dup'), (3, 'same'), (3, 'same')"""
    new = "CREATE TABLE n (id int, name text); CREATE TABLE t (id int PRIMARY KEY, c_id int)"
    pair = await make_pair(old, new)
    with pytest.raises(Refused, match=r"public\.n.*name = 'dup'"):
        await ask_all(pair, {"t": [lookup("c", "c_id", "n", "name")]})
    with pytest.raises(Refused, match=r"public\.n.*name = 'dup'"):
        await ask_all(pair, {"t": [lookup("c", "c_id", "n", "name", database="old")]})


async def test_numbers_compare_as_numbers(make_pair: MakePair) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, k numeric(6,2), c char(5));"
        " INSERT INTO t VALUES (1, 1.00, 'ab'), (2, 1.5, 'ab'), (3, 2, 'zz')",
        """CREATE TABLE l (id int, k int PRIMARY KEY, c text UNIQUE);
            INSERT INTO l VALUES (10, 1, 'ab'), (20, 2, 'cd');
            CREATE TABLE t (id int PRIMARY KEY, r int, s int)""",
    )
    found = await ask_all(pair, {"t": [lookup("k", "r", "l", "k"), lookup("c", "s", "l", "c")]})
    assert {key: r["column"] for key, r in found.by_key("public.t").items()} == {2: "r", 3: "s"}


ENTRIES = """
CREATE TABLE l (id int PRIMARY KEY, plain text, small smallint, wide numeric, held text);
INSERT INTO l VALUES (1, 'a', 1, 1.00, 'one'), (2, 'b', 2, 2.50, 'two'), (3, 'ä', 3, 3, 'drei€'),
  (4, NULL, NULL, NULL, 'none'), (5, 'twice', 5, 5, 'five'), (6, 'twice', 6, 6, 'five');
CREATE TABLE t (id int PRIMARY KEY, r text);
"""
LOOKED_UP = [
    ("text", "plain", "UTF8"),
    ("text", "plain", "LATIN1"),
    ("bigint", "small", "LATIN1"),
    ("numeric", "wide", "UTF8"),
    ("char(3)", "plain", "UTF8"),
]


@pytest.mark.parametrize("batch_rows", [1, 1000])
@pytest.mark.parametrize(("type_", "key", "encoding"), LOOKED_UP)
async def test_what_is_found_does_not_depend_on_the_size_of_a_batch(
    make_pair: MakePair, tmp_path: Path, batch_rows: int, type_: str, key: str, encoding: str
) -> None:
    """A table with few entries for the rows of a batch is sent whole, and a row must find the same entry. An
    entry that OLD's encoding lacks is no matter where no row needs it.
    """
    given = ["'a'", "'B'", "'z'", "NULL"] if key == "plain" else ["1", "2", "9", "NULL"]
    rows = ", ".join(f"({n}, {text})" for n, text in enumerate(given))
    pair = await make_pair(
        f"CREATE TABLE t (id int PRIMARY KEY, k {type_}); INSERT INTO t VALUES {rows}",
        ENTRIES,
        encodings=(encoding, "UTF8"),
    )
    entry = lookup("k", "r", "l", key, value="held", default_value="nothing")
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"t": [entry]}}))
    done = await migrate(pair, tmp_path, resolutions=str(tmp_path / "r.json"), batch_size=batch_rows)
    assert done.exit_status == 0
    second = "two" if key == "small" else "nothing"
    found = await pair.new.fetch("SELECT id, r FROM t ORDER BY id")
    assert found == [(0, "one"), (1, second), (2, "nothing"), (3, None)]


HALVED = """
CREATE TABLE l (id int8 PRIMARY KEY, u uuid UNIQUE, held uuid, number smallint, gone int, word text UNIQUE, long text UNIQUE);
INSERT INTO l SELECT g * 10, md5(g::text)::uuid, md5((-g)::text)::uuid, g, NULLIF(g, 3),
  CASE WHEN g % 2 = 0 THEN 'ä"\' WHEN g % 3 = 0 THEN 'Z' ELSE 'a' END || g, repeat('b', g + 60) FROM generate_series(-50, 50) g;
INSERT INTO l VALUES (9223372036854775807, '00000000-0000-0000-0000-000000000000', md5('')::uuid, 77, 77, '', ''),
  (-9223372036854775808, 'ffffffff-ffff-ffff-ffff-ffffffffffff', md5('x')::uuid, -77, -77,
  repeat('é', 31) || 'x', 'y');
CREATE TABLE t (id int PRIMARY KEY, r {type});
"""


@pytest.mark.parametrize("batch_rows", [1, 1000])
@pytest.mark.parametrize(
    ("given", "key", "value", "type_"),
    [
        ("int8", "id", "held", "uuid"),
        ("uuid", "u", "number", "bigint"),
        ("int8", "id", "gone", "int"),
        ("text", "word", "number", "int"),
        ("varchar(80)", "word", "word", "text"),
        ("text", "long", "number", "int"),
    ],
)
async def test_keys_of_fixed_width_are_found_by_halving(
    make_pair: MakePair, tmp_path: Path, batch_rows: int, given: str, key: str, value: str, type_: str
) -> None:
    """Below the least key, between two, above the greatest, and NULL; with and without a value that is NULL."""
    new = HALVED.format(type=type_)
    numbers = "SELECT g::int8 * 5 FROM generate_series(-105, 105) g UNION ALL SELECT 9223372036854775807"
    words = "SELECT w || g || e FROM generate_series(-60, 60) g, unnest(ARRAY['ä\"\\', 'Z', 'a', 'A', '']) w, unnest('{\"\",x}'::text[]) e"
    words += " UNION ALL SELECT repeat('é', n) || x FROM generate_series(30, 33) n, unnest('{\"\",x,y,xx}'::text[]) x"
    words += " UNION ALL SELECT '' UNION ALL SELECT repeat('b', n) FROM generate_series(1, 80) n"
    texts = "SELECT md5(g::text)::uuid FROM generate_series(-60, 60) g UNION ALL SELECT repeat('f', 32)::uuid"
    rows = f"{ {'int8': numbers, 'uuid': texts}.get(given, words) } UNION ALL SELECT NULL"
    old = f"CREATE TABLE t (id int PRIMARY KEY, k {given}); INSERT INTO t SELECT row_number() OVER (), k FROM ({rows}) s(k)"
    pair = await make_pair(old, new)
    entry = lookup("k", "r", "l", key, value=value, default_value=None)
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"t": [entry]}}))
    done = await migrate(pair, tmp_path, resolutions=str(tmp_path / "r.json"), batch_size=batch_rows)
    assert done.exit_status == 0
    held = dict(await pair.new.fetch(f"SELECT {key}, {value} FROM l"))
    expected = [
        (n, None if k is None else held.get(k))
        for n, k in await pair.old.fetch("SELECT id, k FROM t ORDER BY id")
    ]
    assert await pair.new.fetch("SELECT id, r FROM t ORDER BY id") == expected


LACKING = """
CREATE TABLE l (id bigint PRIMARY KEY, word text{collation} UNIQUE, u uuid UNIQUE, n int NOT NULL);
INSERT INTO l SELECT g, CASE WHEN g % 2 = 0 THEN 'ä"\' ELSE 'Z' END || g, md5(g::text)::uuid, g
  FROM generate_series(1, 400) g;
CREATE TABLE t (id int PRIMARY KEY, r int{null});
"""
KEYS = {
    "text": "CASE WHEN g % 40 = 0 THEN repeat('x', 70) || g WHEN g % 3 = 0 THEN 'z' || g % 500 WHEN g % 2 = 0"
    " THEN 'ä\"' || g % 500 ELSE 'Z' || g % 500 END",
    "int": "CASE WHEN g % 7 = 0 THEN -g ELSE g % 430 END",
    "uuid": "md5((g % 430)::text)::uuid",
}


@pytest.mark.parametrize(("batch_rows", "majors"), [(7, (17, 18)), (400, (15, 18)), (5000, (17, 18))])
@pytest.mark.parametrize(
    ("given", "key", "null", "collation"),
    [
        ("text", "word", "", ""),
        ("text", "word", " NOT NULL", ' COLLATE "POSIX"'),
        ("int", "id", "", ""),
        ("uuid", "u", " NOT NULL", ""),
    ],
)
async def test_rows_without_an_entry_are_found_however_they_are_read(
    make_pair: MakePair,
    tmp_path: Path,
    batch_rows: int,
    majors: tuple[int, int],
    given: str,
    key: str,
    null: str,
    collation: str,
) -> None:
    """Keys that are double, missing, NULL and long: dry and live run reject exactly the rows without an
    entry, and those whose NULL the new column refuses.
    """
    row = f"SELECT g, CASE WHEN g % 9 <> 0 THEN {KEYS[given]} END FROM generate_series(1, 2000) g"
    pair = await make_pair(
        f"CREATE TABLE t (id int PRIMARY KEY, k {given}); INSERT INTO t {row}",
        LACKING.format(collation=collation, null=null),
        majors=majors,
    )
    entry = lookup("k", "r", "l", key, value="n")
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"t": [entry]}}))
    decided = str(tmp_path / "r.json")
    done = await foreseen(pair, tmp_path, resolutions=decided, batch_size=batch_rows, all_rejects=True)
    assert done["exit"] == 1
    held = dict(await pair.new.fetch(f"SELECT {key}, n FROM l"))
    rows = await pair.old.fetch("SELECT id, k FROM t ORDER BY id")
    kept = [(n, held.get(k)) for n, k in rows if k in held or (k is None and not null)]
    assert await pair.new.fetch("SELECT id, r FROM t ORDER BY id") == kept
    assert 0 < len(kept) < len(rows)


@pytest.mark.parametrize(("batch_rows", "batches"), [(None, [80_000, 20_000]), (50_000, [50_000, 50_000])])
async def test_a_batch_has_more_rows_where_many_entries_travel_with_it(
    make_pair: MakePair, tmp_path: Path, batch_rows: int | None, batches: list[int]
) -> None:
    """Four for each entry, unless a person says how many."""
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, k int);"
        " INSERT INTO t SELECT g, g % 20000 FROM generate_series(1, 100000) g",
        "CREATE TABLE l (id int PRIMARY KEY, n int);"
        " INSERT INTO l SELECT g, -g FROM generate_series(0, 19999) g;"
        " ANALYZE l; CREATE TABLE t (id int PRIMARY KEY, r int NOT NULL)",
    )
    (tmp_path / "r.json").write_text(
        json.dumps({"resolutions": {"t": [lookup("k", "r", "l", "id", value="n")]}})
    )
    events: list[Event] = []
    decided = str(tmp_path / "r.json")
    done = await migrate(pair, tmp_path, events=events, resolutions=decided, batch_size=batch_rows)
    assert done.exit_status == 0
    moved = [event.read for event in events if isinstance(event, BatchDone)]
    assert sorted(moved, reverse=True) == batches
    assert await pair.new.fetch("SELECT count(*) FROM t WHERE r = -(id % 20000)") == [(100_000,)]


@pytest.mark.parametrize("database", ["old", "new"])
@pytest.mark.parametrize("batch_rows", [2, 1000])
async def test_what_is_found_arrives_as_a_value_of_the_new_column(
    make_pair: MakePair, tmp_path: Path, database: str, batch_rows: int
) -> None:
    """Truth values, numbers of another width and uuids, with what stands in for NULL and for no entry."""
    held = (
        "CREATE TABLE l (k int PRIMARY KEY, yes boolean, small smallint, u uuid);"
        " INSERT INTO l SELECT g, NULLIF(g, 3) % 2 = 0, g - 3, md5(g::text)::uuid FROM generate_series(1, 5) g;"
    )
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, a int, b int, c int);"
        " INSERT INTO t SELECT g, NULLIF(g, 6), NULLIF(g, 6), NULLIF(g, 6) FROM generate_series(0, 7) g;"
        + (held if database == "old" else ""),
        (held if database == "new" else "")
        + "CREATE TABLE t (id int PRIMARY KEY, yes boolean, small bigint, u uuid)",
    )
    entries = [
        lookup("a", "yes", "l", "k", "yes", database=database, default_value="true", null_value="false"),
        lookup("b", "small", "l", "k", "small", database=database, default_value="9000000000"),
        lookup("c", "u", "l", "k", "u", database=database, default_value=None),
    ]
    others = {"l": [{"action": "drop_table"}]} if database == "old" else {}
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"t": entries, **others}}))
    decided = str(tmp_path / "r.json")
    done = await migrate(pair, tmp_path, resolutions=decided, batch_size=batch_rows)
    assert done.exit_status == 0
    side = pair.old if database == "old" else pair.new
    there = {k: values for k, *values in await side.fetch("SELECT k, yes, small, u FROM l")}
    expected = [(n, *there.get(n, [True, 9_000_000_000, None])) for n in range(8)]
    expected[6] = (6, False, None, None)
    assert await pair.new.fetch("SELECT * FROM t ORDER BY id") == expected


async def test_entries_of_many_bytes_do_not_travel_whole(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only those that a batch needs are read, whatever else the table holds."""
    monkeypatch.setattr("tranship.execution.probe.whole_tables._BYTES", 5_000)
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, k int); INSERT INTO t SELECT g, g FROM generate_series(1, 90) g",
        "CREATE TABLE l (id int PRIMARY KEY, n text); INSERT INTO l SELECT g, repeat('x', g) FROM"
        " generate_series(1, 100) g; CREATE TABLE t (id int PRIMARY KEY, r text)",
    )
    read: list[object] = []
    monkeypatch.setattr("tranship.execution.probe.whole_tables._searched", lambda *args: read.append(args))
    (tmp_path / "r.json").write_text(
        json.dumps({"resolutions": {"t": [lookup("k", "r", "l", "id", value="n")]}})
    )
    for rows in (100, 95):
        await pair.new.run(
            f"TRUNCATE t; DELETE FROM l WHERE id > {rows}; DROP SCHEMA IF EXISTS _tranship CASCADE"
        )
        done = await migrate(pair, tmp_path, resolutions=str(tmp_path / "r.json"), batch_size=1000)
        assert done.exit_status == 0
        assert await pair.new.fetch("SELECT count(*) FROM t WHERE length(r) = id") == [(90,)]
        assert bool(read) == (rows == 95)
