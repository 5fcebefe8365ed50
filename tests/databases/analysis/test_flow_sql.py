"""SQL of flows on a real server: what it makes, what it uses of OLD, and why it is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from support import MakePair, Pair
from tranship.analysis import prepare as preparing
from tranship.analysis.prepare import Prepared, prepare
from tranship.config import load_config
from tranship.errors import Refused
from tranship.model.options import MigrateOptions

OLD = """
CREATE TABLE recipes (id int PRIMARY KEY, title text, tags text, note text, gone timestamptz);
CREATE TABLE attr (e int NOT NULL, k text NOT NULL, v text, PRIMARY KEY (e, k));
CREATE TABLE parts (id int PRIMARY KEY, attr_e int, label text);
CREATE FUNCTION public.tidy(text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN trim($1); END $$;
CREATE FUNCTION public.dice() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 4; END $$;
"""
NEW = """
CREATE TABLE recipes (id int PRIMARY KEY, title text);
CREATE TABLE recipe_tags (recipe_id int, tag text, place int, PRIMARY KEY (recipe_id, tag));
CREATE TABLE looks (e_id int PRIMARY KEY, color text, size int);
CREATE TABLE parts (id int PRIMARY KEY, label text);
"""
ID = {"action": "transform", "old_column": "id", "new_column": "recipe_id"}
SPLIT = {"action": "rows", "from": "regexp_split_to_table(old.tags, ',') WITH ORDINALITY AS item(tag, n)"}
TAG = {"action": "transform", "new_column": "tag", "transform_sql": "item.tag"}
LOOKS = {
    "action": "query",
    "key": "e_id",
    "sql": "SELECT a.e AS e_id, max(a.v) FILTER (WHERE a.k = 'color') AS color FROM public.attr AS a GROUP BY a.e",
}
LEFT = [{"action": "ignore", "old_column": name} for name in ("tags", "note", "gone")]
PARTS = [{"action": "ignore", "old_column": "attr_e"}]
DROPPED = [{"action": "drop_table"}]


async def asked(
    pair: Pair, folder: Path, entries: Mapping[str, object], monkeypatch: pytest.MonkeyPatch
) -> tuple[Prepared | None, list[str]]:
    """What a run would begin with, and what it says."""
    monkeypatch.setattr(preparing, "not_executed", lambda _, __: ())
    decisions = folder / "r.json"
    decisions.write_text(json.dumps({"resolutions": entries}))
    config = load_config(pair.config(folder))
    try:
        prepared = await prepare(config, MigrateOptions(resolutions=str(decisions), results_dir=str(folder)))
    except Refused as refused:
        return None, [f"{p.code} {p.object}: {p.message} {p.hint}" for p in refused.problems]
    return prepared, [f"{p.code} {p.object}: {p.message}" for p in prepared.warnings]


async def test_rows_and_queries_are_described(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    place = {"action": "transform", "new_column": "place", "transform_sql": "item_number"}
    entries = {
        "recipes": LEFT[1:],
        "recipes -> recipe_tags": [ID, SPLIT, TAG, place],
        "x -> looks": [LOOKS],
        "parts": PARTS,
    }
    prepared, told = await asked(pair, tmp_path, entries, monkeypatch)
    assert prepared is not None, told
    assert not [line for line in told if line[:5] not in ("TS340", "TS341")]
    plans = {str(one.flow): one for one in prepared.plan.tables}
    assert plans.keys() == {"public.recipes", "recipes -> recipe_tags", "x -> looks", "public.parts"}
    items = plans["recipes -> recipe_tags"].shape.items
    assert items is not None
    assert (items.columns, items.ordinality) == (("tag", "n"), "n")
    looks = plans["x -> looks"]
    assert looks.key == ("e_id",)
    table = prepared.sides.old.table(looks.old)
    assert table is not None
    assert [(c.name, c.type.text, c.not_null) for c in table.columns] == [
        ("e_id", "integer", True),
        ("color", "text", False),
    ]
    assert [m.column for m in looks.columns if m.origin != "server"] == ["e_id", "color"]


USED = {
    "an expression": {"new_column": "title", "transform_sql": "old.title || old.note"},
    "the whole row": {"new_column": "title", "transform_sql": "to_jsonb(old) ->> 'note'"},
    "all columns": {
        "new_column": "title",
        "transform_sql": "(SELECT r.title || r.note FROM (SELECT old.*) AS r)",
    },
    "another spelling": {"new_column": "title", "transform_sql": 'upper("old".note) || old.title'},
}


@pytest.mark.parametrize("way", USED)
async def test_what_an_expression_turns_into_values_is_not_left_behind(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    pair = await make_pair(OLD, NEW)
    entries = {
        "recipes": [LEFT[0], LEFT[2], {"action": "transform", **USED[way]}],
        "attr": DROPPED,
        "parts": PARTS,
    }
    prepared, told = await asked(pair, tmp_path, entries, monkeypatch)
    assert prepared is not None, told


async def test_what_selects_rows_is_left_behind_all_the_same(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    filtered = {"action": "filter", "where": "old.gone IS NULL AND old.note <> 'note'"}
    string = {"action": "transform", "new_column": "title", "transform_sql": "old.title || ' old.tags'"}
    entries = {"recipes": [filtered, string], "attr": DROPPED, "parts": PARTS}
    _, told = await asked(pair, tmp_path, entries, monkeypatch)
    assert [line.split(":")[0] for line in told[1:]] == [
        f"TS301 public.recipes.{name}" for name in ("tags", "note", "gone")
    ]
    assert (await asked(pair, tmp_path, {**entries, "recipes": [*LEFT, filtered, string]}, monkeypatch))[0]


async def test_what_a_query_reads_of_a_table_is_not_left_behind(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    joined = "SELECT p.attr_e AS e_id, max(a.v) AS color FROM public.parts p JOIN public.attr a ON a.e = p.id GROUP BY 1"
    entries = {"recipes": LEFT, "x -> looks": [{**LOOKS, "sql": joined}]}
    prepared, told = await asked(pair, tmp_path, entries, monkeypatch)
    assert prepared is not None, told
    other = joined.replace("p.attr_e AS", "p.id AS")
    _, told = await asked(pair, tmp_path, {**entries, "x -> looks": [{**LOOKS, "sql": other}]}, monkeypatch)
    assert [line.split(":")[0] for line in told[1:]] == ["TS301 public.parts.attr_e"]


REFUSED: dict[str, tuple[dict[str, list[dict[str, object]]], str]] = {
    "no condition": ({"recipes": [{"action": "filter", "where": "old.id"}]}, "write a condition"),
    "no column": (
        {"recipes": [{"action": "filter", "where": "old.gon IS NULL"}]},
        "column old.gon does not exist did you mean old.gone?",
    ),
    "an item in a filter": (
        {"recipes -> recipe_tags": [ID, SPLIT, TAG, {"action": "filter", "where": "item.tag <> ''"}]},
        "the old row is called old",
    ),
    "the current time": (
        {"recipes": [{"action": "filter", "where": "old.gone < now()"}]},
        "where 'old.gone < now()': it reads the current time",
    ),
    "volatile": (
        {"recipes": [{"action": "filter", "where": "random() < 0.5"}]},
        "volatile function (random)",
    ),
    "volatile order": (
        {"recipes": [{"action": "merge", "key": "old.title", "keep": "random()"}]},
        "keep 'random()': it calls a volatile function (random)",
    ),
    "volatile items": (
        {
            "recipes -> recipe_tags": [
                ID,
                TAG,
                {"action": "rows", "from": "generate_series(1, public.dice()) AS item(tag)"},
            ]
        },
        "volatile function (dice)",
    ),
    "an aggregate": ({"recipes": [{"action": "merge", "key": "max(old.title)"}]}, "an aggregate is no value"),
    "several items as a value": (
        {
            "recipes": [
                {"action": "transform", "new_column": "title", "transform_sql": "unnest(ARRAY[old.tags])"}
            ]
        },
        "set-returning functions",
    ),
    "items under another name": (
        {
            "recipes -> recipe_tags": [
                ID,
                TAG,
                {"action": "rows", "from": "unnest(ARRAY[old.tags]) AS t(tag)"},
            ]
        },
        "write 'unnest(ARRAY[old.tags]) AS item(tag)'",
    ),
    "items that do not exist": (
        {"recipes -> recipe_tags": [ID, TAG, {"action": "rows", "from": "splt(old.tags) AS item(tag)"}]},
        "function splt(text) does not exist",
    ),
    "the item's number twice": (
        {
            "recipes -> recipe_tags": [
                ID,
                {**TAG, "transform_sql": "old.tags"},
                {"action": "rows", "from": "unnest(ARRAY[old.tags]) AS item(item_number)"},
            ]
        },
        "give the column another name",
    ),
    "a query that is none": ({"x -> looks": [{**LOOKS, "sql": "DELETE FROM public.attr"}]}, "syntax error"),
    "two columns of one name": (
        {"x -> looks": [{**LOOKS, "sql": "SELECT 1 AS e_id, 2 AS e_id"}]},
        "called 'e_id'",
    ),
    "a column without a name": (
        {"x -> looks": [{**LOOKS, "sql": "SELECT 1 AS e_id, 2 + 2"}]},
        "column 2 has no name",
    ),
    "a key that is none": ({"x -> looks": [{**LOOKS, "key": "id"}]}, "key 'id' is no output column"),
    "an output that fills nothing": (
        {"x -> looks": [{**LOOKS, "sql": "SELECT e AS e_id, max(v) AS colour FROM public.attr GROUP BY e"}]},
        "x -> looks.colour",
    ),
    "a table that does not exist": (
        {"x -> looks": [{**LOOKS, "sql": "SELECT 1 AS e_id FROM attr"}]},
        "schema.table",
    ),
    "what moves on": (
        {
            "x -> looks": [
                {**LOOKS, "sql": "SELECT e AS e_id FROM public.attr WHERE v < current_date::text GROUP BY e"}
            ]
        },
        "the current time (CURRENT_DATE)",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
async def test_sql_is_refused_with_a_cure(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    entries, words = REFUSED[why]
    pair = await make_pair(OLD, NEW)
    whole: dict[str, list[dict[str, object]]] = {"recipes": [*LEFT], "attr": [*DROPPED], "parts": [*PARTS]}
    for key, own in entries.items():
        whole[key] = [*whole.get(key, []), *own]
    prepared, told = await asked(pair, tmp_path, whole, monkeypatch)
    assert prepared is None
    assert words in "\n".join(told)


async def test_a_key_of_a_query_need_not_fill_anything(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    keyed = {**LOOKS, "sql": "SELECT e, e AS e_id FROM public.attr GROUP BY e", "key": ["e"], "cut_by": "e"}
    prepared, told = await asked(
        pair, tmp_path, {"recipes": LEFT, "x -> looks": [keyed], "parts": PARTS}, monkeypatch
    )
    assert prepared is not None, told


async def test_what_a_query_gives_is_taken_as_it_is_meant(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = (
        NEW
        + """
        CREATE TABLE sums (recipe_id int PRIMARY KEY REFERENCES recipes, owner int REFERENCES parts, amount int, seen timestamptz, paid boolean);
    """
    )
    pair = await make_pair(OLD, new)
    sums = {
        "action": "query",
        "key": "recipe_id",
        "sql": "SELECT r.id AS recipe_id, r.id AS owner, 100 * r.id AS amount, r.gone AS seen, 1 AS paid FROM public.recipes AS r",
    }
    paid = {"action": "transform", "old_column": "paid", "new_column": "paid", "value_mapping": {"1": True}}
    entries = {"recipes": LEFT, "attr": DROPPED, "parts": PARTS, "x -> sums": [sums, paid]}
    prepared, told = await asked(pair, tmp_path, entries, monkeypatch)
    assert prepared is not None, told
    assert not [line for line in told if "not asked" in line]


async def test_functions_whose_reads_nobody_sees_are_named(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    tidy = {
        "action": "transform",
        "old_column": "title",
        "new_column": "title",
        "transform_sql": "public.tidy(old.title)",
    }
    entries = {"recipes": [*LEFT, tidy], "attr": DROPPED, "parts": PARTS}
    prepared, told = await asked(pair, tmp_path, entries, monkeypatch)
    assert prepared is not None
    assert [line for line in told if line.startswith("TS306")] == [
        "TS306 public.recipes.title: transform_sql calls public.tidy: which tables that reads cannot be seen"
    ]
