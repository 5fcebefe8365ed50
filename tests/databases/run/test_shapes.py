"""Flows that do not make one row of each old row, on real servers: batches, splits and rejects by name."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.runs import SLY, migrate
from tranship.errors import Refused


async def moved(pair: Pair, folder: Path, entries: dict[str, list[dict[str, Any]]], **options: Any) -> Any:
    """A run with these decisions."""
    file = folder / "resolutions.json"
    await asyncio.to_thread(file.write_text, json.dumps({"resolutions": entries}))
    return await migrate(pair, folder, resolutions=str(file), **options)


def counts(result: Any) -> list[tuple[int, ...]]:
    """Old rows read, left out, rows made, written, rejected of each table."""
    return [
        (t.rows_read, t.rows_left_out, t.rows_made or t.rows_read, t.rows_migrated, t.rows_failed)
        for t in result.tables
    ]


async def rejected(result: Any) -> list[dict[str, Any]]:
    """The lines of the rejects file."""
    text = await asyncio.to_thread(Path(result.rejects_file).read_text)
    return [json.loads(line) for line in text.splitlines()]


async def test_a_filter_selects_rows_and_counts_the_others(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE item (id int PRIMARY KEY, tenant int, name text);"
        "INSERT INTO item SELECT n, n % 10, 'item ' || n FROM generate_series(1, 5000) n;",
        "CREATE TABLE item (id int PRIMARY KEY, tenant int, name text CHECK (name <> 'item 13'));",
    )
    entries = {"item": [{"action": "filter", "where": "old.tenant = 3 -- one tenant"}]}
    for mode in ({"live": False}, {"live": False, "rehearse": True}, {}):
        result = await moved(pair, tmp_path, entries, **mode)
        assert counts(result) == [(5000, 4500, 5000, 499, 1)], mode
        assert result.stats.rows_read == 5000
    batches = await pair.new.fetch(
        "SELECT row_count, old_rows, left_out, no_items FROM _tranship.batch ORDER BY number"
    )
    assert [b[0] for b in batches] == [100] * 5
    assert (sum(b[1] for b in batches), sum(b[2] for b in batches)) == (5000, 4500)
    assert await pair.new.value("SELECT count(*) FROM item WHERE tenant = 3") == 499


RECIPES = """
CREATE TABLE recipe (id int PRIMARY KEY, tags text);
INSERT INTO recipe SELECT n, CASE WHEN n % 7 > 0 THEN concat_ws(',', 'veg', 'tag ' || n % 5, 'a ' || n) END
  FROM generate_series(1, 1000) n;
"""
SPLIT = {
    "recipe -> recipe_tag": [
        {"action": "rows", "from": "regexp_split_to_table(old.tags, ',') AS item(tag)"},
        {"action": "transform", "old_column": "id", "new_column": "recipe_id"},
        {"action": "transform", "new_column": "tag", "transform_sql": "item.tag"},
        {"action": "transform", "new_column": "place", "transform_sql": "item_number"},
    ]
}


@pytest.mark.parametrize("batch_size", [100, 50_000])
async def test_items_arrive_and_are_rejected_one_by_one(
    make_pair: MakePair, tmp_path: Path, batch_size: int
) -> None:
    pair = await make_pair(
        RECIPES,
        "CREATE TABLE recipe (id int PRIMARY KEY, tags text);"
        "CREATE TABLE recipe_tag (recipe_id int REFERENCES recipe, tag text CHECK (tag <> 'a 500'), place int,"
        " PRIMARY KEY (recipe_id, tag));",
    )
    made = sum(3 for n in range(1, 1001) if n % 7)
    for mode in ({"live": False}, {"live": False, "rehearse": True}, {}):
        result = await moved(pair, tmp_path, SPLIT, batch_size=batch_size, **mode)
        assert counts(result) == [(1000, 0, 1000, 1000, 0), (1000, 0, made, made - 1, 1)], mode
        (line,) = await rejected(result)
        assert (line["flow"], line["key"], line["item"]) == ("recipe -> recipe_tag", {"id": 500}, 1)
    found = await pair.new.fetch("SELECT tag, place FROM recipe_tag WHERE recipe_id = 11 ORDER BY place")
    assert [tuple(row) for row in found] == [("a 11", 1), ("tag 1", 2), ("veg", 3)]
    split = await pair.new.fetch(
        "SELECT sum(b.old_rows), sum(no_items), sum(b.row_count) FROM _tranship.batch b"
        " JOIN _tranship.task t USING (run, position) WHERE flow_name <> ''"
    )
    assert [tuple(row) for row in split] == [(1000, 142, made)]


async def test_items_that_nobody_could_foresee_are_isolated(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE list (id int PRIMARY KEY, parts int[]);"
        "INSERT INTO list SELECT n, array(SELECT n * 10 + k FROM generate_series(0, n % 4) k)"
        " FROM generate_series(1, 400) n;",
        SLY + "DROP TABLE part; ALTER TABLE item RENAME TO list;",
    )
    entries = {
        "list": [
            {
                "action": "rows",
                "from": "unnest(old.parts) WITH ORDINALITY AS item(part, nr)",
                "order_by": "item.nr",
            },
            {"action": "transform", "new_column": "id", "transform_sql": "item.part"},
            {"action": "transform", "new_column": "next", "transform_sql": "item.nr"},
            {"action": "ignore", "old_column": "parts"},
            {"action": "ignore", "old_column": "id"},
        ]
    }
    result = await moved(pair, tmp_path, entries, batch_size=500)
    values = [n * 10 + k for n in range(1, 401) for k in range(n % 4 + 1)]
    bad = [value for value in values if value % 37 == 5]
    assert counts(result) == [(400, 0, len(values), len(values) - len(bad), len(bad))]
    lines = await rejected(result)
    assert sorted((line["key"]["id"], line["item"]) for line in lines) == sorted(
        (value // 10, value % 10 + 1) for value in bad
    )
    # All rows of one old row are written in one transaction, savepoints included.
    assert await pair.new.value("SELECT sum(row_count) FROM _tranship.batch") == len(values)


async def test_an_item_that_old_cannot_compute_is_rejected_alone(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE list (id int PRIMARY KEY, parts text);"
        "INSERT INTO list SELECT n, concat_ws(' ', n, CASE WHEN n = 77 THEN 'x' END, -n)"
        " FROM generate_series(1, 300) n;",
        "CREATE TABLE list (id int, part int);",
    )
    entries = {
        "list": [
            {
                "action": "rows",
                "from": "regexp_split_to_table(old.parts, ' ') WITH ORDINALITY AS item(part, nr)",
                "order_by": "item.nr",
            },
            {"action": "transform", "new_column": "part", "transform_sql": "CAST(item.part AS int)"},
            {"action": "ignore", "old_column": "parts"},
        ]
    }
    for mode in ({"live": False}, {}):
        result = await moved(pair, tmp_path, entries, **mode)
        assert counts(result) == [(300, 0, 601, 600, 1)], mode
        (line,) = await rejected(result)
        assert (line["key"], line["item"], line["sqlstate"]) == ({"id": 77}, 2, "22P02")


async def test_a_filter_that_raises_is_refused_with_the_rows(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE item (id int PRIMARY KEY, price text);"
        "INSERT INTO item SELECT n, CASE WHEN n IN (7, 70) THEN 'n/a' ELSE n::text END"
        " FROM generate_series(1, 90) n;",
        "CREATE TABLE item (id int PRIMARY KEY, price text);",
    )
    entries = {"item": [{"action": "filter", "where": "CAST(old.price AS int) > 3"}]}
    for mode in ({"live": False}, {}):
        with pytest.raises(Refused) as refused:
            await moved(pair, tmp_path, entries, **mode)
        (problem,) = refused.value.problems
        assert problem.code == "TS312" and "invalid input syntax" in problem.message
        assert '"id": 7' in problem.message and '"id": 70' in problem.message
    assert await pair.new.value("SELECT count(*) FROM item") == 0
    assert await pair.new.value("SELECT to_regnamespace('_tranship') IS NULL")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT i.kind AS id, i.price FROM public.item AS i", r"same key id: 0, 1, 2"),
        ("SELECT NULLIF(i.id, 5) AS id, i.price FROM public.item AS i", r"1 row of the SELECT has NULL"),
        (
            "SELECT i.id, i.price FROM public.item AS i WHERE 10 / (i.id - 7) < 100",
            r"its SELECT: division by zero",
        ),
        ("SELECT i.id, 10 / (i.id - 7) AS price FROM public.item AS i", r"its SELECT: division by zero"),
    ],
)
async def test_a_query_needs_a_key(make_pair: MakePair, tmp_path: Path, sql: str, said: str) -> None:
    pair = await make_pair(
        "CREATE TABLE item (id int PRIMARY KEY, kind int, price int);"
        "INSERT INTO item SELECT n, n % 3, n FROM generate_series(1, 90) n;",
        "CREATE TABLE price (id int PRIMARY KEY, price int);",
    )
    entries = {"prices -> price": [{"action": "query", "key": ["id"], "sql": sql}]}
    for mode in ({"live": False}, {}):
        with pytest.raises(Refused, match=said):
            await moved(pair, tmp_path, entries, **mode)
    assert await pair.new.value("SELECT to_regnamespace('_tranship') IS NULL")


async def test_rows_of_a_query_that_nobody_could_foresee_are_isolated(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(
        "CREATE TABLE sale (id int PRIMARY KEY, shop text, price int);"
        "INSERT INTO sale SELECT n, 'shop \\ ' || n % 400, n FROM generate_series(1, 1200) n;",
        SLY + "DROP TABLE part; ALTER TABLE item ADD shop text; ALTER TABLE item RENAME TO shops;",
    )
    sql = "SELECT s.shop, min(s.id) AS id, count(*)::int AS next FROM public.sale AS s GROUP BY s.shop"
    entries = {"sales -> shops": [{"action": "query", "key": ["shop"], "sql": sql}]}
    result = await moved(pair, tmp_path, entries)
    bad = [n for n in range(1, 401) if n % 37 == 5]
    assert counts(result) == [(0, 0, 400, 400 - len(bad), len(bad))]
    lines = await rejected(result)
    assert sorted(line["key"]["shop"] for line in lines) == sorted(f"shop \\ {n % 400}" for n in bad)
    assert all(line["flow"] == "sales -> shops" and line["sqlstate"] == "23514" for line in lines)


@pytest.mark.parametrize(
    ("kind", "cut_by", "batches"),
    [("int", "shop", 9), ("text", "shop", 9), ("date", "shop", 9), ("int", "", 1)],
)
async def test_a_query_is_cut_by_ranges_of_a_column(
    make_pair: MakePair, tmp_path: Path, kind: str, cut_by: str, batches: int
) -> None:
    value = {"int": "n % 47 - 5", "text": "'s ' || n % 47", "date": "date '2020-01-01' + (n % 47)"}[kind]
    pair = await make_pair(
        f"CREATE TABLE sale (id int PRIMARY KEY, shop {kind} NOT NULL);"
        f"INSERT INTO sale SELECT n, {value} FROM generate_series(1, 1000) n;",
        f"CREATE TABLE total (shop {kind}, last int, n int CONSTRAINT not_three CHECK (n % 10 <> 3),"
        " PRIMARY KEY (shop, last));",
    )
    sql = (
        "SELECT s.shop, s.id / 50 AS last, (count(*) * 7 + min(s.id))::int AS n"
        " FROM public.sale AS s GROUP BY 1, 2"
    )
    entry = {"action": "query", "key": ["shop", "last"], "sql": sql, **({"cut_by": cut_by} if cut_by else {})}
    rows = await pair.old.fetch(sql)
    bad = sum(n % 10 == 3 for _, _, n in rows)
    dry = await moved(pair, tmp_path, {"totals -> total": [entry]}, live=False)
    assert counts(dry) == [(0, 0, len(rows), len(rows) - bad, bad)]
    result = await moved(pair, tmp_path, {"totals -> total": [entry]}, batch_size=100)
    assert counts(result) == [(0, 0, len(rows), len(rows) - bad, bad)]
    assert await pair.new.value("SELECT count(*) FROM _tranship.batch") == pytest.approx(batches, abs=2)
    assert sorted(await pair.new.fetch("SELECT * FROM total")) == sorted(r for r in rows if r[2] % 10 != 3)


async def test_a_query_names_rows_by_bytes_that_are_no_text(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        r"CREATE TABLE sale (id int PRIMARY KEY, shop text NOT NULL, tags text NOT NULL);"
        r"INSERT INTO sale VALUES (1, 'A\b', 'x,y'), (2, 'A\b', 'x'), (3, 'C.d', 'z'),"
        r" (4, convert_from('\x43e9', 'SQL_ASCII'), convert_from('\x78e92c79', 'SQL_ASCII'));",
        "CREATE TABLE total (shop text PRIMARY KEY, sales int CONSTRAINT many CHECK (sales > 1));"
        "CREATE TABLE tag (sale int, tag text);",
        encodings=("SQL_ASCII", "UTF8"),
    )
    sql = "SELECT s.shop, count(*)::int AS sales FROM public.sale AS s GROUP BY s.shop"
    entries = {
        "sale -> tag": [
            {"action": "rows", "from": "regexp_split_to_table(old.tags, ',') AS item(tag)"},
            {"action": "transform", "old_column": "id", "new_column": "sale"},
            {"action": "transform", "new_column": "tag", "transform_sql": "item.tag"},
            {"action": "ignore", "old_column": "shop"},
        ],
        "totals -> total": [{"action": "query", "key": ["shop"], "cut_by": "shop", "sql": sql}],
    }
    for mode in ({"live": False}, {}):
        result = await moved(pair, tmp_path, entries, **mode)
        assert sorted(counts(result)) == [(0, 0, 3, 1, 2), (4, 0, 6, 5, 1)], mode
        lines = await rejected(result)
        told = [line["key"]["shop"] for line in lines if line["flow"] == "totals -> total"]
        assert "C.d" in told and {"$bytes": "43e9"} in told
    assert await pair.new.fetch("SELECT shop, sales FROM total") == [("A\\b", 2)]
