"""Lookups: keys per batch, content that this run will add, duplicates refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair
from support.asking import ask_all
from support.runs import migrate
from tranship.errors import Refused


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
